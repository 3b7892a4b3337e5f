"""The two weeks for every order that a pattern may have."""

from itertools import permutations

import pytest

from blueprint.plan import two_weeks
from blueprint.words import load

WORDS = load()
ORDERS = [tuple(map(WORDS.technique, keys)) for keys in permutations(WORDS.order)]


def test_two_begin_at_once_and_the_others_one_by_one() -> None:
    for order in ORDERS:
        plan = two_weeks(WORDS.plan, order)
        assert [row.technique for row in plan.rows] == list(order)
        assert [row.begins for row in plan.rows] == [1, 1, 4, 5, 8]
        assert plan.begins(order[4].key) == 8


def test_what_has_begun_goes_on_every_day_but_the_day_of_the_walk() -> None:
    plan = two_weeks(WORDS.plan, ORDERS[0])
    assert sorted(plan.rows[0].days) == [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14]
    assert sorted(plan.rows[3].days) == [5, 6, 8, 9, 10, 11, 12, 13, 14]
    assert plan.days == range(1, 15)


def test_the_stages_name_each_technique_once_in_any_order() -> None:
    for order in ORDERS:
        text = " ".join(stage.text for stage in two_weeks(WORDS.plan, order).stages)
        places = [text.index(technique.phrase) for technique in order]
        assert places == sorted(places)
        assert all(text.count(technique.phrase) == 1 for technique in order)
        assert "{" not in text


def test_a_new_technique_is_added_only_while_legs_are_calm() -> None:
    _, two_more, all_five, _ = (stage.text for stage in WORDS.plan.stages)
    assert two_more.startswith("Calm so far, legs too? Add")
    assert (
        "only if everything so far feels calm, legs too; else stay with what you have" in all_five
    )


def test_the_plan_knows_the_day_of_the_walk() -> None:
    assert two_weeks(WORDS.plan, ORDERS[0]).walk == WORDS.plan.walk


def test_an_order_that_lacks_a_technique_has_no_plan() -> None:
    with pytest.raises(ValueError, match="zip"):
        two_weeks(WORDS.plan, ORDERS[0][:4])
