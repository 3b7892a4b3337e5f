"""Which day of the challenge is open, done and next."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel.domain.challenge import DayStatus, day_statuses, is_complete

# Late on the evening of Monday 23 November, in London.
JOINED = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
instants = st.datetimes(
    datetime.fromisoformat("2026-01-01"),
    datetime.fromisoformat("2028-01-01"),
    timezones=st.just(UTC),
)


def days_at(
    passed: timedelta, done: frozenset[int] = frozenset(), zone: str | None = "Europe/London"
) -> tuple[DayStatus, ...]:
    return day_statuses(days=5, joined_at=JOINED, done=done, zone=zone, now=JOINED + passed)


def opened(statuses: tuple[DayStatus, ...]) -> list[int]:
    return [day.number for day in statuses if day.is_open]


@pytest.mark.parametrize(
    ("passed", "days"),
    [
        (timedelta(0), [1]),
        (timedelta(minutes=29), [1]),
        (timedelta(minutes=30), [1, 2]),
        (timedelta(hours=24, minutes=30), [1, 2, 3]),
        (timedelta(days=4), [1, 2, 3, 4, 5]),
        (timedelta(days=400), [1, 2, 3, 4, 5]),
    ],
)
def test_a_day_opens_at_each_local_midnight_and_stays_open(
    passed: timedelta, days: list[int]
) -> None:
    assert opened(days_at(passed)) == days


def test_midnight_is_the_persons_own() -> None:
    assert opened(days_at(timedelta(minutes=30), zone="America/New_York")) == [1]
    assert opened(days_at(timedelta(hours=5, minutes=30), zone="America/New_York")) == [1, 2]


def test_the_night_of_the_clock_change_opens_one_day_only() -> None:
    joined = datetime(2026, 10, 24, 10, 0, tzinfo=UTC)
    for hours, days in [(12, [1]), (13, [1, 2]), (37, [1, 2]), (38, [1, 2, 3])]:
        now = joined + timedelta(hours=hours)
        found = day_statuses(
            days=5, joined_at=joined, done=frozenset(), zone="Europe/London", now=now
        )
        assert opened(found) == days


def test_today_is_the_first_open_day_not_yet_done() -> None:
    found = days_at(timedelta(days=3), frozenset({1, 3}))
    assert [day.number for day in found if day.is_today] == [2]
    assert [day.number for day in found if day.is_done] == [1, 3]


def test_there_is_no_today_when_all_open_days_are_done() -> None:
    found = days_at(timedelta(days=1), frozenset({1, 2}))
    assert not any(day.is_today for day in found)


@given(
    joined=instants,
    passed=st.timedeltas(timedelta(0), timedelta(days=30)),
    done=st.frozensets(st.integers(1, 5)),
    zone=st.sampled_from(["Europe/London", "Pacific/Apia", "America/New_York", None]),
)
def test_open_days_are_a_run_from_the_first(
    joined: datetime, passed: timedelta, done: frozenset[int], zone: str | None
) -> None:
    found = day_statuses(days=5, joined_at=joined, done=done, zone=zone, now=joined + passed)
    assert opened(found) == list(range(1, len(opened(found)) + 1))
    assert found[0].is_open
    assert sum(day.is_today for day in found) <= 1
    assert all(day.is_open and not day.is_done for day in found if day.is_today)


@pytest.mark.parametrize(
    ("done", "is_over"),
    [
        (frozenset(), False),
        (frozenset({1, 2, 3, 4}), False),
        (frozenset({1, 2, 3, 4, 5}), True),
        (frozenset({1, 2, 3, 4, 5, 6}), True),
        (frozenset({2, 3, 4, 5, 6}), False),
    ],
)
def test_it_is_complete_when_every_day_is_done(done: frozenset[int], is_over: bool) -> None:
    assert is_complete(5, done) is is_over
