"""The clock that tests and the demo move."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from funnel.domain.clock import ManualClock, require_utc

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def test_it_stands_still_until_it_is_moved() -> None:
    clock = ManualClock(START)
    assert clock.now() == clock.machine() == START
    assert clock.advance(timedelta(hours=2)) == START + timedelta(hours=2)
    assert clock.now() == clock.machine() == START + timedelta(hours=2)


def test_its_time_since_the_start_of_the_machine_moves_with_it() -> None:
    clock = ManualClock(START)
    before = clock.boot_seconds()
    clock.advance(timedelta(seconds=90))
    assert clock.boot_seconds() - before == 90


def test_it_never_runs_backwards() -> None:
    clock = ManualClock(START)
    with pytest.raises(ValueError, match="forward"):
        clock.advance(timedelta(seconds=-1))
    with pytest.raises(ValueError, match="forward"):
        clock.move_to(START - timedelta(seconds=1))
    assert clock.now() == START


def test_it_moves_to_an_instant_of_any_zone() -> None:
    clock = ManualClock(START)
    clock.move_to(datetime(2026, 11, 23, 12, 0, tzinfo=ZoneInfo("Europe/Athens")))
    assert clock.now() == START
    clock.move_to(datetime(2026, 11, 23, 13, 0, tzinfo=ZoneInfo("Europe/Athens")))
    assert clock.now() == START + timedelta(hours=1)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        require_utc(datetime(2026, 11, 23, 10, 0))  # noqa: DTZ001 - the naive one is the test
    with pytest.raises(ValueError, match="zone"):
        ManualClock(datetime(2026, 11, 23, 10, 0))  # noqa: DTZ001 - as above


def test_any_zone_becomes_utc() -> None:
    there = datetime(2026, 7, 1, 10, 0, tzinfo=ZoneInfo("Europe/London"))
    assert require_utc(there) == datetime(2026, 7, 1, 9, 0, tzinfo=UTC)
    assert require_utc(there).tzinfo is UTC
