"""The self-check's file: what is refused, and how it is told."""

import re
import shutil
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from funnel.content.catalog import FigureName, load_catalog
from funnel.content.findings import Findings
from funnel.content.lint import lint_all
from funnel.content.self_check import read_self_check
from funnel.domain.errors import ContentInvalid
from funnel.domain.self_check import TECHNIQUES, SelfCheck
from tests.content.broken_self_checks import (
    BROKEN,
    FILE,
    FIRST,
    Change,
    changed,
    put,
    question,
    without_points,
)
from tests.content.samples import TEMPLATES

GUIDE_WORDS = Path(__file__).parents[2] / "blueprint" / "document" / "words"


def read(source: str) -> tuple[SelfCheck | None, tuple[str, ...]]:
    found = Findings("self_check.yaml")
    value = read_self_check(source, found, get_args(FigureName))
    return value, found.items


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_self_check_is_told_and_not_used(name: str) -> None:
    change, told = BROKEN[name]
    value, findings = read(changed(change))
    assert value is None
    assert any(told in each for each in findings), findings
    assert all(re.match(r"self_check\.yaml:\d+: \S", each) for each in findings)


@pytest.mark.parametrize(
    "source",
    [
        "", "null", "[]", "- a", "7", "true", "text", "questions", "{}", "version: 1", "a: b: c",
        "questions: &q []", "questions: *q", "version: !!python/name:os.system", "[" * 999,
        "version: 1\nversion: 2", "\x00", "questions: [", "questions: {a: 1}", "? [a]\n: b",
        "questions: " + "[" * 9 + "]" * 9, "version: .nan", "version: 1e9", "keep_days: ''",
        "questions:\n" + "- key: a\n" * 1_000, "questions: [" + "x," * 1_000_000 + "]",
    ],
    ids=lambda source: repr(source)[:24],
)  # fmt: skip
def test_a_file_that_is_no_self_check_at_all_is_told(source: str) -> None:
    value, findings = read(source)
    assert value is None
    assert findings
    assert all(re.match(r"self_check\.yaml:\d+: \S", each) for each in findings)


def test_a_million_answers_are_told_in_one_sentence() -> None:
    """10^6 answers are refused before they are read."""
    answers = "".join(f"      - {{key: a{n}, text: x}}\n" for n in range(1_000_000))
    value, findings = read(f"questions:\n  - key: q\n    answers:\n{answers}")
    assert value is None
    assert findings == ("self_check.yaml:1: the text is over 256 KB: make it shorter",)


def test_the_finding_names_the_line_of_the_mistake() -> None:
    source = FILE.read_text("utf-8").replace("points: {desk-hips: 3}", "points: {deskhips: 3}")
    line = source[: source.index("{deskhips")].count("\n") + 1
    assert read(source)[1][0].startswith(f"self_check.yaml:{line}: there is no pattern 'deskhips'")


def test_all_that_is_wrong_is_told_at_once() -> None:
    def change(data: dict[str, Any]) -> None:
        data["fallback"] = "other"
        data["questions"][0]["figure"] = "handstand"
        data["questions"][1]["key"] = "sitting"
        without_points(data, "one-side")

    told = " ".join(read(changed(change))[1])
    for problem in ("'other'", "'handstand'", "'sitting' is here twice", "lead to 'one-side'"):
        assert problem in told


@pytest.mark.parametrize(
    "text",
    [
        "<b>Hips</b>",
        "<script>alert(1)</script>",
        "{{ config }}",
        "=SUM(A1)",
        "' OR 1=1 --",
        "&amp;",
    ],
)
def test_what_looks_like_code_stays_the_text_it_is(text: str) -> None:
    value, findings = read(changed(put(*FIRST, "text", value=text)))
    assert findings == ()
    assert value is not None
    assert value.questions[0].answers[0].text == text


def test_texts_may_be_as_long_as_their_place_allows() -> None:
    def change(data: dict[str, Any]) -> None:
        data["questions"][0]["title"] = "x" * 90
        data["questions"][0]["answers"][0].update(text="x" * 60, told="x" * 110)
        data["patterns"][0].update(headline="x" * 60, lead="x" * 240, explanation=["x" * 440] * 2)

    assert read(changed(change))[1] == ()


def test_the_techniques_are_those_of_the_guide() -> None:
    techniques = yaml.safe_load((GUIDE_WORDS / "techniques.yaml").read_text("utf-8"))
    assert [each["key"] for each in techniques] == list(TECHNIQUES)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A templates folder of the test's own, to be broken."""
    return Path(shutil.copytree(TEMPLATES, tmp_path / "templates"))


def test_a_broken_self_check_is_among_what_the_check_tells(copy: Path) -> None:
    (copy / "self_check.yaml").write_text(changed(put("keep_days", value=9999)), "utf-8")
    (copy / "brand.yaml").write_text("trading_name: 1", "utf-8")
    told = lint_all(copy)
    assert any(each.startswith("templates/brand.yaml:") for each in told)
    assert any(re.match(r"templates/self_check\.yaml:\d+: 'keep_days'", each) for each in told)
    with pytest.raises(ContentInvalid):
        load_catalog(copy)


def test_a_self_check_that_went_missing_is_told(copy: Path) -> None:
    (copy / "self_check.yaml").unlink()
    assert lint_all(copy) == ("templates/self_check.yaml:1: the file is missing: put it back",)


def test_a_claim_in_the_self_check_is_found(copy: Path) -> None:
    (copy / "self_check.yaml").write_text(
        changed(put("patterns", 0, "headline", value="A cure for desk hips")), "utf-8"
    )
    assert any("'cure' is a claim we may not make" in each for each in lint_all(copy))


LEG = ("patterns", 3)
DROPPED: dict[str, tuple[Change, str]] = {
    "the aside": (
        lambda data: question(data, "leg").pop("aside"),
        "the question 'leg' no longer says 'both legs': put it back",
    ),
    "numbness": (
        lambda data: question(data, "leg").update(aside="Both legs? Read the safety page."),
        "the question 'leg' no longer says 'numbness'",
    ),
    "the lead": (
        put(*LEG, "lead", value="It is one of your legs. This is not a diagnosis."),
        "the lead of 'leg-symptoms' no longer says 'weakness'",
    ),
    "999": (put(*LEG, "explanation", value=["Try it."]), "'leg-symptoms' no longer says '999'"),
    "the stop rule": (
        put(*LEG, "order_note", value="Small moves first."),
        "the order of 'leg-symptoms' no longer says 'stop'",
    ),
    "no diagnosis": (
        put("patterns", 0, "lead", value="You have tight hips."),
        "the lead of 'desk-hips' no longer says 'not a diagnosis'",
    ),
}


@pytest.mark.parametrize("name", DROPPED)
def test_a_warning_that_went_missing_is_told(name: str, copy: Path) -> None:
    change, told = DROPPED[name]
    (copy / "self_check.yaml").write_text(changed(change), "utf-8")
    assert any(told in each for each in lint_all(copy)), lint_all(copy)
