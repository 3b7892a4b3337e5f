"""When a mail is due: wall times, daylight saving, windows."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel.domain.schedule import (
    DAYTIME,
    DEFAULT_ZONE,
    Delay,
    Window,
    due_after,
    local_instant,
    next_opening,
    zone_of,
)

LONDON = ZoneInfo("Europe/London")
APIA = ZoneInfo("Pacific/Apia")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
NEW_YORK = ZoneInfo("America/New_York")
ZONE_NAMES = sorted(name for name in available_timezones() if "/" in name)

zones = st.sampled_from(ZONE_NAMES).map(ZoneInfo)
instants = st.datetimes(
    min_value=datetime.fromisoformat("2024-01-01"),
    max_value=datetime.fromisoformat("2031-12-31"),
    timezones=st.just(UTC),
)
wall_times = st.builds(time, st.integers(0, 23), st.integers(0, 59))
delays = st.builds(Delay, days=st.integers(0, 40), minutes=st.integers(0, 3000))
weekday_sets = st.frozensets(st.integers(0, 6))


@st.composite
def windows(draw: st.DrawFn) -> Window:
    opens, closes = sorted(draw(st.tuples(wall_times, wall_times).filter(lambda t: t[0] != t[1])))
    return Window(opens, closes)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]  # parts of a datetime


@pytest.mark.parametrize(
    ("zone", "day", "at", "instant"),
    [
        # The clocks skip it: the first valid minute after the gap.
        (LONDON, date(2027, 3, 28), time(1, 30), utc(2027, 3, 28, 1, 0)),
        (LONDON, date(2027, 3, 28), time(1, 0), utc(2027, 3, 28, 1, 0)),
        (LONDON, date(2027, 3, 28), time(1, 59), utc(2027, 3, 28, 1, 0)),
        (LONDON, date(2027, 3, 28), time(0, 59), utc(2027, 3, 28, 0, 59)),
        (LONDON, date(2027, 3, 28), time(2, 0), utc(2027, 3, 28, 1, 0)),
        (NEW_YORK, date(2027, 3, 14), time(2, 30), utc(2027, 3, 14, 7, 0)),
        (LORD_HOWE, date(2026, 10, 4), time(2, 15), utc(2026, 10, 3, 15, 30)),
        # It comes twice: the first one.
        (LONDON, date(2026, 10, 25), time(1, 30), utc(2026, 10, 25, 0, 30)),
        (NEW_YORK, date(2026, 11, 1), time(1, 30), utc(2026, 11, 1, 5, 30)),
        (LORD_HOWE, date(2027, 4, 4), time(1, 45), utc(2027, 4, 3, 14, 45)),
        # A whole day that Samoa never had.
        (APIA, date(2011, 12, 30), time(9, 0), utc(2011, 12, 30, 10, 0)),
        # Plain days, both sides of the changes.
        (LONDON, date(2026, 10, 24), time(9, 0), utc(2026, 10, 24, 8, 0)),
        (LONDON, date(2026, 10, 25), time(9, 0), utc(2026, 10, 25, 9, 0)),
        (LONDON, date(2027, 3, 27), time(9, 0), utc(2027, 3, 27, 9, 0)),
        (LONDON, date(2027, 3, 28), time(9, 0), utc(2027, 3, 28, 8, 0)),
        (LONDON, date(2028, 2, 29), time(9, 0), utc(2028, 2, 29, 9, 0)),
        (LONDON, date(2027, 1, 1), time(0, 0), utc(2027, 1, 1, 0, 0)),
        (ZoneInfo("Asia/Kathmandu"), date(2027, 1, 1), time(9, 0), utc(2027, 1, 1, 3, 15)),
    ],
)
def test_a_wall_time_names_one_instant(
    zone: ZoneInfo, day: date, at: time, instant: datetime
) -> None:
    assert local_instant(day, at, zone) == instant


@pytest.mark.parametrize(
    ("anchor", "hours"),
    [
        (utc(2026, 10, 24, 8, 0), 25),  # the autumn day has 25 hours
        (utc(2027, 3, 27, 9, 0), 23),  # the spring day has 23
        (utc(2026, 12, 31, 9, 0), 24),
        (utc(2028, 2, 28, 9, 0), 24),
    ],
)
def test_a_day_later_is_the_same_wall_time_however_long_the_day(
    anchor: datetime, hours: int
) -> None:
    due = due_after(anchor, Delay(days=1), LONDON, at=time(9, 0))
    assert due - anchor == timedelta(hours=hours)
    assert due.astimezone(LONDON).time() == time(9, 0)


def test_a_day_after_a_leap_day_eve_is_the_leap_day() -> None:
    due = due_after(utc(2028, 2, 28, 20, 0), Delay(days=1), LONDON, at=time(8, 10))
    assert due.astimezone(LONDON).date() == date(2028, 2, 29)


def test_a_mail_of_the_same_day_whose_hour_is_over_waits_for_the_next_day() -> None:
    due = due_after(utc(2026, 12, 1, 10, 0), Delay(), LONDON, at=time(8, 10))
    assert due == utc(2026, 12, 2, 8, 10)


def test_minutes_are_kept_in_full_where_the_hour_comes_twice() -> None:
    anchor = utc(2026, 10, 25, 0, 45)  # 01:45 summer time, a quarter before the clocks go back
    assert due_after(anchor, Delay(minutes=30), LONDON) == anchor + timedelta(minutes=30)


def test_minutes_count_before_the_wall_time_is_looked_for() -> None:
    due = due_after(utc(2026, 12, 1, 7, 0), Delay(minutes=120), LONDON, at=time(8, 10))
    assert due == utc(2026, 12, 2, 8, 10)


def test_midnight_is_a_wall_time_like_any_other() -> None:
    due = due_after(utc(2026, 12, 1, 10, 0), Delay(days=1), LONDON, at=time(0, 0))
    assert due == utc(2026, 12, 2, 0, 0)


@given(anchor=instants, delay=delays, zone=zones, at=st.none() | wall_times, days=weekday_sets)
def test_due_is_never_before_the_anchor_and_its_minutes(
    anchor: datetime, delay: Delay, zone: ZoneInfo, at: time | None, days: frozenset[int]
) -> None:
    due = due_after(anchor, delay, zone, at=at, weekdays=days)
    assert due >= anchor + timedelta(minutes=delay.minutes)
    assert due.utcoffset() == timedelta(0)


@given(anchor=instants, delay=delays, zone=zones, at=wall_times, days=weekday_sets)
def test_due_has_the_wall_time_and_weekday_that_were_asked_for(
    anchor: datetime, delay: Delay, zone: ZoneInfo, at: time, days: frozenset[int]
) -> None:
    local = due_after(anchor, delay, zone, at=at, weekdays=days).astimezone(zone)
    if local.time() != at:
        assert _falls_in_a_gap(local.date(), at, zone), "only a skipped time may move"
    if days:
        assert local.weekday() in days


@given(anchor=instants, days=st.integers(0, 40), zone=zones, at=wall_times)
def test_whole_days_are_days_of_the_local_calendar(
    anchor: datetime, days: int, zone: ZoneInfo, at: time
) -> None:
    local = due_after(anchor, Delay(days=days), zone, at=at).astimezone(zone)
    passed = (local.date() - anchor.astimezone(zone).date()).days
    assert passed == days or (passed == days + 1 and days == 0)


@given(anchor=instants, minutes=st.integers(0, 3000), zone=zones)
def test_minutes_alone_are_minutes_of_the_clock(
    anchor: datetime, minutes: int, zone: ZoneInfo
) -> None:
    assert due_after(anchor, Delay(minutes=minutes), zone) == anchor + timedelta(minutes=minutes)


@given(when=instants, zone=zones, window=windows())
def test_an_opening_is_inside_the_window_and_never_earlier(
    when: datetime, zone: ZoneInfo, window: Window
) -> None:
    opening = next_opening(when, zone, window)
    assert opening >= when
    assert window.holds(opening.astimezone(zone).time())


@given(when=instants, zone=zones)
def test_daytime_opens_within_a_day(when: datetime, zone: ZoneInfo) -> None:
    assert next_opening(when, zone, DAYTIME) - when <= timedelta(hours=14)


@given(when=instants, zone=zones, window=windows())
def test_no_opening_is_passed_over(when: datetime, zone: ZoneInfo, window: Window) -> None:
    opening = next_opening(when, zone, window)
    quarter = timedelta(minutes=15)
    looked = when
    while looked < min(opening, when + timedelta(days=2)):
        assert not window.holds(looked.astimezone(zone).time())
        looked += quarter


@pytest.mark.parametrize(
    ("window", "when", "opening"),
    [
        (Window(time(8), time(20)), utc(2026, 12, 1, 7, 59), utc(2026, 12, 1, 8, 0)),
        (Window(time(8), time(20)), utc(2026, 12, 1, 8, 0), utc(2026, 12, 1, 8, 0)),
        (Window(time(8), time(20)), utc(2026, 12, 1, 20, 0), utc(2026, 12, 2, 8, 0)),
        # It opens in the skipped hour, and the whole of it is skipped.
        (Window(time(1, 10), time(1, 40)), utc(2027, 3, 28, 0, 0), utc(2027, 3, 29, 0, 10)),
        # It opens in the hour that comes twice, and opens a second time.
        (Window(time(1, 30), time(20)), utc(2026, 10, 25, 1, 15), utc(2026, 10, 25, 1, 30)),
    ],
)
def test_window_edges(window: Window, when: datetime, opening: datetime) -> None:
    assert next_opening(when, LONDON, window) == opening


def _falls_in_a_gap(day: date, at: time, zone: ZoneInfo) -> bool:
    wall = datetime.combine(day, at)
    back = wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None)
    previous = wall - timedelta(days=1)  # a skipped day moves the date as well
    skipped = previous.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None)
    return back != wall or skipped != previous


@pytest.mark.parametrize(
    "name",
    [None, "", "Mars/Olympus", "Europe", "../../etc/passwd", "/etc/passwd", "a" * 5000, "x\0y",
     "Europe/London\n", "\ud800", "zone.tab", "leapseconds", "..", ".", "Europe//London/x"],
)  # fmt: skip
def test_an_unknown_zone_is_the_practices_own(name: str | None) -> None:
    assert zone_of(name).key == DEFAULT_ZONE


def test_a_known_zone_is_kept() -> None:
    assert zone_of("Asia/Tokyo").key == "Asia/Tokyo"


@pytest.mark.parametrize("delay", [{"days": -1}, {"minutes": -1}])
def test_a_delay_does_not_run_backwards(delay: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="backwards"):
        Delay(**delay)


@pytest.mark.parametrize("hours", [(20, 8), (8, 8)])
def test_a_window_opens_before_it_closes(hours: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="opens before"):
        Window(time(hours[0]), time(hours[1]))
