"""Complaints and bounces against the lines of the big mailbox providers."""

import pytest

from funnel.domain.deliverability import Light
from funnel.domain.meters import bounce_meter, complaint_meter


@pytest.mark.parametrize(
    ("reports", "delivered", "light"),
    [
        (0, 0, Light.UNKNOWN),
        (0, 999, Light.UNKNOWN),
        (3, 999, Light.UNKNOWN),
        (0, 1000, Light.GREEN),
        (1, 1001, Light.GREEN),
        (1, 1000, Light.AMBER),
        (2, 1000, Light.AMBER),
        (3, 1001, Light.AMBER),
        (3, 1000, Light.RED),
        (9, 2000, Light.RED),
    ],
)
def test_d4_reports_are_measured_against_one_and_three_in_a_thousand(
    reports: int, delivered: int, light: Light
) -> None:
    assert complaint_meter(reports, delivered).light is light


@pytest.mark.parametrize(
    ("bounces", "tried", "light"),
    [
        (9, 99, Light.UNKNOWN),
        (0, 100, Light.GREEN),
        (1, 100, Light.GREEN),
        (2, 100, Light.AMBER),
        (4, 100, Light.AMBER),
        (5, 100, Light.RED),
    ],
)
def test_bounces_are_measured_against_five_in_a_hundred(
    bounces: int, tried: int, light: Light
) -> None:
    assert bounce_meter(bounces, tried).light is light


def test_a_share_of_nothing_is_nothing() -> None:
    assert complaint_meter(0, 0).share == 0
