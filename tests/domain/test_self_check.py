"""From answers to a pattern: the same answers, the same pattern, and none out of reach unseen."""

import itertools
import random
import time
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel.domain.self_check import (
    MIN_POINTS,
    Answer,
    Pattern,
    Question,
    SelfCheck,
    pattern_for,
    reachable,
    told,
)

KEYS = ("front", "back", "side", "leg", "mixed")
FALLBACK = "mixed"


def pattern(key: str) -> Pattern:
    return Pattern(key, key, key, key, (key,), key, "stand", (), key, {})


def check_of(*questions: Question, keys: tuple[str, ...] = KEYS) -> SelfCheck:
    return SelfCheck(1, 90, questions, tuple(pattern(key) for key in keys), FALLBACK)


def question(key: str, **points: Mapping[str, int]) -> Question:
    """A question with a neutral answer and one for each named set of points."""
    answers = tuple(
        Answer(name, name, given, told=f"{key}-{name}") for name, given in points.items()
    )
    return Question(key, key, (*answers, Answer("unsure", "I am not sure", {})))


PLAIN = check_of(
    question("one", a={"front": 2}, b={"back": 2, "front": 1}),
    question("two", a={"front": 1}, b={"back": 1}),
    Question(
        "leg",
        "Leg?",
        (
            Answer("yes", "Yes", {}, told="A leg.", decides="leg"),
            Answer("hip", "Hip", {}, decides="side"),
            Answer("no", "No", {}),
        ),
    ),
    Question("again", "Again?", (Answer("yes", "Yes", {}, decides="side"), Answer("no", "No", {}))),
)


@st.composite
def answers_to_pick(draw: st.DrawFn, number: int) -> Answer:
    points = draw(st.dictionaries(st.sampled_from(KEYS), st.integers(1, 5), max_size=3))
    decides = draw(st.sampled_from([None, None, None, None, *KEYS]))
    told_line = draw(st.none() | st.just(f"told {number}"))
    return Answer(f"a{number}", "text", points, told_line, decides)


@st.composite
def checks(draw: st.DrawFn) -> SelfCheck:
    """A small self-check: every question with a neutral answer, as the loader asks for."""
    questions = []
    for number in range(draw(st.integers(1, 4))):
        picks = [draw(answers_to_pick(place)) for place in range(draw(st.integers(1, 3)))]
        questions.append(Question(f"q{number}", "?", (*picks, Answer("unsure", "?", {}))))
    return check_of(*questions)


@st.composite
def answered(draw: st.DrawFn) -> tuple[SelfCheck, dict[str, str]]:
    check = draw(checks())
    picks = {
        each.key: draw(st.sampled_from([answer.key for answer in each.answers]))
        for each in check.questions
        if draw(st.booleans())
    }
    return check, picks


def every_pattern(check: SelfCheck) -> set[str]:
    """What trying every set of answers leads to, left-out questions and all."""
    choices = [[None, *(answer.key for answer in each.answers)] for each in check.questions]
    return {
        pattern_for(
            check,
            {
                each.key: key
                for each, key in zip(check.questions, combination, strict=True)
                if key is not None
            },
        ).key
        for combination in itertools.product(*choices)
    }


def test_the_pattern_with_the_most_points_wins() -> None:
    assert pattern_for(PLAIN, {"one": "a", "two": "a"}).key == "front"
    assert pattern_for(PLAIN, {"one": "b", "two": "b"}).key == "back"


def test_a_tie_is_nobodys_win() -> None:
    tied = check_of(question("one", a={"front": 5, "back": 5}), question("two", a={"back": 1}))
    assert pattern_for(tied, {"one": "a"}).key == FALLBACK
    assert pattern_for(tied, {"one": "a", "two": "a"}).key == "back"


@pytest.mark.parametrize(
    ("points", "key"), [(MIN_POINTS - 1, FALLBACK), (MIN_POINTS, "side"), (MIN_POINTS + 1, "side")]
)
def test_too_few_points_name_no_pattern(points: int, key: str) -> None:
    assert pattern_for(check_of(question("one", a={"side": points})), {"one": "a"}).key == key


def test_an_answer_that_decides_outweighs_any_points() -> None:
    heavy = question("heavy", a={"front": 5})
    check = check_of(heavy, *PLAIN.questions)
    assert pattern_for(check, {"heavy": "a", "one": "a", "leg": "yes"}).key == "leg"


def test_the_first_question_that_decides_is_the_one_that_counts() -> None:
    assert pattern_for(PLAIN, {"again": "yes", "leg": "yes"}).key == "leg"
    assert pattern_for(PLAIN, {"again": "yes", "leg": "no"}).key == "side"


def test_no_answers_at_all_lead_to_the_balanced_start() -> None:
    assert pattern_for(PLAIN, {}).key == FALLBACK
    assert told(PLAIN, {}) == ()


def test_what_she_told_us_is_said_back_in_the_order_of_the_questions() -> None:
    picked = {"leg": "yes", "two": "b", "one": "a"}
    assert told(PLAIN, picked) == ("one-a", "two-b", "A leg.")


def test_a_neutral_answer_is_not_said_back() -> None:
    assert told(PLAIN, {"one": "unsure", "two": "unsure", "leg": "no"}) == ()


def test_a_pattern_is_found_by_its_key() -> None:
    assert PLAIN.pattern("side").name == "side"
    with pytest.raises(KeyError):
        PLAIN.pattern("unheard-of")


@given(answered(), st.randoms(use_true_random=False))
def test_the_order_of_the_answers_does_not_matter(
    case: tuple[SelfCheck, dict[str, str]], shuffler: random.Random
) -> None:
    check, answers = case
    shuffled = list(answers.items())
    shuffler.shuffle(shuffled)
    assert pattern_for(check, dict(shuffled)) == pattern_for(check, answers)
    assert told(check, dict(shuffled)) == told(check, answers)


@given(answered(), st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=4))
def test_what_the_check_does_not_know_is_ignored(
    case: tuple[SelfCheck, dict[str, str]], stray: dict[str, str]
) -> None:
    check, answers = case
    unknown = {f"x{key}": value for key, value in stray.items()}
    assert pattern_for(check, {**unknown, **answers}) == pattern_for(check, answers)
    assert told(check, {**unknown, **answers}) == told(check, answers)


@given(checks(), st.text(max_size=8))
def test_an_unknown_answer_is_as_good_as_none(check: SelfCheck, value: str) -> None:
    strange = {each.key: f"?{value}" for each in check.questions}
    assert pattern_for(check, strange).key == FALLBACK
    assert told(check, strange) == ()


@given(checks())
def test_all_neutral_answers_lead_to_the_balanced_start(check: SelfCheck) -> None:
    neutral = {each.key: "unsure" for each in check.questions}
    assert pattern_for(check, neutral).key == FALLBACK


@given(answered())
def test_a_deciding_answer_always_wins(case: tuple[SelfCheck, dict[str, str]]) -> None:
    check, answers = case
    first = Question("first", "?", (Answer("yes", "?", {}, decides="leg"),))
    decided = check_of(first, *check.questions)
    assert pattern_for(decided, {**answers, "first": "yes"}).key == "leg"


@given(answered())
def test_two_patterns_always_level_are_nobodys_win(case: tuple[SelfCheck, dict[str, str]]) -> None:
    check, answers = case
    level = check_of(*(levelled(each) for each in check.questions))
    assert pattern_for(level, answers).key not in {"front", "back"}
    assert not reachable(level) & {"front", "back"}


def levelled(each: Question) -> Question:
    """The same question, with as many points for the one as for the other."""
    answers = (
        Answer(answer.key, "?", {**answer.points, "front": 2, "back": 2})
        for answer in each.answers
        if answer.points
    )
    return Question(each.key, "?", (*answers, Answer("unsure", "?", {})))


@given(answered())
def test_one_more_point_for_the_winner_keeps_it_the_winner(
    case: tuple[SelfCheck, dict[str, str]],
) -> None:
    check, answers = case
    winner = pattern_for(check, answers).key
    if winner == FALLBACK:
        return
    more = check_of(*check.questions, question("more", a={winner: 1}))
    assert pattern_for(more, {**answers, "more": "a"}).key == winner


@given(checks())
def test_what_is_reachable_is_what_trying_everything_finds(check: SelfCheck) -> None:
    assert reachable(check) == every_pattern(check)


def test_a_pattern_that_another_always_outruns_is_out_of_reach() -> None:
    outrun = check_of(*(question(f"q{n}", a={"front": 4, "back": 5}) for n in range(9)))
    assert reachable(outrun) == {"back", FALLBACK}


def test_a_pattern_that_can_only_draw_level_is_out_of_reach() -> None:
    level = check_of(*(question(f"q{n}", a={"front": 3, "back": 3}) for n in range(9)))
    assert reachable(level) == {FALLBACK}


def test_a_pattern_with_too_few_points_in_all_is_out_of_reach() -> None:
    few = MIN_POINTS - 1
    assert "side" not in reachable(check_of(question("q", a={"side": few})))
    assert "side" in reachable(
        check_of(question("q", a={"side": few}), question("r", a={"side": 1}))
    )


def test_the_largest_self_check_is_judged_in_a_moment() -> None:
    """Nine questions of six answers and a way out: forty million ways to answer. Each gives the
    front as much as its rivals have between them on average, so it comes close and cannot win."""
    shares = [(5, 3, 0, 0), (0, 4, 4, 0), (1, 0, 4, 3), (3, 1, 1, 3), (2, 2, 0, 4), (0, 1, 3, 4)]
    rivals = ("back", "side", "leg", FALLBACK)
    answers = {
        f"a{number}": {"front": 2} | {key: n for key, n in zip(rivals, share, strict=True) if n}
        for number, share in enumerate(shares)
    }
    check = check_of(*(question(f"q{number}", **answers) for number in range(9)))
    began = time.process_time()
    found = reachable(check)
    assert found == {"back", "side", "leg", FALLBACK}
    assert time.process_time() - began < 5
