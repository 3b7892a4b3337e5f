"""What keeps back a mail that is due: other mails, the hour, and the days of the practice."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID

import pytest

from funnel.domain.holds import Hold, hold_for
from funnel.domain.progress import forecast
from funnel.domain.schedule import Delay, Window
from funnel.domain.sequence import NOBODY, Absence, House, Place, Step
from tests.support.sequences import FIRST, NOW, at_start, series

AN_HOUR, A_DAY = timedelta(hours=1), timedelta(days=1)
NIGHT = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)
MORNING = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
SPREAD = House(spread=timedelta(minutes=30))
PEOPLE = [UUID(int=number) for number in range(200)]


def held(place: Place, now: datetime = NOW, house: House | None = None) -> Hold | None:
    return hold_for(series(FIRST), FIRST, place, now, house or House())


# --- the hour -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (NOW, None),
        (datetime(2026, 11, 23, 8, 0, tzinfo=UTC), None),
        (datetime(2026, 11, 23, 7, 59, tzinfo=UTC), datetime(2026, 11, 23, 8, 0, tzinfo=UTC)),
        (datetime(2026, 11, 23, 20, 0, tzinfo=UTC), MORNING),
    ],
)
def test_quiet_hours_hold_until_the_morning(now: datetime, until: datetime | None) -> None:
    hold = held(at_start(), now)
    assert hold == (Hold(until, "Held: quiet hours until 08:00.") if until else None)


def test_quiet_hours_are_those_of_the_reader() -> None:
    hold = held(at_start(zone="America/New_York"))
    assert hold == Hold(NOW + timedelta(hours=3), "Held: quiet hours until 08:00.")


def test_the_mail_of_a_deleted_step_keeps_the_hours_of_its_sequence() -> None:
    assert hold_for(series(FIRST), None, at_start(), NIGHT, House()) == Hold(
        MORNING, "Held: quiet hours until 08:00."
    )


# --- the mails beside it ------------------------------------------------------------------------


def test_a_mail_keeps_its_gap_after_the_last_one() -> None:
    last = NOW - timedelta(hours=19)
    assert held(at_start(last_drip_at=last)) == Hold(
        NOW + AN_HOUR, "Held: their last mail was not long ago."
    )
    assert held(at_start(last_drip_at=NOW - timedelta(hours=20))) is None


def test_a_gap_that_ends_at_night_lasts_until_the_morning() -> None:
    hold = held(at_start(last_drip_at=NOW - AN_HOUR))
    assert hold == Hold(MORNING, "Held: their last mail was not long ago.")


def test_the_weekly_cap_holds_until_the_oldest_mail_is_a_week_old() -> None:
    recent = tuple(NOW - timedelta(days=days) for days in (6, 4, 2))
    house = House(weekly_cap=3)
    assert held(at_start(recent=recent), house=house) == Hold(
        NOW + A_DAY, "Held: they had 3 mails in seven days, which is the most."
    )
    assert held(at_start(recent=recent), NOW + A_DAY, house) is None
    assert held(at_start(recent=recent), house=House(weekly_cap=4)) is None
    assert held(at_start(recent=recent)) is None


def test_above_the_cap_as_many_must_grow_old_as_are_too_many() -> None:
    recent = tuple(NOW - timedelta(days=days) for days in (2, 6, 4))
    hold = held(at_start(recent=recent), house=House(weekly_cap=1))
    assert hold is not None
    assert hold.until == NOW + timedelta(days=5)


def test_a_mail_that_matters_more_goes_first() -> None:
    soon = at_start(ahead=NOW + AN_HOUR)
    why = "Held: a mail that matters more goes first."
    assert held(soon) == Hold(NOW + AN_HOUR, why)
    assert held(at_start(ahead=NOW + A_DAY)) is None
    # The other is due now and about to leave: look again soon.
    assert held(at_start(ahead=NOW)) == Hold(NOW + timedelta(minutes=15), why)
    # It has been overdue for long, so something is wrong with it: nobody starves.
    assert held(at_start(ahead=NOW - A_DAY)) is None


def test_the_longest_hold_counts() -> None:
    place = at_start(last_drip_at=NOW - AN_HOUR, recent=(NOW - AN_HOUR,))
    hold = held(place, house=House(weekly_cap=1))
    assert hold is not None
    assert hold.until == NOW - AN_HOUR + timedelta(days=7)


# --- the days of the practice -------------------------------------------------------------------

CHRISTMAS = House(closed=frozenset({date(2026, 12, 25), date(2026, 12, 26), date(2026, 12, 28)}))
ON_CHRISTMAS = datetime(2026, 12, 25, 9, 0, tzinfo=UTC)


def test_a_bank_holiday_holds_until_the_next_day_that_is_none() -> None:
    assert held(at_start(), ON_CHRISTMAS, CHRISTMAS) == Hold(
        datetime(2026, 12, 27, 8, 0, tzinfo=UTC), "Held: the practice is closed until 27 December."
    )


def test_quiet_hours_that_end_on_a_bank_holiday_are_told_as_one() -> None:
    hold = held(at_start(), datetime(2026, 12, 24, 21, 0, tzinfo=UTC), CHRISTMAS)
    assert hold is not None
    assert hold.why == "Held: the practice is closed until 27 December."


def test_an_absence_holds_until_she_is_back_past_days_off_beside_it() -> None:
    away = Absence(date(2027, 8, 1), date(2027, 8, 14))
    house = House(absences=(away,), closed=frozenset({date(2027, 8, 15)}))
    now = datetime(2027, 8, 3, 9, 0, tzinfo=UTC)
    assert held(at_start(), now, House(absences=(away,))) == Hold(
        datetime(2027, 8, 15, 7, 0, tzinfo=UTC), "Held: the practice is away until 15 August."
    )
    hold = held(at_start(), now, house)
    assert hold is not None
    assert hold.until == datetime(2027, 8, 16, 7, 0, tzinfo=UTC)


def test_some_sequences_go_on_over_days_off() -> None:
    sequence = series(FIRST, keeps_clinic_days=False)
    assert hold_for(sequence, FIRST, at_start(), ON_CHRISTMAS, CHRISTMAS) is None


def test_a_day_off_is_a_day_of_the_practice_not_of_the_reader() -> None:
    """It is still the 25th in Milton Keynes when it is the morning of the 26th in Auckland."""
    house = House(closed=frozenset({date(2026, 12, 25)}))
    auckland = at_start(zone="Pacific/Auckland")
    hold = held(auckland, datetime(2026, 12, 25, 20, 0, tzinfo=UTC), house)  # 09:00 on the 26th
    assert hold is not None
    assert hold.until == datetime(2026, 12, 26, 0, 0, tzinfo=UTC)
    before = datetime(2026, 12, 24, 20, 0, tzinfo=UTC)  # 09:00 on the 25th
    assert held(auckland, before, house) is None


# --- released spaced out ------------------------------------------------------------------------


def releases(now: datetime, house: House, place: Place | None = None) -> list[datetime]:
    holds = [held(replace(place or at_start(), handle=each), now, house) for each in PEOPLE]
    return sorted(hold.until for hold in holds if hold)


@pytest.mark.parametrize(
    "house", [SPREAD, replace(SPREAD, closed=frozenset({NIGHT.date()}))], ids=["night", "day off"]
)
def test_what_was_held_is_released_strewn_over_the_spread(house: House) -> None:
    times = releases(NIGHT, house)
    assert len(times) == len(PEOPLE)
    assert MORNING <= times[0] < times[-1] < MORNING + timedelta(minutes=30)
    assert max(later - earlier for earlier, later in pairwise(times)) < timedelta(minutes=3)


def test_what_the_cap_held_is_strewn_but_what_kept_its_gap_is_not() -> None:
    recent = at_start(recent=(NOW - timedelta(days=7) + AN_HOUR,))
    capped = releases(NOW, replace(SPREAD, weekly_cap=1), recent)
    assert NOW + AN_HOUR <= capped[0] < capped[-1] < NOW + AN_HOUR + SPREAD.spread
    assert len(set(capped)) > 100
    gapped = releases(NOW, SPREAD, at_start(last_drip_at=NOW - timedelta(hours=19)))
    assert set(gapped) == {NOW + AN_HOUR}


def test_a_person_is_strewn_to_the_same_minute_however_often_it_is_asked() -> None:
    first = held(at_start(), NIGHT, SPREAD)
    assert first == held(at_start(), NIGHT + timedelta(hours=5), SPREAD)
    assert first != held(at_start(handle=PEOPLE[9]), NIGHT, SPREAD)
    assert first is not None
    assert held(at_start(), first.until, SPREAD) is None


def test_the_spread_stays_inside_a_short_window() -> None:
    step = replace(FIRST, window=Window(time(9), time(9, 5)))
    house = House(spread=timedelta(hours=6))
    nine = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    released = set()
    for each in PEOPLE:
        hold = hold_for(series(step), step, at_start(handle=each), NIGHT, house)
        assert hold is not None
        assert nine <= hold.until < nine + timedelta(minutes=5)
        released.add(hold.until)
    assert len(released) > 100, "and is used in full"


def test_the_spread_does_not_run_into_a_day_off() -> None:
    """In Auckland the morning of the 25th is the evening of the 24th in Milton Keynes."""
    house = House(spread=timedelta(hours=6), closed=frozenset({date(2026, 12, 25)}))
    night = datetime(2026, 12, 24, 12, 0, tzinfo=UTC)
    opens, midnight = night + timedelta(hours=7), datetime(2026, 12, 25, 0, 0, tzinfo=UTC)
    for each in PEOPLE:
        hold = held(at_start(zone="Pacific/Auckland", handle=each), night, house)
        assert hold is not None
        assert opens <= hold.until < midnight


def test_nobody_in_particular_is_strewn_as_well() -> None:
    hold = held(at_start(handle=NOBODY), NIGHT, SPREAD)
    assert hold is not None
    assert MORNING <= hold.until < MORNING + SPREAD.spread


def test_a_mail_behind_one_on_its_way_is_foretold_however_wide_the_hours_are() -> None:
    wide = series(Step("first", Delay()), window=Window(time(6), time(23)))
    start = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
    found = forecast(wide, at_start(anchor_at=start, ahead=start), start, House())
    assert found is not None
    assert (found.at, found.hold) == (start + A_DAY, "Held: quiet hours until 06:00.")
