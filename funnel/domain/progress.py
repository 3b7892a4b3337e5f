"""How a place moves on: over the steps that are passed, up to the next mail."""

from dataclasses import dataclass, replace
from datetime import datetime

from funnel.domain.decision import next_step
from funnel.domain.holds import GIVES_WAY
from funnel.domain.sequence import (
    Condition,
    Decision,
    Fact,
    House,
    Place,
    Send,
    Sequence,
    Skip,
    Step,
    Wait,
)

# A mail is looked for no further than this many holds ahead.
MOST_WAITS = 64
NOT_DUE = "It is not due before then."


@dataclass(frozen=True)
class Progress:
    """What was passed over at one instant, where the person stands then, and what is decided."""

    place: Place
    skips: tuple[Skip, ...]
    decision: Decision


@dataclass(frozen=True)
class Forecast:
    """The next mail if nothing more happens: its step, its earliest instant, and what holds it.

    `mail` is the key of its words within the sequence; `hold` is the last sentence of a wait that
    is more than "not due yet"; None without one.
    """

    key: str
    mail: str
    at: datetime
    hold: str | None
    skips: tuple[Skip, ...]


def passed(place: Place, skip: Skip, now: datetime) -> Place:
    """The place after a step was passed over at `now`.

    A step that is owed lies behind the person, and one they had before was dealt with then: the
    delays of what follows are counted on from where they were.
    """
    key = skip.step.key
    if key == place.send_now:
        place = replace(place, send_now=None)
    if key in place.owed:
        return replace(place, owed=place.owed - {key})
    anchor_at = place.anchor_at if key in place.had else now
    return replace(place, last_step=key, onto=skip.onto, anchor_at=anchor_at)


def progress(sequence: Sequence, place: Place, now: datetime, house: House) -> Progress:
    """Pass over what is to be passed over at `now`, up to something else.

    Every step is met once at most, so more than that is an error: RuntimeError.
    """
    skips: list[Skip] = []
    for _ in range(2 * len(sequence.steps) + 2):
        decision = next_step(sequence, place, now, house)
        if not isinstance(decision, Skip):
            return Progress(place, tuple(skips), decision)
        skips.append(decision)
        place = passed(place, decision, now)
    raise RuntimeError(f"the steps of {sequence.key!r} lead nowhere")


def forecast(sequence: Sequence, place: Place, start: datetime, house: House) -> Forecast | None:
    """The next mail of a person who is looked at from `start` on; None when none will come."""
    at, hold, skips = start, None, list[Skip]()
    for _ in range(MOST_WAITS):
        found = progress(sequence, place, at, house)
        skips += found.skips
        place = found.place
        match found.decision:
            case Send(step, _, mail):
                return Forecast(step.key, mail, at, hold, tuple(skips))
            case Wait(_, until, why):
                at, hold = until, hold if why == NOT_DUE else why
                if why == GIVES_WAY and place.ahead is not None:
                    # Until then the engine only looks again, every quarter of an hour.
                    at = max(at, place.ahead + sequence.min_gap)
            case _:
                return None
    return None


def heeds(sequence: Sequence, fact: Fact) -> bool:
    """Whether a step of this sequence asks for the fact, so that it may change what comes next."""
    return any(fact in _asked(step) for step in sequence.steps)


def heeds_days(sequence: Sequence) -> bool:
    """Whether a step of this sequence asks how many days of the challenge are done."""
    return any(each.days_done for step in sequence.steps for each in conditions_of(step))


def conditions_of(step: Step) -> list[Condition]:
    """The conditions of a step: of each of its ways, and of its mail."""
    return [way.when for way in step.ways] + ([step.only_if] if step.only_if else [])


def _asked(step: Step) -> frozenset[Fact]:
    conditions = conditions_of(step)
    awaited = step.wait_for.facts if step.wait_for else frozenset()
    return step.skip_if.union(awaited, *(each.has | each.lacks for each in conditions))
