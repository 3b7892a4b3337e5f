"""A person's own wish for quiet: it holds every mail of every sequence, and lets go calmly."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import pytest

from funnel.domain.decision import next_step
from funnel.domain.holds import Hold, hold_for
from funnel.domain.people import Purpose
from funnel.domain.progress import forecast
from funnel.domain.schedule import Window, quiet_until, zone_of
from funnel.domain.sequence import Fact, Finish, Halt, House, Place, Send, Sequence, Wait
from tests.support.sequences import FIRST, NOW, SECOND, at_start, series

A_DAY = timedelta(days=1)
BACK = datetime(2026, 12, 7, 0, 0, tzinfo=UTC)  # midnight in London, a Monday
MORNING = datetime(2026, 12, 7, 8, 0, tzinfo=UTC)
WHY = "Held: they paused their emails until 7 December."
PAUSED = at_start(anchor_at=NOW - 3 * A_DAY, paused_until=BACK)
FEWER = "Held: they asked for at most 1 email a week."
SPREAD = House(spread=timedelta(minutes=30))


def held(place: Place, now: datetime = NOW, house: House | None = None) -> Hold | None:
    return hold_for(series(FIRST), FIRST, place, now, house or House())


# --- a pause ------------------------------------------------------------------------------------


def test_a_pause_holds_until_the_morning_after_its_last_night() -> None:
    assert held(PAUSED) == Hold(MORNING, WHY)
    assert held(PAUSED, BACK - timedelta(seconds=1)) == Hold(MORNING, WHY)


def test_a_pause_that_is_over_holds_nothing() -> None:
    assert held(PAUSED, BACK) == Hold(MORNING, "Held: quiet hours until 08:00.")
    assert held(PAUSED, MORNING) is None


def test_the_end_of_a_pause_is_told_in_the_persons_own_day() -> None:
    hold = held(replace(PAUSED, zone="America/New_York"))
    assert hold is not None
    assert hold.why == "Held: they paused their emails until 6 December."


def test_what_a_pause_held_is_strewn_like_what_any_hold_held() -> None:
    people = [replace(PAUSED, handle=UUID(int=number)) for number in range(200)]
    until = sorted(hold.until for each in people if (hold := held(each, house=SPREAD)))
    assert MORNING <= until[0] < until[-1] < MORNING + SPREAD.spread
    assert len(set(until)) > 100


def test_it_is_strewn_also_where_mail_may_go_at_midnight() -> None:
    wide = series(FIRST, window=Window(time(0), time(23)))
    people = [replace(PAUSED, handle=UUID(int=number)) for number in range(20)]
    holds = [hold_for(wide, FIRST, each, NOW, SPREAD) for each in people]
    assert all(hold and BACK <= hold.until < BACK + SPREAD.spread for hold in holds)
    assert len({hold.until for hold in holds if hold}) > 10


def test_a_longer_hold_than_the_pause_is_the_one_that_is_told() -> None:
    recent = (BACK - 3 * A_DAY,)
    place = replace(PAUSED, recent=recent)
    hold = held(place, BACK - A_DAY, House(weekly_cap=1))
    assert hold is not None
    assert hold.why == "Held: they had 1 mails in seven days, which is the most."


def test_a_pause_holds_what_the_therapist_sends_by_hand_and_nothing_else_does() -> None:
    by_hand = replace(PAUSED, send_now="first")
    night = datetime(2026, 11, 23, 23, 0, tzinfo=UTC)
    decision = next_step(series(FIRST), by_hand, night)
    assert decision == Wait(FIRST, MORNING, WHY)
    free = replace(by_hand, paused_until=None, last_drip_at=night - A_DAY / 24)
    assert isinstance(next_step(series(FIRST), free, night), Send)


@pytest.mark.parametrize("key", ["first", "second"])
def test_a_place_is_kept_through_a_pause_and_goes_on_one_mail_at_a_time(key: str) -> None:
    last = None if key == "first" else "first"
    sequence, place = series(FIRST, SECOND), replace(PAUSED, last_step=last)
    found = forecast(sequence, place, NOW, House())
    assert found is not None
    assert (found.key, found.at, found.hold, found.skips) == (key, MORNING, WHY, ())


def test_a_mail_not_due_before_the_pause_is_over_waits_for_its_own_time() -> None:
    late = replace(PAUSED, anchor_at=BACK + A_DAY)
    found = forecast(series(FIRST), late, NOW, House())
    assert found is not None
    assert found.at == datetime(2026, 12, 9, 8, 10, tzinfo=UTC)
    assert found.hold is None


def test_a_goal_and_a_farewell_end_a_series_in_the_middle_of_a_pause() -> None:
    sequence = series(FIRST, exits_on=frozenset({Fact.JOINED}))
    joined = replace(PAUSED, facts=frozenset({Fact.JOINED}))
    assert isinstance(next_step(sequence, joined, NOW), Finish)
    gone = replace(PAUSED, refusal="They asked for no more emails.")
    assert isinstance(next_step(sequence, gone, NOW), Halt)


@pytest.mark.parametrize(
    ("zone", "now", "until"),
    [
        ("Europe/London", NOW, BACK),
        ("Europe/London", datetime(2026, 11, 23, 23, 59, tzinfo=UTC), BACK),
        ("Europe/London", datetime(2026, 11, 24, 0, 0, tzinfo=UTC), BACK + A_DAY),
        # Over the change of the clocks: two weeks of days, not of hours.
        (
            "Europe/London",
            datetime(2027, 3, 20, 12, 0, tzinfo=UTC),
            datetime(2027, 4, 2, 23, 0, tzinfo=UTC),
        ),
        (
            "America/New_York",
            datetime(2026, 11, 24, 2, 0, tzinfo=UTC),
            datetime(2026, 12, 7, 5, 0, tzinfo=UTC),
        ),
    ],
)
def test_two_weeks_end_with_a_midnight_of_the_persons_own(
    zone: str, now: datetime, until: datetime
) -> None:
    assert quiet_until(now, 14, zone_of(zone)) == until


# --- fewer --------------------------------------------------------------------------------------


def fewer(*days_ago: int) -> Place:
    return at_start(weekly_cap=1, recent=tuple(NOW - days * A_DAY for days in days_ago))


def test_whoever_asked_for_fewer_gets_one_a_week() -> None:
    assert held(fewer(3)) == Hold(NOW + 4 * A_DAY, FEWER)
    assert held(fewer(7)) is None
    assert held(fewer()) is None


def test_the_stricter_of_both_caps_holds() -> None:
    both = fewer(1, 2, 5)
    assert held(both, house=House(weekly_cap=3)) == Hold(NOW + 6 * A_DAY, FEWER)
    loose = replace(both, weekly_cap=7)
    hold = held(loose, house=House(weekly_cap=3))
    assert hold is not None
    assert hold.why == "Held: they had 3 mails in seven days, which is the most."


def test_the_challenge_is_not_slowed_for_a_mail_a_day_is_what_was_asked_for() -> None:
    challenge = Sequence("challenge", "Challenge", Purpose.CHALLENGE, (FIRST,))
    place = fewer(1, 2, 3)
    assert hold_for(challenge, FIRST, place, NOW, House(weekly_cap=7)) is None
    # The house's own cap and a pause hold it as ever.
    assert hold_for(challenge, FIRST, place, NOW, House(weekly_cap=3)) is not None
    assert hold_for(challenge, FIRST, replace(place, paused_until=BACK), NOW) is not None


def test_a_mail_sent_by_hand_waits_for_no_cap() -> None:
    assert hold_for(series(FIRST), FIRST, fewer(1), NOW, by_hand=True) is None
