"""The right local hour over every change of the clocks, of every zone, from 2024 to 2030."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest

from funnel.domain.decision import next_step
from funnel.domain.schedule import Delay, Window
from funnel.domain.sequence import Place, Send, Step, Wait
from tests.support.sequences import series

FIRST_DAY = datetime(2024, 1, 1, tzinfo=UTC)
LAST_DAY = datetime(2031, 1, 1, tzinfo=UTC)
A_DAY, A_SECOND = timedelta(days=1), timedelta(seconds=1)
ALL_DAY = Window(time(0), time(23, 59, 59))
EVERY_HALF_HOUR = [time(hour, minute) for hour in range(24) for minute in (0, 30)]
SOME_HOURS = [time(0, 15), time(8, 10), time(23, 30)]


@dataclass(frozen=True)
class Change:
    """The clocks jump from one offset to another at an instant."""

    at: datetime
    before: timedelta
    after: timedelta


def offset(when: datetime, zone: ZoneInfo) -> timedelta:
    return when.astimezone(zone).utcoffset() or timedelta(0)


def changes_of(zone: ZoneInfo) -> Iterator[Change]:
    days = (FIRST_DAY + number * A_DAY for number in range((LAST_DAY - FIRST_DAY).days + 1))
    for (day, before), (_, after) in pairwise((day, offset(day, zone)) for day in days):
        if before != after:
            yield _exactly(day, zone)


def _exactly(low: datetime, zone: ZoneInfo) -> Change:
    before, high = offset(low, zone), low + A_DAY
    while high - low > A_SECOND:
        middle = (low + (high - low) / 2).replace(microsecond=0)
        low, high = (middle, high) if offset(middle, zone) == before else (low, middle)
    return Change(high, before, offset(high, zone))


@pytest.fixture(scope="module")
def groups() -> dict[tuple[Change, ...], list[str]]:
    """The zones whose clocks change alike, by their changes."""
    found: dict[tuple[Change, ...], list[str]] = defaultdict(list)
    for name in sorted(available_timezones()):
        found[tuple(changes_of(ZoneInfo(name)))].append(name)
    return found


def test_the_changes_of_every_zone_are_known(
    groups: dict[tuple[Change, ...], list[str]],
) -> None:
    named = {name: changes for changes, names in groups.items() for name in names}
    assert len(named) > 500
    assert named["Asia/Tokyo"] == ()
    london = [each.at for each in named["Europe/London"]]
    assert len(london) == 14
    assert datetime(2027, 3, 28, 1, 0, tzinfo=UTC) in london
    assert datetime(2026, 10, 25, 1, 0, tzinfo=UTC) in london
    assert any(
        each.after - each.before == timedelta(minutes=30) for each in named["Australia/Lord_Howe"]
    )


def test_every_mail_has_its_local_hour_on_the_days_the_clocks_change(
    groups: dict[tuple[Change, ...], list[str]],
) -> None:
    tried = 0
    for changes, (name, *_) in groups.items():
        zone = ZoneInfo(name)
        for change in changes:
            day = change.at.astimezone(zone).date()
            for passed, times in ((-1, SOME_HOURS), (0, EVERY_HALF_HOUR), (1, SOME_HOURS)):
                for at in times:
                    _comes_at(day + timedelta(days=passed), at, zone, change)
                    tried += 1
    assert tried > 10_000


def _comes_at(day: date, at: time, zone: ZoneInfo, change: Change) -> None:
    """A mail that is due on this day at this hour goes then, and not a moment earlier."""
    anchor = datetime.combine(day - 2 * A_DAY, time(12), tzinfo=UTC)
    local = anchor.astimezone(zone).date()
    step = Step("step", Delay(days=(day - local).days), at)
    sequence = series(step, window=ALL_DAY)
    place = Place(anchor, None, frozenset(), zone.key)
    decision = next_step(sequence, place, anchor)
    assert isinstance(decision, Wait)
    _is_right(decision.until, day, at, zone, change)
    assert isinstance(next_step(sequence, place, decision.until - A_SECOND), Wait)
    assert isinstance(next_step(sequence, place, decision.until), Send)


def _is_right(until: datetime, day: date, at: time, zone: ZoneInfo, change: Change) -> None:
    local = until.astimezone(zone)
    wall = datetime.combine(day, at)
    end_of_gap = (change.at + change.after).replace(tzinfo=None)
    if (change.at + change.before).replace(tzinfo=None) <= wall < end_of_gap:
        assert until == change.at, "an hour that is skipped: the first minute after it"
    else:
        assert local.replace(tzinfo=None) == wall
        assert local.fold == 0, "an hour that comes twice: the first of the two"


def test_quiet_hours_end_at_the_readers_eight_on_the_days_the_clocks_change(
    groups: dict[tuple[Change, ...], list[str]],
) -> None:
    sequence = series(Step("step", Delay()))
    for changes, (name, *_) in groups.items():
        zone = ZoneInfo(name)
        for change in changes:
            eve = change.at - timedelta(hours=26)
            for hours in range(0, 52, 2):
                now = eve + timedelta(hours=hours)
                decision = next_step(sequence, Place(now, None, frozenset(), name), now)
                if isinstance(decision, Send):
                    assert 8 <= now.astimezone(zone).hour < 20
                else:
                    assert isinstance(decision, Wait)
                    assert decision.until.astimezone(zone).time() == time(8)
                    assert decision.until - now <= timedelta(hours=15)


@pytest.mark.parametrize(
    ("anchor", "delay", "due"),
    [
        ((2028, 2, 28, 12), Delay(days=1), (2028, 2, 29, 8, 10)),  # a leap day
        ((2028, 2, 29, 12), Delay(days=1), (2028, 3, 1, 8, 10)),
        ((2027, 2, 28, 12), Delay(days=1), (2027, 3, 1, 8, 10)),
        ((2028, 2, 29, 12), Delay(days=366), (2029, 3, 1, 8, 10)),
        ((2026, 12, 31, 12), Delay(days=1), (2027, 1, 1, 8, 10)),  # a year's end
        ((2026, 12, 31, 23, 59), Delay(minutes=1), (2027, 1, 1, 8, 10)),
        ((2027, 3, 27, 12), Delay(days=1), (2027, 3, 28, 7, 10)),  # the clocks go forward
        ((2027, 10, 30, 12), Delay(days=1), (2027, 10, 31, 8, 10)),  # and back
    ],
)
def test_days_are_days_of_the_calendar(
    anchor: tuple[int, ...], delay: Delay, due: tuple[int, ...]
) -> None:
    start = datetime(*anchor, tzinfo=UTC)  # type: ignore[arg-type, misc]  # parts of a datetime
    step = Step("step", delay, time(8, 10))
    decision = next_step(series(step), Place(start, None, frozenset(), "Europe/London"), start)
    assert isinstance(decision, Wait)
    assert decision.until == datetime(*due, tzinfo=UTC)  # type: ignore[arg-type, misc]  # as above


def test_a_mail_for_tuesday_in_the_week_the_clocks_change_comes_on_tuesday_at_its_hour() -> None:
    saturday = datetime(2027, 3, 27, 12, 0, tzinfo=UTC)
    step = Step(
        "step", Delay(days=1), time(18, 30), frozenset({1}), window=Window(time(18), time(20))
    )
    decision = next_step(
        series(step), Place(saturday, None, frozenset(), "Europe/London"), saturday
    )
    assert isinstance(decision, Wait)
    assert decision.until == datetime(2027, 3, 30, 17, 30, tzinfo=UTC)
