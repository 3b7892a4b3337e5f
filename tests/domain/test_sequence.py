"""The one decision: what happens next to a person in a sequence."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel.domain.decision import next_step
from funnel.domain.holds import hold_for
from funnel.domain.people import Purpose
from funnel.domain.schedule import Delay, Window, due_after, zone_of
from funnel.domain.sequence import (
    FACT_WORDS,
    Decision,
    Fact,
    Finish,
    Halt,
    Place,
    Send,
    Sequence,
    Skip,
    Step,
    Wait,
)

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
ZONES = ["Europe/London", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", None]

facts = st.frozensets(st.sampled_from(Fact))
clock_times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 10, 30]))
instants = st.datetimes(
    datetime.fromisoformat("2025-01-01"),
    datetime.fromisoformat("2028-12-31"),
    timezones=st.just(UTC),
)
spans = st.timedeltas(timedelta(0), timedelta(days=4))


@st.composite
def steps(draw: st.DrawFn, number: int) -> Step:
    return Step(
        key=f"step-{number}",
        delay=Delay(draw(st.integers(0, 4)), draw(st.integers(0, 300))),
        at=draw(st.none() | clock_times),
        weekdays=draw(st.frozensets(st.integers(0, 6), max_size=3)),
        skip_if=draw(st.frozensets(st.sampled_from(Fact), max_size=2)),
        expires_after=draw(st.none() | spans),
    )


@st.composite
def sequences(draw: st.DrawFn) -> Sequence:
    opens, closes = draw(st.sampled_from([(8, 20), (0, 23), (1, 2), (12, 13)]))
    return Sequence(
        key="any",
        title="Any",
        purpose=Purpose.SERIES,
        steps=tuple(draw(steps(number)) for number in range(draw(st.integers(0, 4)))),
        exits_on=draw(st.frozensets(st.sampled_from(Fact), max_size=2)),
        min_gap=draw(spans),
        window=Window(time(opens), time(closes)),
    )


@st.composite
def places(draw: st.DrawFn) -> Place:
    anchor = draw(instants)
    return Place(
        anchor_at=anchor,
        last_step=draw(st.none() | st.sampled_from(["step-0", "step-1", "step-3", "gone"])),
        facts=draw(facts),
        zone=draw(st.sampled_from(ZONES)),
        last_drip_at=draw(st.none() | st.builds(lambda span: anchor - span, spans)),
        refusal=draw(st.none() | st.just("They asked for no more emails.")),
    )


@given(sequence=sequences(), place=places(), passed=st.timedeltas(timedelta(0), timedelta(days=9)))
def test_every_decision_has_a_reason_and_a_wait_lies_ahead(
    sequence: Sequence, place: Place, passed: timedelta
) -> None:
    now = place.anchor_at + passed
    decision = next_step(sequence, place, now)
    assert decision.why.endswith(".")
    if isinstance(decision, Wait):
        assert decision.until > now


@given(sequence=sequences(), place=places(), passed=st.timedeltas(timedelta(0), timedelta(days=9)))
def test_a_mail_goes_only_when_everything_allows_it(
    sequence: Sequence, place: Place, passed: timedelta
) -> None:
    now = place.anchor_at + passed
    decision = next_step(sequence, place, now)
    if not isinstance(decision, Send):
        return
    step, zone = decision.step, zone_of(place.zone)
    due = due_after(place.anchor_at, step.delay, zone, at=step.at, weekdays=step.weekdays)
    assert now >= due
    assert sequence.window.holds(now.astimezone(zone).time())
    assert place.last_drip_at is None or now >= place.last_drip_at + sequence.min_gap
    assert not sequence.exits_on & place.facts
    assert not step.skip_if & place.facts
    assert place.refusal is None
    assert step.expires_after is None or now <= due + step.expires_after
    assert step == sequence.after(place.last_step)


@given(sequence=sequences(), place=places())
def test_following_the_decisions_comes_to_an_end(sequence: Sequence, place: Place) -> None:
    now, sent = place.anchor_at, []
    decision = next_step(sequence, place, now)
    for _ in range(40):
        if isinstance(decision, Finish | Halt):
            break
        place, now = _follow(decision, place, now)
        if isinstance(decision, Send):
            sent.append(now)
        decision = next_step(sequence, place, now)
    assert isinstance(decision, Finish | Halt)
    gaps = [later - earlier for earlier, later in pairwise(sent)]
    assert all(gap >= sequence.min_gap for gap in gaps), "no burst, whatever the delays are"


def _follow(decision: Decision, place: Place, now: datetime) -> tuple[Place, datetime]:
    match decision:
        case Wait(_, until, _):
            return place, until
        case Skip(step, _):
            return replace(place, last_step=step.key, anchor_at=now), now
        case Send(step, _):
            return replace(place, last_step=step.key, anchor_at=now, last_drip_at=now), now
        case _:
            raise AssertionError(decision)


def series(*steps_: Step, **changes: object) -> Sequence:
    whole = Sequence("series", "Series", Purpose.SERIES, steps_)
    return replace(whole, **changes)  # type: ignore[arg-type]  # changes are its fields


def at_start(**changes: object) -> Place:
    return replace(Place(NOW, None, frozenset()), **changes)  # type: ignore[arg-type]  # as above


FIRST = Step("first", Delay(days=1), time(8, 10))
SECOND = Step("second", Delay(days=2), time(8, 10))


def test_a_goal_ends_a_sequence_even_for_someone_who_must_not_be_mailed() -> None:
    sequence = series(FIRST, exits_on=frozenset({Fact.JOINED}))
    place = at_start(facts=frozenset({Fact.JOINED}), refusal="Mail to this address bounced.")
    decision = next_step(sequence, place, NOW)
    assert decision == Finish("They joined the challenge, so these mails stop.", is_exit=True)


def test_a_refusal_halts_before_anything_else_is_looked_at() -> None:
    place = at_start(refusal="They asked for no more emails.")
    assert next_step(series(FIRST), place, NOW) == Halt("They asked for no more emails.")


def test_the_end_is_not_an_exit() -> None:
    decision = next_step(series(FIRST), at_start(last_step="first"), NOW)
    assert decision == Finish("Every mail of this sequence has been dealt with.")


def test_a_step_that_is_not_known_any_more_ends_the_sequence() -> None:
    assert isinstance(next_step(series(FIRST), at_start(last_step="gone"), NOW), Finish)


def test_a_sequence_without_steps_is_over_at_once() -> None:
    assert isinstance(next_step(series(), at_start(), NOW), Finish)


def test_a_mail_waits_for_its_local_hour() -> None:
    decision = next_step(series(FIRST), at_start(zone="America/New_York"), NOW)
    assert isinstance(decision, Wait)
    assert decision.until == datetime(2026, 11, 24, 13, 10, tzinfo=UTC)


def test_a_mail_near_another_one_waits_for_the_gap_and_the_window() -> None:
    due = datetime(2026, 11, 24, 8, 10, tzinfo=UTC)
    place = at_start(last_drip_at=due - timedelta(hours=1))
    decision = next_step(series(FIRST), place, due)
    assert isinstance(decision, Wait)
    assert decision.until == datetime(2026, 11, 25, 8, 0, tzinfo=UTC), "the gap ends at night"
    assert decision.why == "Held: their last mail was not long ago."


def test_a_late_mail_waits_for_the_morning() -> None:
    decision = next_step(series(FIRST), at_start(), datetime(2026, 11, 25, 22, 0, tzinfo=UTC))
    assert decision == Wait(
        FIRST, datetime(2026, 11, 26, 8, 0, tzinfo=UTC), "Held: quiet hours until 08:00."
    )


def test_an_expired_step_is_skipped_and_one_just_in_time_goes() -> None:
    step = replace(FIRST, expires_after=timedelta(hours=5))
    due = datetime(2026, 11, 24, 8, 10, tzinfo=UTC)
    just = next_step(series(step), at_start(), due + timedelta(hours=5))
    late = next_step(series(step), at_start(), due + timedelta(hours=5, seconds=1))
    assert isinstance(just, Send)
    assert late == Skip(step, "Skipped: its time had passed.")


def test_a_step_is_skipped_for_a_fact_only_once_it_is_due() -> None:
    step = replace(FIRST, skip_if=frozenset({Fact.DOWNLOADED}))
    place = at_start(facts=frozenset({Fact.DOWNLOADED}))
    assert isinstance(next_step(series(step), place, NOW), Wait)
    decision = next_step(series(step), place, NOW + timedelta(days=2))
    assert decision == Skip(step, "Skipped: they opened the guide.")


def test_the_step_after_each_one_is_the_next_in_the_file() -> None:
    sequence = series(FIRST, SECOND)
    assert sequence.after(None) == FIRST
    assert sequence.after("first") == SECOND
    assert sequence.after("second") is None


def test_every_fact_can_be_told_in_words() -> None:
    assert set(FACT_WORDS) == set(Fact)


@pytest.mark.parametrize(
    ("now", "last", "until"),
    [
        (datetime(2026, 11, 23, 10, 0, tzinfo=UTC), None, None),
        (
            datetime(2026, 11, 23, 10, 0, tzinfo=UTC),
            datetime(2026, 11, 22, 14, 0, tzinfo=UTC),
            None,
        ),
        (
            datetime(2026, 11, 23, 9, 59, tzinfo=UTC),
            datetime(2026, 11, 22, 14, 0, tzinfo=UTC),
            datetime(2026, 11, 23, 10, 0, tzinfo=UTC),
        ),
        (
            datetime(2026, 11, 23, 20, 0, tzinfo=UTC),
            None,
            datetime(2026, 11, 24, 8, 0, tzinfo=UTC),
        ),
    ],
)
def test_a_due_mail_is_held_by_gap_and_hour(
    now: datetime, last: datetime | None, until: datetime | None
) -> None:
    hold = hold_for(series(FIRST), FIRST, at_start(last_drip_at=last), now)
    assert (hold.until if hold else None) == until
