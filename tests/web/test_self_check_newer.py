"""A newer self-check meets a page of an older one: what is known is kept, the rest left out."""

import pytest

from funnel.web import so_far
from funnel.web.so_far import SOON, URGENT, SoFar
from tests.support.front_door import Door
from tests.support.self_check import Walker, answers_for


@pytest.fixture
def walker(door: Door) -> Walker:
    return Walker(door).pass_the_gate()


def put(walker: Walker, at: str, answers: dict[str, str]) -> Walker:
    """A page of an older version of the questions, sent with the answer of its screen."""
    state = SoFar(at, answers, {"utm_source": "poster"})
    return walker.post(so_far=so_far.seal(walker.door.rt.links, state), answer="desk", go="next")


def test_answers_that_the_questions_no_longer_have_are_left_out(walker: Walker) -> None:
    put(walker, "sitting", {"gone": "desk", "rise": "gone", "glutes": "back"})
    seen = so_far.unseal(walker.door.rt.links, walker.sealed, walker.check)
    assert seen == SoFar("rise", {"sitting": "desk", "glutes": "back"}, {"utm_source": "poster"})


def test_a_question_that_is_gone_gives_way_to_the_first_without_an_answer(walker: Walker) -> None:
    put(walker, "gone", {"sitting": "desk"})
    assert walker.status == 422
    assert walker.question() == walker.check.questions[1]


def test_the_result_waits_for_a_question_that_is_new(walker: Walker) -> None:
    answers = answers_for(walker.check, "desk-hips")
    last = walker.check.questions[-1]
    del answers["glutes"]
    state = so_far.seal(walker.door.rt.links, SoFar(last.key, answers, {}))
    walker.post(so_far=state, answer=answers[last.key], go="next")
    assert walker.question().key == "glutes"


@pytest.mark.parametrize("at", [URGENT, SOON])
def test_no_question_has_the_name_of_another_screen(walker: Walker, at: str) -> None:
    assert not any(question.key.startswith("#") for question in walker.check.questions)
    put(walker, at, {})
    assert walker.status == 422
    assert "One answer is needed here" in walker.words
