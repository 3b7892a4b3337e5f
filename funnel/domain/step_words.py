"""The rules of a step in plain words, as the desk shows them."""

from collections.abc import Iterable, Iterator

from funnel.domain.schedule import Delay, Window
from funnel.domain.sequence import FACT_WORDS, Condition, Fact, Sequence, Step

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def timing(step: Step, *, is_first: bool) -> str:
    """When a step comes: "2 days after the one before, at 08:10 their time"."""
    before = "they begin" if is_first else "the one before"
    parts = [f"{_after(step.delay)} {before}"]
    if step.weekdays:
        parts.append(f"on {_either(_DAYS[day] for day in sorted(step.weekdays))}")
    if step.at is not None:
        parts.append(f"at {step.at:%H:%M} their time")
    if step.window is not None:
        parts.append(f"only from {_hours(step.window)}")
    return ", ".join(parts)


def rules(step: Step) -> tuple[str, ...]:
    """Whom a step is for, what it waits for and where it leads: a sentence each."""
    return tuple(_rules(step))


def _rules(step: Step) -> Iterator[str]:
    if step.only_if is not None:
        yield f"Only for people who {_condition(step.only_if)}."
    if step.skip_if:
        yield f"Not for people who {_facts(step.skip_if)}."
    if step.wait_for is not None:
        end = "is passed over" if step.wait_for.or_skip else "goes all the same"
        limit = _span(step.wait_for.at_most) or "no time"
        yield f"Waits until they {_facts(step.wait_for.facts)}; after {limit} it {end}."
    if step.expires_after is not None:
        hours = int(step.expires_after.total_seconds() // 3600)
        yield f"Is left out when it could not go within {_hours_long(hours)}."
    for way in step.ways:
        whom = _condition(way.when)
        yield f"Leads on to “{way.onto}”" + (f" for people who {whom}." if whom else ".")
    if step.variants:
        arms = ", ".join(f"{arm} ({weight})" for arm, weight in step.variants)
        yield f"A test of several mails, by weight: {arms}."


def entry(sequence: Sequence, titles: dict[str, str]) -> str:
    """Who enters a sequence."""
    if sequence.follows is not None:
        return f"Whoever comes to the end of “{titles.get(sequence.follows, sequence.follows)}”"
    return f"Whoever {_facts(sequence.starts_on)}"


def exits(sequence: Sequence) -> str:
    """What ends a sequence early; empty when nothing does."""
    return f"It ends at once for whoever {_facts(sequence.exits_on)}." if sequence.exits_on else ""


def _condition(when: Condition) -> str:
    parts = [FACT_WORDS[fact] for fact in sorted(when.has)]
    parts += [f"have not: {FACT_WORDS[fact]}" for fact in sorted(when.lacks)]
    if when.source:
        parts.append(f"came from {_either(sorted(when.source))}")
    if when.pattern:
        parts.append(f"have the pattern {_either(sorted(when.pattern))}")
    if when.days_done:
        parts.append(f"did {when.days_done} days of the challenge or more")
    return " and ".join(parts)


def _facts(facts: Iterable[Fact]) -> str:
    return _either(FACT_WORDS[fact] for fact in sorted(facts))


def _either(words: Iterable[str]) -> str:
    return " or ".join(words)


def _hours(window: Window) -> str:
    return f"{window.opens:%H:%M} to {window.closes:%H:%M}"


def _hours_long(hours: int) -> str:
    return f"{hours // 24} days" if hours >= 48 and hours % 24 == 0 else f"{hours} hours"


def _after(delay: Delay) -> str:
    spelled = _span(delay)
    return f"{spelled} after" if spelled else "Right after"


def _span(delay: Delay) -> str:
    hours, minutes = divmod(delay.minutes, 60)
    amounts = ((delay.days, "day"), (hours, "hour"), (minutes, "minute"))
    parts = [f"{many} {unit}{'' if many == 1 else 's'}" for many, unit in amounts if many]
    return " and ".join(parts)
