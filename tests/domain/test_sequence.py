"""A sequence as a value: the order of its steps, with and without those that are gone."""

import pytest

from funnel.domain.schedule import Delay
from funnel.domain.sequence import FACT_WORDS, Fact, Step, Way
from tests.support.sequences import FIRST, SECOND, series


def test_the_step_after_each_one_is_the_next_in_the_file() -> None:
    sequence = series(FIRST, SECOND)
    assert sequence.after(None) == FIRST
    assert sequence.after("first") == SECOND
    assert sequence.after("second") is None
    assert sequence.after("unheard-of") is None


def test_a_deleted_step_counts_as_the_one_before_it() -> None:
    sequence = series(FIRST, SECOND, gone={"between": "first", "opening": None})
    assert sequence.after("between") == SECOND
    assert sequence.after("opening") == FIRST


def test_a_step_is_found_by_its_key() -> None:
    assert series(FIRST, SECOND).step("second") == SECOND
    assert series(FIRST).step("second") is None
    assert series(FIRST).step(None) is None


def test_each_step_has_a_key_of_its_own() -> None:
    with pytest.raises(ValueError, match="a key of its own"):
        series(FIRST, SECOND, FIRST)


@pytest.mark.parametrize("onto", ["first", "fork", "unheard-of"])
def test_a_fork_never_leads_back(onto: str) -> None:
    fork = Step("fork", Delay(), ways=(Way(onto),))
    with pytest.raises(ValueError, match="never back"):
        series(FIRST, fork, SECOND)


def test_every_fact_can_be_told_in_words() -> None:
    assert set(FACT_WORDS) == set(Fact)
