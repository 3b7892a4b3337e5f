"""What may go into a guide, and what is said about anything else."""

import subprocess
import sys
from copy import deepcopy
from datetime import UTC, date, datetime
from typing import Any

import pytest
import yaml

from blueprint.model import DEFAULT_PAIN_STEPS, NAME_LENGTH, BlueprintInput
from tests.blueprint.conftest import SAMPLES, sample

NEW = ("pattern", "told")


def changed(path: str, value: object) -> dict[str, object]:
    """The typical document with one field replaced."""
    data: dict[str, Any] = deepcopy(sample("typical"))
    *outer, last = path.split(".")
    place = data
    for key in outer:
        place = place[key]
    place[last] = value
    return data


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_every_sample_is_accepted(path: Any) -> None:
    guide = BlueprintInput.from_mapping(sample(path.stem))
    assert guide.made_on == date(2026, 11, 21)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("first_name", 7),
        ("made_on", "yesterday"),
        ("made_on", None),
        ("made_on", datetime(2026, 11, 21, tzinfo=UTC)),
        ("brand", "Clinical Massage MK"),
        ("brand.town", "x" * 201),
        ("brand.email", "not an address"),
        ("brand.booking_url", "javascript:alert(1)"),
        ("brand.website", "ftp://example.test"),
        ("brand.website", "ours, soon"),
        ("brand.website", "javascript:alert(1)"),
        ("brand.website", 'example.test/"onclick'),
        ("safety", None),
        ("safety.urgent", []),
        ("safety.urgent", ["ok", 3]),
        ("safety.soon", "High temperature"),
        ("safety.routine", ""),
        ("safety.one_line", "x" * 301),
        ("safety.ask_first", None),
        ("safety.urgent_title", ""),
        ("safety.reviewed_on", "soon"),
        ("challenge_url", "file:///etc/passwd"),
        ("challenge_url", "https://example.test/a b"),
        ("challenge_url", 'https://example.test/"onclick'),
        ("challenge_url", "https://user@example.test/"),
        ("challenge_url", None),
        ("pain_steps", [1, 2, 3, 4]),
        ("pain_steps", []),
        ("pattern", "desk-hips"),
        ("pattern.key", ""),
        ("pattern.headline", "x" * 61),
        ("pattern.lead", None),
        ("pattern.explanation", []),
        ("pattern.explanation", ["a", "b", "c"]),
        ("pattern.explanation", ["x" * 441]),
        ("pattern.not_this", "x" * 281),
        ("pattern.figure", "../secret"),
        ("pattern.order", ["bridge", "clamshell", "squat", "hip-flexor"]),
        ("pattern.order", ["bridge", "bridge", "squat", "hip-flexor", "figure-four"]),
        ("pattern.order", ["bridge", "clamshell", "squat", "hip-flexor", "plank"]),
        ("pattern.doses", {"plank": "Hold for an hour"}),
        ("pattern.doses.bridge", "x" * 51),
        ("pattern.doses.bridge", ""),
        ("told", "One line."),
        ("told", ["A line."] * 10),
        ("told", ["x" * 121]),
        ("told", [""]),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_field(path: str, value: object) -> None:
    with pytest.raises(ValueError, match=path.rsplit(".", maxsplit=1)[-1]):
        BlueprintInput.from_mapping(changed(path, value))


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Priya \t\n", "Priya"),
        ("", None),
        ("   ", None),
        (None, None),
        ("Pri\x00ya\x1b[31m", "Priya[31m"),
        ("\u202eayirP\u2066", "ayirP"),
        ("Ada\r\nBcc: q@q.q", "Ada Bcc: q@q.q"),
        ("Zoe\u0308", "Zoë"),
        ("Anne\u2011Marie", "Anne-Marie"),
        ("Anne\u2010Marie", "Anne-Marie"),
        ("x" * 5_000_000, "x" * NAME_LENGTH),
    ],
)
def test_a_name_is_cleaned_and_never_refused(typed: str | None, kept: str | None) -> None:
    guide = BlueprintInput.from_mapping(changed("first_name", typed))
    assert guide.first_name == kept


@pytest.mark.parametrize(
    ("path", "value", "sign"),
    [
        ("brand.trading_name", "Hips ✓", r"“✓” \(U\+2713\)"),
        ("brand.qualifications", "按摩师", r"“按” \(U\+6309\)"),
        ("safety.urgent", ["Pain ≥ 8 of 10"], "“≥”"),
        ("safety.routine", "Then → your GP", "“→”"),
        ("pattern.explanation", ["A hip ☹"], "“☹”"),
        ("pattern.doses.bridge", "10 ⨯ slow", "“⨯”"),
        ("challenge_days", ["Let go ♥"], "“♥”"),
        ("told", ["You feel ⅓ of it."], "“⅓”"),
    ],
)
def test_a_sign_no_bundled_typeface_can_draw_is_named(path: str, value: object, sign: str) -> None:
    with pytest.raises(ValueError, match=f"{path.rsplit('.', maxsplit=1)[-1]}.* has {sign}"):
        BlueprintInput.from_mapping(changed(path, value))


def test_the_letters_of_names_and_towns_across_europe_can_be_drawn() -> None:
    town = "Ādaži, Łódź, Αθήνα, Львів: ½ an hour – “£30”"
    assert BlueprintInput.from_mapping(changed("brand.town", town)).brand.town == town


def test_reading_a_document_does_not_load_the_layout_engine() -> None:
    script = "import sys, blueprint.model; sys.exit('weasyprint' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_the_safety_record_the_funnel_ships_goes_in_whole() -> None:
    shipped = yaml.safe_load((SAMPLES.parents[1] / "templates" / "safety.yaml").read_text("utf-8"))
    guide = BlueprintInput.from_mapping(sample("typical") | {"safety": shipped})
    assert list(guide.safety.urgent) == shipped["urgent"]
    assert list(guide.safety.soon) == shipped["soon"]


def test_a_pattern_and_what_was_told_may_both_be_absent() -> None:
    bare = {key: value for key, value in sample("typical").items() if key not in NEW}
    for data in (bare, bare | {"pattern": None, "told": []}):
        guide = BlueprintInput.from_mapping(data)
        assert (guide.pattern, guide.told) == (None, ())


def test_a_pattern_keeps_its_order_and_its_own_doses() -> None:
    doses = {"squat": "Start with 3 to a high seat"}
    pattern = BlueprintInput.from_mapping(changed("pattern.doses", doses)).pattern
    assert pattern is not None
    assert pattern.order == ("hip-flexor", "figure-four", "bridge", "clamshell", "squat")
    assert pattern.dose("squat") == "Start with 3 to a high seat"
    assert pattern.dose("bridge") is None


def test_missing_facts_stay_missing() -> None:
    guide = BlueprintInput.from_mapping(sample("minimal"))
    assert guide.brand.therapist_name is None
    assert guide.safety.reviewed_by is None


def test_the_four_steps_have_a_default_and_can_be_the_therapists_own() -> None:
    own = [{"letter": letter, "title": f"{letter} title", "text": "Words."} for letter in "PAIN"]
    assert BlueprintInput.from_mapping(sample("typical")).pain_steps == DEFAULT_PAIN_STEPS
    assert BlueprintInput.from_mapping(changed("pain_steps", own)).pain_steps[3].title == "N title"
