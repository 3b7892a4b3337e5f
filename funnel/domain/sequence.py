"""A sequence of mails, a person's place in it, and what may be decided: the values alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property
from uuid import UUID

from funnel.domain.people import Purpose
from funnel.domain.schedule import DAYTIME, DEFAULT_ZONE, Delay, Window


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

    `starts_on` facts enrol a person; `follows` names a sequence whose end enrols them. Whoever
    enters again `again_after` the end of their last round begins anew. `gone` maps each
    step of an older version that is here no more to the nearest one before it that is, or to
    None: the start.
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

    def __post_init__(self) -> None:
        places = {step.key: place for place, step in enumerate(self.steps)}
        if len(places) < len(self.steps):
            raise ValueError("each step of a sequence has a key of its own")
        for place, step in enumerate(self.steps):
            if any(places.get(way.onto, -1) <= place for way in step.ways):
                raise ValueError("a fork leads on to a later step, never back")

    def step(self, key: str | None) -> Step | None:
        """The step of that key; None when there is none."""
        return next((step for step in self.steps if step.key == key), None)

    def after(self, key: str | None) -> Step | None:
        """The step after this one; the first for None; None at the end or for an unknown key.

        A step that was deleted counts as the one before it that is still here.
        """
        key = self.gone.get(key, key) if key is not None else None
        place = self._places.get(key, len(self.steps))
        return self.steps[place] if place < len(self.steps) else None

    def mails_between(self, key: str, onto: str | None) -> list[str]:
        """The keys of the mails after one step and before another; none when there is no other."""
        keys = [step.key for step in self.steps]
        if onto not in keys or key not in keys:
            return []
        between = self.steps[keys.index(key) + 1 : keys.index(onto)]
        return [step.key for step in between if not step.ways]

    @cached_property
    def _places(self) -> dict[str | None, int]:
        """The place of the step after each key; found once, for every person asks."""
        return {None: 0, **{step.key: place for place, step in enumerate(self.steps, start=1)}}


@dataclass(frozen=True)
class Place:
    """Where one person stands in one sequence.

    `anchor_at` is when `last_step` was dealt with, or the start. `goals` are the facts that count
    as goals: None for all of `facts`, on a second round those of this round. `onto` comes next,
    whatever `last_step` says; `owed` are steps behind the person to be sent all the same, first
    of all. `had` are steps whose mail went or may have gone. `last_drip_at` and `recent` (the last
    seven days) are series mails of any sequence; `ahead` is when a sequence of higher priority has
    its next one due. `send_now` is the step that the therapist asked to be sent at once: nothing
    but consent, goals, whom it is for and a pause of their own holds that one. Until `paused_until`
    they asked for no series mail at all, and for no more than `weekly_cap` of them in seven days.
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
    send_now: str | None = None
    paused_until: datetime | None = None
    weekly_cap: int | None = None

    @property
    def fresh(self) -> frozenset[Fact]:
        """What they did in this round."""
        return self.facts if self.goals is None else self.goals


@dataclass(frozen=True)
class Absence:
    """Local days of the practice, from the first to the last, on which no series mail leaves."""

    first: date
    last: date


@dataclass(frozen=True)
class House:
    """The rules over everything a person gets, whatever the sequence.

    `weekly_cap` counts series mails in any seven days; `closed` and `absences` are the practice's
    days off in its own `zone`. `spread` is how far mails that were held are strewn, so that they
    do not leave in one burst.
    """

    weekly_cap: int | None = None
    closed: frozenset[date] = frozenset()
    absences: tuple[Absence, ...] = ()
    spread: timedelta = timedelta(0)
    zone: str = DEFAULT_ZONE


HOUSE = House()


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
