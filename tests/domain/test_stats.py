"""Rates of small groups and the weeks they are counted in."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel.domain.sequence import Fact
from funnel.domain.stats import (
    Rate,
    StepCount,
    StepRule,
    same_time_last_week,
    weakest,
    week_start,
    week_starts,
    wilson,
)

LONDON = ZoneInfo("Europe/London")


@pytest.mark.parametrize(
    ("did", "could", "low", "high"),
    [
        # Wilson (1927), worked by hand with z = 1.96 and checked against published tables.
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (5, 10, 0.2366, 0.7634),
        (52, 117, 0.3576, 0.5349),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_wilson_interval_agrees_with_hand_worked_values(
    did: int, could: int, low: float, high: float
) -> None:
    assert wilson(did, could) == pytest.approx((low, high), abs=5e-4)


def test_nobody_asked_means_anything_is_possible() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert Rate(0, 0).share == 0.0


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_interval_holds_the_observed_share(counts: tuple[int, int]) -> None:
    rate = Rate(*counts)
    assert 0.0 <= rate.low <= rate.share + 1e-9
    assert rate.share - 1e-9 <= rate.high <= 1.0


def test_a_rate_is_early_under_thirty_people() -> None:
    assert Rate(29, 29).is_early
    assert not Rate(1, 30).is_early


def test_more_cannot_do_a_thing_than_could_have() -> None:
    with pytest.raises(ValueError, match="not more can do"):
        Rate(3, 2)


def _step(fact: Fact, did: int, could: int) -> StepCount:
    return StepCount(StepRule(fact, Fact.REQUESTED), did, Rate(did, could))


def test_weakest_step_is_the_lowest_known_rate_up_to_finishing() -> None:
    steps = [
        _step(Fact.CONFIRMED, 80, 100),
        _step(Fact.JOINED, 20, 60),
        _step(Fact.COMPLETED, 1, 29),
        _step(Fact.WAITLISTED, 1, 100),
    ]
    found = weakest(steps)
    assert found is not None
    assert found.rule.fact is Fact.JOINED


def test_there_is_no_weakest_step_while_all_rates_are_early() -> None:
    assert weakest([_step(Fact.CONFIRMED, 3, 29)]) is None


def test_week_begins_on_the_local_monday_not_the_utc_one() -> None:
    # 00:30 on Monday 6 July in London is still Sunday in UTC.
    now = datetime(2026, 7, 5, 23, 30, tzinfo=UTC)
    assert week_start(now, LONDON) == datetime(2026, 7, 5, 23, 0, tzinfo=UTC)


def test_weeks_keep_local_midnight_across_the_clock_change() -> None:
    now = datetime(2026, 11, 4, 12, 0, tzinfo=UTC)
    assert week_starts(now, LONDON, 3) == (
        datetime(2026, 10, 18, 23, 0, tzinfo=UTC),
        datetime(2026, 10, 26, 0, 0, tzinfo=UTC),
        datetime(2026, 11, 2, 0, 0, tzinfo=UTC),
    )


def test_same_time_last_week_is_the_same_wall_time() -> None:
    # The clocks went back on 25 October 2026: seven local days were 169 hours.
    now = datetime(2026, 10, 28, 9, 0, tzinfo=UTC)
    assert same_time_last_week(now, LONDON) == datetime(2026, 10, 21, 8, 0, tzinfo=UTC)
