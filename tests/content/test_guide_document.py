"""The practice's words fit the guide they are printed in."""

from dataclasses import fields
from pathlib import Path

from blueprint.model import BlueprintInput, Brand, Safety
from funnel.content.catalog import load_catalog
from funnel.content.guide_document import guide_document

TEMPLATES = Path(__file__).parents[2] / "templates"


def test_the_guide_reads_the_shipped_words() -> None:
    document = guide_document(load_catalog(TEMPLATES))
    personal = {"made_on": "2026-11-23", "challenge_url": "http://localhost/challenge"}
    read = BlueprintInput.from_mapping({**document, **personal})
    assert read.safety.urgent[0] in document["safety"]["urgent"]  # type: ignore[index]
    assert [step.letter for step in read.pain_steps] == ["P", "A", "I", "N"]


def test_every_fact_the_guide_can_show_is_handed_over() -> None:
    document = guide_document(load_catalog(TEMPLATES))
    assert set(document["brand"]) == {each.name for each in fields(Brand)}  # type: ignore[call-overload]
    assert set(document["safety"]) == {each.name for each in fields(Safety)}  # type: ignore[call-overload]


def test_the_guide_names_the_days_of_the_challenge_as_its_pages_do() -> None:
    catalog = load_catalog(TEMPLATES)
    personal = {"made_on": "2026-11-23", "challenge_url": "http://localhost/challenge"}
    read = BlueprintInput.from_mapping({**guide_document(catalog), **personal})
    assert read.challenge_days == tuple(day.title for day in catalog.challenge.days)
