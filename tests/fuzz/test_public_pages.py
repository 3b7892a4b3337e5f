"""A crowd at the public pages: a few histories each time, ten thousand with `make fuzz`."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.fuzz.crowd import Crowd

HISTORIES, STEPS = 20, 12


@pytest.fixture(autouse=True)
def swept() -> Iterator[None]:
    yield
    Crowd.sweep()


def test_whatever_a_crowd_does_in_whatever_order_what_must_hold_holds() -> None:
    run_state_machine_as_test(
        Crowd,
        settings=settings(
            max_examples=HISTORIES,
            stateful_step_count=STEPS,
            suppress_health_check=list(HealthCheck),
        ),
    )
