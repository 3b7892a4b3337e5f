"""Sequences, places and houses of any shape, and a person who lives through them in pure values."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from hypothesis import strategies as st

from funnel.domain.decision import next_step
from funnel.domain.people import Purpose
from funnel.domain.schedule import Delay, Window
from funnel.domain.sequence import (
    NOBODY,
    Absence,
    Condition,
    Decision,
    Fact,
    Finish,
    Halt,
    House,
    Place,
    Send,
    Sequence,
    Skip,
    Step,
    Wait,
    WaitFor,
    Way,
)

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # a Monday
ZONES = ["Europe/London", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", None]
FIRST = Step("first", Delay(days=1), time(8, 10))
SECOND = Step("second", Delay(days=2), time(8, 10))


def series(*steps_: Step, **changes: object) -> Sequence:
    whole = Sequence("series", "Series", Purpose.SERIES, steps_)
    return replace(whole, **changes)  # type: ignore[arg-type]  # changes are its fields


def at_start(**changes: object) -> Place:
    return replace(Place(NOW, None, frozenset()), **changes)  # type: ignore[arg-type]  # as above


spans = st.timedeltas(timedelta(0), timedelta(days=4))
facts = st.frozensets(st.sampled_from(Fact), max_size=3)
clock_times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 10, 30]))
delays = st.builds(Delay, st.integers(0, 9), st.integers(0, 300))
windows = st.sampled_from([(8, 20), (0, 23), (1, 2), (12, 13)]).map(
    lambda hours: Window(time(hours[0]), time(hours[1]))
)
instants = st.datetimes(
    datetime.fromisoformat("2025-01-01"),
    datetime.fromisoformat("2028-12-31"),
    timezones=st.just(UTC),
)
conditions = st.builds(
    Condition,
    has=st.frozensets(st.sampled_from(Fact), max_size=1),
    lacks=st.frozensets(st.sampled_from(Fact), max_size=1),
    source=st.sampled_from([frozenset(), frozenset({"leaflet"})]),
    pattern=st.sampled_from([frozenset(), frozenset({"desk-hips"})]),
    days_done=st.sampled_from([0, 0, 3]),
)
waits = st.builds(WaitFor, facts.filter(bool), delays, or_skip=st.booleans())


def mails(key: str) -> st.SearchStrategy[Step]:
    """A step that sends a mail, of any timing and for anybody."""
    return st.builds(
        Step,
        key=st.just(key),
        delay=delays,
        at=st.none() | clock_times,
        weekdays=st.frozensets(st.integers(0, 6), max_size=3),
        skip_if=st.frozensets(st.sampled_from(Fact), max_size=1),
        expires_after=st.none() | spans,
        only_if=st.none() | conditions,
        wait_for=st.none() | waits,
        window=st.none() | windows,
        variants=st.sampled_from([(), (("a", 1), ("b", 3))]),
    )


@st.composite
def steps_of(draw: st.DrawFn, keys: list[str]) -> tuple[Step, ...]:
    """Steps of these keys in this order; some of them are forks."""
    made: list[Step] = []
    for place, key in enumerate(keys):
        later = keys[place + 1 :]
        if later and draw(st.integers(0, 4)) == 0:
            ways = st.builds(Way, st.sampled_from(later), conditions)
            fork = Step(key, draw(delays), ways=tuple(draw(st.lists(ways, min_size=1, max_size=3))))
            made.append(fork)
        else:
            made.append(draw(mails(key)))
    return tuple(made)


@st.composite
def sequences(draw: st.DrawFn, keys: list[str] | None = None) -> Sequence:
    if keys is None:
        keys = [f"step-{number}" for number in range(draw(st.integers(0, 5)))]
    return series(
        *draw(steps_of(keys)),
        exits_on=draw(st.frozensets(st.sampled_from(Fact), max_size=1)),
        min_gap=draw(spans),
        window=draw(windows),
        keeps_clinic_days=draw(st.booleans()),
        purpose=draw(st.sampled_from([Purpose.SERIES, Purpose.CHALLENGE])),
    )


@st.composite
def houses(draw: st.DrawFn, around: datetime = NOW) -> House:
    """A house with a cap, days off and an absence in the weeks after `around`."""
    day = around.date()
    first = day + timedelta(days=draw(st.integers(0, 20)))
    return House(
        weekly_cap=draw(st.none() | st.integers(1, 4)),
        closed=frozenset(
            day + timedelta(days=passed)
            for passed in draw(st.lists(st.integers(0, 30), max_size=6))
        ),
        absences=draw(st.sampled_from([(), (Absence(first, first + timedelta(days=16)),)])),
        spread=draw(st.sampled_from([timedelta(0), timedelta(minutes=30), timedelta(hours=6)])),
    )


@st.composite
def places(draw: st.DrawFn) -> Place:
    """Any place at all, sane or not."""
    anchor = draw(instants)
    keys = st.none() | st.sampled_from(["step-0", "step-1", "step-3", "unheard-of"])
    earlier = st.builds(lambda span: anchor - span, spans)
    return Place(
        anchor_at=anchor,
        last_step=draw(keys),
        facts=draw(facts),
        zone=draw(st.sampled_from(ZONES)),
        last_drip_at=draw(st.none() | earlier),
        refusal=draw(st.sampled_from([None, None, "They asked for no more emails."])),
        handle=draw(st.sampled_from([NOBODY, UUID(int=7)])),
        goals=draw(st.none() | facts),
        onto=draw(keys),
        owed=draw(st.frozensets(st.sampled_from(["step-0", "step-2", "gone"]), max_size=2)),
        had=draw(st.frozensets(st.sampled_from(["step-0", "step-1", "step-2"]), max_size=2)),
        recent=tuple(draw(st.lists(earlier, max_size=4))),
        ahead=draw(st.none() | st.builds(lambda span: anchor + span, spans)),
        send_now=draw(st.none() | st.sampled_from(["step-0", "step-1", "gone"])),
        paused_until=draw(st.none() | st.builds(lambda span: anchor + span, spans)),
        weekly_cap=draw(st.none() | st.integers(1, 3)),
    )


@dataclass
class Life:
    """One person in one sequence: the engine's book-keeping, without its database.

    `sent` is each mail with the decision's circumstances, for a test to judge.
    """

    sequence: Sequence
    place: Place
    now: datetime
    house: House
    sent: list[tuple[Place, Sequence, Send, datetime]] = field(default_factory=list)
    skipped: list[Skip] = field(default_factory=list)
    end: Finish | Halt | None = None

    def live_until(self, then: datetime) -> None:
        """The worker wakes whenever a wait is over."""
        while self.end is None:
            wait = self.wake()
            if wait is None or wait.until > then:
                break
            self.now = wait.until
        self.now = max(self.now, then)

    def wake(self) -> Wait | None:
        """Decide until there is nothing to do now; the wait, unless it is over for good."""
        for _ in range(3 * len(self.sequence.steps) + 10):
            decision = next_step(self.sequence, self.place, self.now, self.house)
            if isinstance(decision, Wait):
                return decision
            self._follow(decision)
            if self.end is not None:
                return None
        raise AssertionError("it goes round in circles")

    def _follow(self, decision: Decision) -> None:
        match decision:
            case Send(step):
                self.sent.append((self.place, self.sequence, decision, self.now))
                recent = (*self.place.recent, self.now)
                self._leave(step, None)
                self.place = replace(
                    self.place,
                    had=self.place.had | {step.key},
                    last_drip_at=self.now,
                    recent=recent,
                )
            case Skip(step, _, onto):
                self.skipped.append(decision)
                self._leave(step, onto)
            case Finish() | Halt():
                self.end = decision
            case Wait():
                raise AssertionError("a wait is not followed")

    def _leave(self, step: Step, onto: str | None) -> None:
        if step.key == self.place.send_now:
            self.place = replace(self.place, send_now=None)
        if step.key in self.place.owed:
            self.place = replace(self.place, owed=self.place.owed - {step.key})
            return
        self.place = replace(self.place, last_step=step.key, anchor_at=self.now, onto=onto)
