"""When the series is held for too many complaints or bounces."""

import pytest

from funnel.domain.brake import Tally

WELL = Tally(mails=1000, reports=0, tried=200, bounces=0)


@pytest.mark.parametrize(
    ("mails", "reports", "holds", "alarms"),
    [
        (1000, 0, False, False),
        (1000, 1, False, True),
        (1000, 2, False, True),
        (1000, 3, True, True),
        (40, 1, False, True),
        (40, 2, False, True),
        (40, 3, True, True),
        (0, 0, False, False),
    ],
)
def test_reports_of_spam(mails: int, reports: int, *, holds: bool, alarms: bool) -> None:
    tally = Tally(mails, reports, 200, 0)
    assert (tally.why_hold() is not None) == holds
    assert tally.is_alarming == alarms


@pytest.mark.parametrize(
    ("tried", "bounces", "holds"),
    [(200, 9, False), (200, 10, True), (100, 5, True), (20, 4, False), (20, 5, True)],
)
def test_bounces(tried: int, bounces: int, *, holds: bool) -> None:
    assert (Tally(1000, 0, tried, bounces).why_hold() is not None) == holds


def test_it_says_why_in_figures() -> None:
    assert WELL.why_hold() is None
    assert Tally(1000, 3, 200, 0).why_hold() == "3 of the last 1,000 mails were reported as spam."
    assert Tally(1000, 0, 200, 12).why_hold() == "12 of the last 200 mails bounced."
