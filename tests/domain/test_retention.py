"""How far back a timer reaches."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel.domain.retention import months_before, years_before

FIRST = datetime(1990, 1, 1, tzinfo=UTC)
TIMES = st.timedeltas(timedelta(0), timedelta(days=40_000)).map(lambda passed: FIRST + passed)


@pytest.mark.parametrize(
    ("now", "months", "expected"),
    [
        ("2026-11-23T10:00", 12, "2025-11-23T10:00"),
        ("2026-01-15T10:00", 1, "2025-12-15T10:00"),
        ("2026-03-31T10:00", 1, "2026-02-28T10:00"),
        ("2028-03-31T10:00", 1, "2028-02-29T10:00"),
        ("2028-02-29T23:59", 24, "2026-02-28T23:59"),
        ("2026-12-01T00:00", 24, "2024-12-01T00:00"),
    ],
)
def test_months_are_those_of_the_calendar(now: str, months: int, expected: str) -> None:
    found = months_before(datetime.fromisoformat(f"{now}+00:00"), months)
    assert found == datetime.fromisoformat(f"{expected}+00:00")


def test_six_years_before_a_leap_day_end_with_february() -> None:
    leap_day = datetime(2028, 2, 29, 12, tzinfo=UTC)
    assert years_before(leap_day, 6) == datetime(2022, 2, 28, 12, tzinfo=UTC)


@given(TIMES, st.integers(1, 240))
def test_so_many_months_are_never_shorter_or_longer_than_they_can_be(
    now: datetime, months: int
) -> None:
    passed = now - months_before(now, months)
    assert timedelta(days=28 * months) <= passed <= timedelta(days=31 * months)


@given(TIMES, st.integers(1, 120))
def test_a_later_instant_never_reaches_further_back(now: datetime, months: int) -> None:
    later = now + timedelta(days=1)
    assert months_before(later, months) >= months_before(now, months)
