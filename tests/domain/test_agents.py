"""Telling machines by what they say of themselves."""

import pytest

from funnel.domain.agents import is_machine
from tests.support.scanners import BROWSERS, SCANNERS, Scanner


def test_there_are_thirty_scanners_each_with_where_it_is_known_from() -> None:
    assert len({scanner.agent for scanner in SCANNERS}) == 30
    assert all(scanner.known_from for scanner in SCANNERS)


@pytest.mark.parametrize("scanner", SCANNERS, ids=lambda scanner: scanner.agent[:30] or "nothing")
def test_whoever_owns_up_to_be_a_machine_is_one(scanner: Scanner) -> None:
    assert is_machine(scanner.agent) == scanner.owns_up


@pytest.mark.parametrize("agent", BROWSERS)
def test_a_browser_of_a_person_is_none(agent: str) -> None:
    assert not is_machine(agent)
