"""A sequence of mails, a person's place in it, and the one decision: what happens next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID

from funnel.domain.people import Purpose
from funnel.domain.schedule import (
    DAYTIME,
    Delay,
    Window,
    due_after,
    next_opening,
    zone_of,
)


class Fact(StrEnum):
    """The steps of the funnel, each kept the first time it happens to a person."""

    REQUESTED = "requested"
    CONFIRMED = "confirmed"
    DOWNLOADED = "downloaded"
    JOINED = "joined"
    COMPLETED = "completed"
    WAITLISTED = "waitlisted"
    PURCHASED = "purchased"
    UNSUBSCRIBED = "unsubscribed"


NOBODY = UUID(int=0)
FACT_WORDS = {
    Fact.REQUESTED: "asked for the guide",
    Fact.CONFIRMED: "confirmed the address",
    Fact.DOWNLOADED: "opened the guide",
    Fact.JOINED: "joined the challenge",
    Fact.COMPLETED: "finished the challenge",
    Fact.WAITLISTED: "joined the waiting list",
    Fact.PURCHASED: "bought the programme",
    Fact.UNSUBSCRIBED: "unsubscribed",
}


@dataclass(frozen=True)
class Condition:
    """Whom something is for: every part that is given must hold.

    `has` all of these facts, `lacks` each of these, came from one of these `source`s, has one of
    these self-check `pattern`s, has done at least `days_done` days of the challenge.
    """

    has: frozenset[Fact] = frozenset()
    lacks: frozenset[Fact] = frozenset()
    source: frozenset[str] = frozenset()
    pattern: frozenset[str] = frozenset()
    days_done: int = 0


@dataclass(frozen=True)
class WaitFor:
    """A step waits until one of `facts` is true, `at_most` so long after the step before."""

    facts: frozenset[Fact]
    at_most: Delay
    or_skip: bool = False


@dataclass(frozen=True)
class Way:
    """One way on from a fork: to the step `onto`, for whoever meets the condition."""

    onto: str
    when: Condition = Condition()


@dataclass(frozen=True)
class Step:
    """One step of a sequence: a mail, or a fork when it has `ways`.

    The key never changes; `at` is local wall time. `variants` are the arms of a test with their
    weights; each has a mail of its own, `step.arm`.
    """

    key: str
    delay: Delay
    at: time | None = None
    weekdays: frozenset[int] = frozenset()
    skip_if: frozenset[Fact] = frozenset()
    expires_after: timedelta | None = None
    only_if: Condition | None = None
    wait_for: WaitFor | None = None
    window: Window | None = None
    ways: tuple[Way, ...] = ()
    variants: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Sequence:
    """An ordered set of steps with its entry, its exits and the consent it needs.

    `starts_on` facts enrol a person; `follows` names a sequence whose end enrols them.
    """

    key: str
    title: str
    purpose: Purpose
    steps: tuple[Step, ...]
    starts_on: frozenset[Fact] = frozenset()
    follows: str | None = None
    exits_on: frozenset[Fact] = frozenset()
    min_gap: timedelta = timedelta(hours=20)
    window: Window = DAYTIME
    again_after: timedelta | None = None
    priority: int = 0
    keeps_clinic_days: bool = True
    gone: Mapping[str, str | None] = field(default_factory=dict)

    def after(self, key: str | None) -> Step | None:
        """The step after this one; the first for None; None at the end or for an unknown key."""
        if key is None:
            return self.steps[0] if self.steps else None
        keys = [step.key for step in self.steps]
        place = keys.index(key) + 1 if key in keys else len(keys)
        return self.steps[place] if place < len(keys) else None


@dataclass(frozen=True)
class Place:
    """Where one person stands in one sequence.

    `anchor_at` is when the last step was resolved, or the start; `last_drip_at` is the last
    series mail of any sequence that was accepted for this person.
    """

    anchor_at: datetime
    last_step: str | None
    facts: frozenset[Fact]
    zone: str | None = None
    last_drip_at: datetime | None = None
    refusal: str | None = None
    handle: UUID = NOBODY
    goals: frozenset[Fact] | None = None
    source: str = "direct"
    pattern: str | None = None
    days_done: int = 0
    onto: str | None = None
    owed: frozenset[str] = frozenset()
    had: frozenset[str] = frozenset()
    recent: tuple[datetime, ...] = ()
    ahead: datetime | None = None
    send_now: bool = False


@dataclass(frozen=True)
class Absence:
    """Local days of the practice, from the first to the last, on which no series mail leaves."""

    first: date
    last: date


@dataclass(frozen=True)
class House:
    """The rules over everything a person gets, whatever the sequence.

    `weekly_cap` counts series mails in any seven days; `closed` are the practice's days off in
    its own `zone`: bank holidays and absences. `spread` is how far mails that were held are
    strewn, so that they do not leave in one burst.
    """

    weekly_cap: int | None = None
    closed: frozenset[date] = frozenset()
    absences: tuple[Absence, ...] = ()
    spread: timedelta = timedelta(0)


@dataclass(frozen=True)
class Send:
    """The step's mail goes now; `mail` is the key of its words within the sequence."""

    step: Step
    why: str
    mail: str = ""
    variant: str | None = None


@dataclass(frozen=True)
class Wait:
    """Nothing to do before `until`."""

    step: Step
    until: datetime
    why: str


@dataclass(frozen=True)
class Skip:
    """The step is passed over for good; a fork goes on with the step `onto`."""

    step: Step
    why: str
    onto: str | None = None


@dataclass(frozen=True)
class Finish:
    """The sequence is over for this person; `is_exit` when a goal ended it early."""

    why: str
    is_exit: bool = False


@dataclass(frozen=True)
class Halt:
    """Mail must not go to this person; the sequence ends."""

    why: str


Decision = Send | Wait | Skip | Finish | Halt
HOUSE = House()


def next_step(sequence: Sequence, place: Place, now: datetime, _house: House = HOUSE) -> Decision:
    """What happens next for a person in a sequence, at the instant `now`.

    Pure and total. It never answers Send before the step is due, outside the window, within
    `min_gap` of the last mail, after a goal, or against consent.
    """
    reached = sequence.exits_on & place.facts
    if reached:
        return Finish(_goal_sentence(reached), is_exit=True)
    if place.refusal:
        return Halt(place.refusal)
    step = sequence.after(place.last_step)
    if step is None:
        return Finish("Every mail of this sequence has been dealt with.")
    return _for_step(sequence, step, place, now)


def _goal_sentence(reached: frozenset[Fact]) -> str:
    first = sorted(reached)[0]
    return f"They {FACT_WORDS[first]}, so these mails stop."


def _for_step(sequence: Sequence, step: Step, place: Place, now: datetime) -> Decision:
    zone = zone_of(place.zone)
    due = due_after(place.anchor_at, step.delay, zone, at=step.at, weekdays=step.weekdays)
    if now < due:
        return Wait(step, due, "It is not due before then.")
    passed = sorted(step.skip_if & place.facts)
    if passed:
        return Skip(step, f"Because they {FACT_WORDS[passed[0]]}.")
    if step.expires_after is not None and now > due + step.expires_after:
        return Skip(step, "Its time had passed.")
    return _when_free(sequence, step, place, now)


def _when_free(sequence: Sequence, step: Step, place: Place, now: datetime) -> Decision:
    hold = hold_for(sequence, zone=place.zone, last_drip_at=place.last_drip_at, now=now)
    return Wait(step, hold.until, hold.why) if hold else Send(step, "It is due.")


@dataclass(frozen=True)
class Hold:
    """A mail that is due may not go before `until`."""

    until: datetime
    why: str


def hold_for(
    sequence: Sequence, *, zone: str | None, last_drip_at: datetime | None, now: datetime
) -> Hold | None:
    """Whether the gap after the last series mail, or the hour, keeps a due mail back."""
    if last_drip_at is not None and now < last_drip_at + sequence.min_gap:
        free = last_drip_at + sequence.min_gap
        until = next_opening(free, zone_of(zone), sequence.window)
        return Hold(until, "Held: there was a mail within the last day.")
    opening = next_opening(now, zone_of(zone), sequence.window)
    return Hold(opening, "Held: quiet hours.") if opening > now else None
