"""The samples say what the shipped words say, so that they cannot go stale."""

from pathlib import Path
from typing import Any

import pytest

from blueprint.model import TOLD_LENGTH, TOLD_LINES
from blueprint.words import DOCUMENT, load
from funnel.content.catalog import load_catalog
from funnel.content.guide_document import guide_document, pattern_part
from tests.blueprint.conftest import SAMPLES, sample

CATALOG = load_catalog(Path(__file__).parents[2] / "templates")
CHECK = CATALOG.self_check
NAMES = sorted(path.stem for path in SAMPLES.glob("*.json"))
REVIEW = ("reviewed_on", "reviewed_by")
OF_PATTERN = {
    "typical": "desk-hips",
    "quiet-glutes": "quiet-glutes",
    "one-side": "one-side",
    "leg-symptoms": "leg-symptoms",
    "all-rounder": "all-rounder",
}


@pytest.mark.parametrize("name", NAMES)
def test_the_safety_words_of_a_sample_are_the_shipped_ones(name: str) -> None:
    shipped: Any = guide_document(CATALOG)["safety"]
    shown: Any = sample(name)["safety"]
    assert {key: value for key, value in shown.items() if key not in REVIEW} == {
        key: value for key, value in shipped.items() if key not in REVIEW
    }


def test_every_pattern_has_a_sample() -> None:
    assert sorted(OF_PATTERN.values()) == sorted(pattern.key for pattern in CHECK.patterns)


@pytest.mark.parametrize(("name", "key"), OF_PATTERN.items())
def test_the_pattern_of_a_sample_is_the_shipped_one(name: str, key: str) -> None:
    assert sample(name)["pattern"] == pattern_part(CHECK.pattern(key))


@pytest.mark.parametrize("name", OF_PATTERN)
def test_what_a_sample_was_told_can_be_told(name: str) -> None:
    lines = {answer.told for question in CHECK.questions for answer in question.answers}
    told: Any = sample(name)["told"]
    assert told
    assert set(told) <= lines


def test_the_page_to_find_a_pattern_agrees_with_the_self_check() -> None:
    assert [(sketch.key, sketch.name, sketch.start) for sketch in load().patterns] == [
        (pattern.key, pattern.name, pattern.order[0]) for pattern in CHECK.patterns
    ]


def test_who_finds_her_leg_on_that_page_starts_as_gently_as_the_self_check_says() -> None:
    words = load()
    shown = {each.key: each.dose or words.technique(each.start).dose for each in words.patterns}
    for key in ("leg-symptoms", "desk-hips"):
        pattern = CHECK.pattern(key)
        assert shown[key] == pattern.doses[pattern.order[0]]


def test_the_two_moves_of_the_leg_box_have_the_doses_of_the_self_check() -> None:
    box = (DOCUMENT / "chapters" / "find-your-pattern.html").read_text(encoding="utf-8")
    doses = CHECK.pattern("leg-symptoms").doses
    for key in ("bridge", "clamshell"):
        assert f"({doses[key].removeprefix('Start with ')})" in box


def test_the_longest_sample_is_as_long_as_a_guide_may_be() -> None:
    longest: Any = sample("longest")
    assert len(longest["first_name"]) == 80
    assert len(longest["told"]) == TOLD_LINES
    assert all(len(line) > TOLD_LENGTH - 12 for line in longest["told"])
    assert all(len(text) > 420 for text in longest["pattern"]["explanation"])
