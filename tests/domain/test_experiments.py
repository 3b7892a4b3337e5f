"""Tests of words: everybody keeps their arm, and the arms get the shares they are meant to."""

from collections import Counter
from dataclasses import replace
from uuid import UUID

import pytest

from funnel.domain.experiments import arm_of, share
from funnel.domain.sequence import Step
from tests.support.sequences import FIRST

PEOPLE = [UUID(int=number) for number in range(4000)]


def tried(*arms: tuple[str, int]) -> Step:
    return replace(FIRST, variants=arms)


def arms_of(step: Step, sequence: str = "nurture") -> list[str | None]:
    return [arm_of(step, sequence=sequence, handle=person) for person in PEOPLE]


def test_a_step_without_a_test_has_no_arm() -> None:
    assert arm_of(FIRST, sequence="nurture", handle=PEOPLE[0]) is None


def test_a_person_keeps_the_arm_in_every_process_of_every_release() -> None:
    step = tried(("a", 1), ("b", 1))
    assert "".join(str(arm) for arm in arms_of(step)[:12]) == "baabbabbabba"


@pytest.mark.parametrize("weights", [(1, 1), (1, 3), (5, 3, 2)])
def test_arms_are_shared_out_by_weight(weights: tuple[int, ...]) -> None:
    counted = Counter(arms_of(tried(*((f"arm-{at}", each) for at, each in enumerate(weights)))))
    for at, weight in enumerate(weights):
        assert abs(counted[f"arm-{at}"] / len(PEOPLE) - weight / sum(weights)) < 0.03


def test_one_test_does_not_decide_another() -> None:
    step = tried(("a", 1), ("b", 1))
    for other in (arms_of(replace(step, key="second")), arms_of(step, "programme")):
        same = sum(one == two for one, two in zip(arms_of(step), other, strict=True))
        assert abs(same / len(PEOPLE) - 0.5) < 0.05


def test_a_share_is_less_than_the_whole() -> None:
    shares = [share(person) for person in PEOPLE]
    assert 0 <= min(shares) < 0.01
    assert 0.99 < max(shares) < 1
