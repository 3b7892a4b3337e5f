"""The shipped self-check: every pattern within reach, kind, plain, and careful about legs."""

import itertools
import re
from collections import Counter
from functools import cache

import pytest

from funnel.content.catalog import load_catalog
from funnel.content.lint import lint_claims
from funnel.domain.self_check import TECHNIQUES, Pattern, Question, pattern_for, reachable, told
from tests.content.reading import grade
from tests.content.samples import TEMPLATES

CHECK = load_catalog(TEMPLATES).self_check
QUESTIONS = {question.key: question for question in CHECK.questions}
PATTERNS = {pattern.key: pattern for pattern in CHECK.patterns}
LEG = PATTERNS["leg-symptoms"]
CAUSES = re.compile(
    r"\b(?:caus\w+|because of|due to|comes? from|leads? to|root of)\b", re.IGNORECASE
)
NAMED = re.compile(r"\b(?:you have|you are suffering|you suffer|your diagnosis|syndrome)\b", re.I)
SECOND_PERSON = re.compile(r"\b(?:you|your)\b", re.IGNORECASE)
AMERICAN = re.compile(
    r"\b(?:center|color|behavior|normaliz\w+|tummy-?ache|practicing)\b", re.IGNORECASE
)


def words_of(pattern: Pattern) -> tuple[str, ...]:
    return (
        pattern.name, pattern.headline, pattern.lead, *pattern.explanation, pattern.not_this,
        pattern.order_note, *pattern.doses.values(),
    )  # fmt: skip


def words_asked(question: Question) -> tuple[str, ...]:
    return (question.title, question.aside or "", *(answer.text for answer in question.answers))


def words_told(question: Question) -> tuple[str, ...]:
    return tuple(answer.told for answer in question.answers if answer.told)


EVERY_TEXT = [
    *(text for question in CHECK.questions for text in words_asked(question) if text),
    *(text for question in CHECK.questions for text in words_told(question)),
    *(text for pattern in CHECK.patterns for text in words_of(pattern)),
]


@cache
def tally() -> Counter[str]:
    """How many of all the ways to answer every question lead to each pattern."""
    ways = itertools.product(*(question.answers for question in CHECK.questions))
    keys = tuple(QUESTIONS)
    return Counter(
        pattern_for(CHECK, dict(zip(keys, (answer.key for answer in way), strict=True))).key
        for way in ways
    )


def test_the_five_patterns_are_shipped_with_the_balanced_one_to_fall_back_on() -> None:
    assert tuple(PATTERNS) == (
        "desk-hips", "quiet-glutes", "one-side", "leg-symptoms", "all-rounder",
    )  # fmt: skip
    assert CHECK.fallback == "all-rounder"
    assert CHECK.keep_days == 90


def test_every_pattern_is_reached_by_some_way_of_answering() -> None:
    assert set(tally()) == set(PATTERNS)
    assert reachable(CHECK) == set(PATTERNS)


@pytest.mark.parametrize("key", PATTERNS)
def test_no_pattern_is_rare_and_none_swallows_the_others(key: str) -> None:
    assert 0.03 <= tally()[key] / tally().total() <= 0.60


def test_no_pattern_but_the_legs_is_half_of_what_is_left() -> None:
    others = tally() - Counter({"leg-symptoms": tally()["leg-symptoms"]})
    assert max(others.values()) / others.total() <= 0.50


@pytest.mark.parametrize(
    ("picked", "key"),
    [
        ({"sitting": "desk", "rise": "hips", "sides": "both-tight"}, "desk-hips"),
        ({"rise": "effort", "glutes": "back", "tender": "both", "moving": "eases"}, "quiet-glutes"),
        ({"rise": "one-hip", "glutes": "one-side", "sides": "harder", "tender": "one"}, "one-side"),
        ({"sitting": "desk", "rise": "hips", "leg": "below"}, "leg-symptoms"),
        ({"leg": "thigh"}, "leg-symptoms"),
        ({"sitting": "desk"}, "all-rounder"),
        ({"rise": "hips", "glutes": "back"}, "all-rounder"),
        ({key: question.answers[-1].key for key, question in QUESTIONS.items()}, "all-rounder"),
        ({}, "all-rounder"),
    ],
)  # fmt: skip
def test_a_plain_case_leads_where_a_reader_would_expect(picked: dict[str, str], key: str) -> None:
    assert pattern_for(CHECK, picked).key == key


def test_she_is_told_what_she_said_and_no_more() -> None:
    picked = {"sitting": "mixed", "rise": "hips", "sides": "same", "leg": "none"}
    assert told(CHECK, picked) == (
        "The front of your hips is tight when you get up.",
        "Your two sides feel much the same.",
    )


@pytest.mark.parametrize("key", QUESTIONS)
def test_each_question_ends_with_a_way_out(key: str) -> None:
    last = QUESTIONS[key].answers[-1]
    assert (dict(last.points), last.decides, last.told) == ({}, None, None)
    assert re.search(r"not sure|rather not", last.text)


@pytest.mark.parametrize("key", QUESTIONS)
def test_each_question_and_its_answers_read_easily(key: str) -> None:
    question = QUESTIONS[key]
    assert grade(". ".join(words_asked(question))) <= 7
    assert grade(" ".join(words_told(question))) <= 7
    assert len(question.title.split()) <= 14


@pytest.mark.parametrize("key", PATTERNS)
def test_each_pattern_reads_easily(key: str) -> None:
    pattern = PATTERNS[key]
    for text in (pattern.lead, *pattern.explanation, pattern.not_this, pattern.order_note):
        assert grade(text) <= 7


@pytest.mark.parametrize("text", EVERY_TEXT)
def test_no_text_claims_names_an_illness_or_gives_a_cause(text: str) -> None:
    assert lint_claims(text, "x") == ()
    assert not NAMED.search(text)
    assert not CAUSES.search(text.replace("may come from", ""))
    assert not AMERICAN.search(text)
    assert "!" not in text


@pytest.mark.parametrize("text", [t for q in CHECK.questions for t in words_told(q)])
def test_what_was_told_speaks_to_her_in_one_short_sentence(text: str) -> None:
    assert SECOND_PERSON.search(text)
    assert re.fullmatch(r"[A-Z][^.!?]*\.", text)
    assert len(text) <= 56


@pytest.mark.parametrize("key", PATTERNS)
def test_each_pattern_has_two_short_paragraphs_that_claim_little(key: str) -> None:
    pattern = PATTERNS[key]
    assert [45 <= len(text.split()) <= 70 for text in pattern.explanation] == [True, True]
    assert len(pattern.not_this.split()) <= 45
    assert len(pattern.order_note.split()) <= 40
    assert "not a diagnosis" in pattern.lead.replace("This is ", "")
    assert re.search(r"\bmay\b", " ".join((pattern.lead, *pattern.explanation)))


@pytest.mark.parametrize("key", ["desk-hips", "quiet-glutes", "one-side"])
def test_a_pattern_with_a_story_is_one_among_several(key: str) -> None:
    assert "one common pattern" in PATTERNS[key].lead


def test_the_headlines_the_orders_and_the_figures_are_the_patterns_own() -> None:
    for field in ("name", "headline", "lead", "figure", "order", "order_note"):
        values = [getattr(pattern, field) for pattern in CHECK.patterns]
        assert len(set(values)) == len(values), field


@pytest.mark.parametrize("key", PATTERNS)
def test_the_first_doses_are_modest(key: str) -> None:
    """A hold of 30 seconds at most; repetitions five at most, three times a day at most."""
    doses = PATTERNS[key].doses
    assert set(doses) == set(TECHNIQUES)
    for technique, dose in doses.items():
        numbers = [int(number) for number in re.findall(r"\d+", dose)]
        if dose.startswith("Hold"):
            assert technique in {"hip-flexor", "figure-four"}
            assert max(numbers) <= 30
            assert "seconds" in dose
        else:
            assert max(numbers) <= 5
            assert re.search(r"(?:once|twice|three times) a day$", dose)


def test_stretches_come_before_strength_but_for_legs() -> None:
    """Release, then strengthen (the order of the method); with a leg that speaks up, gently."""
    for pattern in CHECK.patterns:
        is_stretch = pattern.order[0] in {"hip-flexor", "figure-four"}
        assert is_stretch is (pattern.key != "leg-symptoms")


def test_leg_symptoms_start_gently_and_end_with_the_deep_stretch() -> None:
    assert LEG.order[-1] == "figure-four"
    assert LEG.order[0] == "bridge"
    assert "deep buttock stretch comes last" in LEG.order_note
    assert "Stop if you feel tingling, numbness or pain down the leg" in LEG.order_note
    assert "stop" in LEG.doses["figure-four"]


def test_leg_symptoms_are_held_shorter_and_done_less_often_than_the_rest() -> None:
    def most(pattern: Pattern, technique: str) -> int:
        return max(int(number) for number in re.findall(r"\d+", pattern.doses[technique]))

    for technique in TECHNIQUES:
        others = [most(each, technique) for each in CHECK.patterns if each is not LEG]
        assert most(LEG, technique) < min(others)


def test_leg_symptoms_say_where_to_turn() -> None:
    words = " ".join(words_of(LEG))
    for phrase in (
        "New numbness or weakness, or trouble peeing or pooing?", "warning signs now", "999",
        "A GP or a physio can tell a nerve from a muscle",
    ):  # fmt: skip
        assert phrase in words


def test_the_question_about_legs_sends_new_signs_to_the_safety_page_first() -> None:
    question = QUESTIONS["leg"]
    assert question.aside
    assert re.search(r"numbness or weakness.*both legs\?.*stop here.*safety page", question.aside)
    deciding = {answer.key: answer.decides for answer in question.answers if answer.decides}
    assert deciding == {"thigh": "leg-symptoms", "below": "leg-symptoms"}


def test_only_the_question_about_legs_decides_alone() -> None:
    deciding = [q.key for q in CHECK.questions if any(a.decides for a in q.answers)]
    assert deciding == ["leg"]
