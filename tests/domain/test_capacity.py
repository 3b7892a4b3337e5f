"""Hours, backlog and growth, by hand."""

from datetime import UTC, date, datetime, timedelta

from funnel.domain.capacity import (
    GIGABYTE,
    ROW_BYTES,
    backlog_of,
    busiest_day,
    growth_of,
    hours_of,
    percentile,
)
from funnel.domain.schedule import zone_of

MIDNIGHT = datetime(2027, 6, 1, tzinfo=UTC)
ZONE = zone_of("Europe/London")  # an hour ahead in June


def _at(hour: int, minute: int = 0) -> datetime:
    return MIDNIGHT + timedelta(hours=hour, minutes=minute)


def test_the_peak_is_the_fullest_hour_and_empty_hours_count() -> None:
    found = hours_of({_at(7, 10): 100, _at(7, 50): 20, _at(9): 30}, MIDNIGHT, 1, ZONE)
    assert (found.peak, found.peak_at) == (120, _at(7))
    assert found.p95 == 30
    assert found.by_hour_of_day[8] == 120
    assert found.by_hour_of_day[10] == 30
    assert sum(found.by_hour_of_day) == 150


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([5, 1, 3, 2, 4], 0.95) == 5
    assert percentile(list(range(1, 101)), 0.95) == 95
    assert percentile([7], 0.95) == 7


def test_a_backlog_grows_while_more_falls_due_than_can_be_sent() -> None:
    found = backlog_of({_at(7, 10): 1000, _at(7, 20): 1000, _at(12): 300}, 1.0)
    assert found.peak_mails == 1400  # 600 of the first thousand have left by then
    assert found.peak_at == _at(7, 20)
    assert found.longest_wait_seconds == 1400


def test_a_day_is_the_practices_day() -> None:
    assert busiest_day({_at(22, 50): 5, _at(23, 10): 7}, ZONE) == (date(2027, 6, 2), 7)


def test_a_database_grows_by_its_rows() -> None:
    found = growth_of({"message": 1000, "attempt": 1000}, days=10, confirmed=3)
    size = 1000 * (ROW_BYTES["message"] + ROW_BYTES["attempt"])
    assert (found.bytes, found.bytes_a_day) == (size, size // 10)
    assert (found.days_until_1_gb - 1) * found.bytes_a_day < GIGABYTE
    assert found.days_until_1_gb * found.bytes_a_day >= GIGABYTE
