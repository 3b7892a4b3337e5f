"""Whom a step is for, and the sentence for those it is not for."""

from funnel.domain.sequence import FACT_WORDS, Condition, Fact, Place


def holds(condition: Condition, place: Place) -> bool:
    """Whether every part of the condition that is given is true of this person."""
    return _lacking(condition, place) is None


def why_not(condition: Condition, place: Place) -> str | None:
    """Why a step with this condition is not for this person, as a sentence; None when it is."""
    reason = _lacking(condition, place)
    return None if reason is None else f"Skipped: it was {reason}."


def _lacking(condition: Condition, place: Place) -> str | None:
    """The first part that is not true. A self-check pattern is never named: it tells of health."""
    if missing := condition.has - place.facts:
        return f"only for people who {_first(missing)}"
    if present := condition.lacks & place.facts:
        return f"not for people who {_first(present)}"
    if condition.source and place.source not in condition.source:
        return f"only for people who came from {' or '.join(sorted(condition.source))}"
    if condition.pattern and place.pattern not in condition.pattern:
        return "for another result of the self-check"
    if place.days_done < condition.days_done:
        days = "1 day" if condition.days_done == 1 else f"{condition.days_done} days"
        return f"only for people who did at least {days} of the challenge"
    return None


def _first(facts: frozenset[Fact]) -> str:
    return FACT_WORDS[min(facts)]
