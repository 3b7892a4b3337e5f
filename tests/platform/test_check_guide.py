"""`funnel check` finds words that no guide can be printed with, before a reader waits for one."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from funnel.checks import findings_of
from funnel.settings import Settings

TEMPLATES = Path(__file__).parents[2] / "templates"


def found(templates: Path) -> list[str]:
    settings = replace(Settings(), templates_path=str(templates))
    return [str(finding) for finding in findings_of(settings) if finding.code == "W02"]


def test_the_shipped_words_can_all_be_printed() -> None:
    assert found(TEMPLATES) == []


@pytest.mark.parametrize(
    ("name", "before", "after", "field"),
    [
        ("brand.yaml", "town: null", "town: 按摩", "brand.town"),
        ("brand.yaml", "website: null", "website: https://münchen.example", "brand.website"),
        ("safety.yaml", "one_line: ", "one_line: ✓ ", "safety.one_line"),
        ("challenge.yaml", "title: Let go", "title: Let go ♥", "challenge_days"),
        ("self_check.yaml", "told: ", "told: ≥ ", "told"),
        ("self_check.yaml", "headline: ", "headline: ☹ ", "pattern.headline"),
    ],
)
def test_a_word_the_guide_refuses_is_an_error_that_names_its_field(
    name: str, before: str, after: str, field: str, tmp_path: Path
) -> None:
    copy = tmp_path / "templates"
    shutil.copytree(TEMPLATES, copy)
    text = (copy / name).read_text("utf-8")
    assert before in text
    (copy / name).write_text(text.replace(before, after, 1), "utf-8")
    (finding,) = found(copy)
    assert finding.startswith(f"W02 error: No guide can be printed: {field}")
