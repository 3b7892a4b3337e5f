"""The fillable tracker, read back as a person fills it in and as a screen reader says it."""

import re
from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader, PdfWriter

from blueprint.compose import compose, usual_pages
from blueprint.editions import Edition
from blueprint.model import BlueprintInput, Brand, Pattern
from blueprint.plan import two_weeks
from blueprint.render import Printed, press
from blueprint.tracker import CHECKS, WEEKS, compose_tracker
from blueprint.words import load
from tests.blueprint.conftest import SAMPLES, sample
from tests.blueprint.reading import flat, fonts, page_texts, structure
from tests.blueprint.test_document import HOSTILE, words_of

QUIET_GLUTES = ("bridge", "clamshell", "figure-four", "hip-flexor", "squat")
TICKS = (*QUIET_GLUTES, "walk")
DAYS = range(1, 15)


def with_pattern(guide: BlueprintInput) -> BlueprintInput:
    pattern = Pattern(
        key="quiet-glutes",
        name="Quiet glutes",
        headline="Back first, bottom last",
        lead="A common pattern, and not a diagnosis.",
        explanation=("Some muscles join in late.",),
        not_this="Not damage.",
        figure="bridge-top",
        order=QUIET_GLUTES,
        order_note="Waking comes first.",
    )
    return replace(guide, pattern=pattern, told=("It is hard to feel your bottom work.",))


@pytest.fixture(scope="module")
def tracker(typical: BlueprintInput) -> Printed:
    return press(typical, Edition.TRACKER)


@pytest.fixture(scope="module")
def filled_in(tracker: Printed) -> PdfReader:
    return PdfReader(BytesIO(tracker.pdf))


@pytest.fixture(scope="module")
def fields(filled_in: PdfReader) -> Mapping[str, Any]:
    return filled_in.get_fields() or {}


def test_every_day_has_six_boxes_a_scale_and_a_line(fields: Mapping[str, Any]) -> None:
    keys = (*TICKS, "felt", "note")
    checks = [f"{when}-{check.key}" for when in ("today", "day-14") for check in CHECKS]
    assert set(fields) == {f"day-{day}-{key}" for day in DAYS for key in keys} | set(checks)


def test_boxes_tick_scales_choose_and_lines_take_text(fields: Mapping[str, Any]) -> None:
    kinds = {name: field["/FT"] for name, field in fields.items()}
    assert {kinds[f"day-{day}-{key}"] for day in DAYS for key in TICKS} == {"/Btn"}
    assert {kinds[f"day-{day}-felt"] for day in DAYS} == {"/Ch"}
    assert {kinds[f"day-{day}-note"] for day in DAYS} == {"/Tx"}
    choices = [value for value, _ in fields["day-1-felt"]["/Opt"]]
    assert choices == ["", *(str(felt) for felt in range(11))]
    assert [value for value, _ in fields["today-side"]["/Opt"]] == ["", "yes", "no"]


def test_every_field_starts_empty(fields: Mapping[str, Any]) -> None:
    assert {str(field["/V"]) for field in fields.values()} == {"", "/Off"}


def test_an_empty_box_has_a_look_of_its_own_so_no_viewer_draws_another(
    filled_in: PdfReader,
) -> None:
    marks = [mark.get_object() for mark in filled_in.pages[0]["/Annots"]]  # type: ignore[attr-defined]  # pypdf is loose
    boxes = [mark for mark in marks if mark["/FT"] == "/Btn"]
    assert len(boxes) == len(DAYS) * len(TICKS)
    assert all(set(box["/AP"]["/N"]) == {"/on", "/Off"} and "/MK" not in box for box in boxes)


def test_the_day_of_the_walk_is_the_one_the_page_names() -> None:
    walk = load().plan.walk
    assert [about for _, about, days in WEEKS if walk in days] == [f"Day {walk} is for a walk."]
    assert [day for _, _, days in WEEKS for day in days] == [*range(1, load().plan.days + 1)]


def test_a_screen_reader_hears_what_each_field_is_for(fields: Mapping[str, Any]) -> None:
    spoken = {name: str(field["/TU"]) for name, field in fields.items()}
    assert len(set(spoken.values())) == len(spoken)
    assert spoken["day-1-hip-flexor"] == "Day 1, in your plan: hip flexor stretch"
    assert spoken["day-1-squat"] == "Day 1: squat to chair"
    assert spoken["day-7-walk"] == "Day 7, in your plan: a walk or a swim"
    assert spoken["day-9-felt"] == "Day 9: how it felt, 0 to 10"
    assert spoken["day-14-note"] == "Day 14: a line for me"
    assert spoken["day-14-chair"] == "Day 14: up from a chair, yes or no"


def test_what_is_filled_in_can_be_read_back(tracker: Printed) -> None:
    given = {"day-1-bridge": "/on", "day-3-felt": "4", "day-3-note": "Stiff at first, then fine"}
    writer = PdfWriter(clone_from=BytesIO(tracker.pdf))
    writer.update_page_form_field_values(writer.pages[0], given, auto_regenerate=False)
    saved = BytesIO()
    writer.write(saved)
    found = PdfReader(saved).get_fields() or {}
    assert {name: str(found[name]["/V"]) for name in given} == given
    assert str(found["day-2-bridge"]["/V"]) == "/Off"


@pytest.mark.parametrize("order", [load().order, QUIET_GLUTES], ids=["usual", "quiet glutes"])
def test_the_boxes_come_in_her_order_and_those_of_her_plan_stand_out(
    typical: BlueprintInput, order: tuple[str, ...]
) -> None:
    guide = typical if order == load().order else with_pattern(typical)
    boxes = re.findall(r'name="day-(\d+)-([a-z-]+)" title="([^"]+)"', compose_tracker(guide))
    on_day_four = [key for day, key, _ in boxes if day == "4"]
    assert on_day_four == [*order, "walk", "felt", "note"]
    rows = two_weeks(load().plan, tuple(load().technique(key) for key in order)).rows
    days = {row.technique.key: row.days for row in rows} | {"walk": {7}}
    planned = {(key, int(day)) for day, key, title in boxes if "in your plan" in title}
    assert planned == {(key, day) for key in days for day in days[key]}


def test_every_box_of_the_plan_is_shaded(typical: BlueprintInput) -> None:
    cells = re.findall(r'<td class="([^"]+)"><input [^>]*title="([^"]+)"', compose_tracker(typical))
    assert len(cells) == len(DAYS) * len(TICKS)
    assert all(("--planned" in css) == ("in your plan" in title) for css, title in cells)


def test_it_asks_the_same_four_checks_as_the_guide(typical: BlueprintInput) -> None:
    guide = words_of(compose(typical, usual_pages(typical)))
    assert all(check.title in guide for check in CHECKS)


def test_the_scale_and_the_safety_line_stand_below(
    filled_in: PdfReader, typical: BlueprintInput
) -> None:
    (text,) = page_texts(filled_in)
    assert "0–3 Fine. Carry on." in text
    assert "4–5 Ease off" in text
    assert "6 or more Stop." in text
    assert typical.safety.one_line in text
    assert "No better after two weeks? See a GP or physiotherapist." in text


def test_nothing_on_it_is_a_must(filled_in: PdfReader) -> None:
    (text,) = page_texts(filled_in)
    assert "Begin a new move only if all so far feels calm, legs too." in text
    assert "do less next time; if it keeps on, ask a GP or physio" in text


def test_without_a_pattern_it_sends_a_leg_to_the_guide_first(typical: BlueprintInput) -> None:
    line = "Something down one leg? Read “Find your pattern” in your guide first."
    assert line in words_of(compose_tracker(replace(typical, pattern=None)))
    assert line not in words_of(compose_tracker(typical))


def test_the_walk_of_the_guide_is_the_walk_of_the_tracker(typical: BlueprintInput) -> None:
    cells = re.findall(r"plan__cell--(walk|open)", compose(typical, usual_pages(typical)))
    assert [day for day, kind in enumerate(cells, 1) if kind == "walk"] == [load().plan.walk]
    assert len(cells) == len(DAYS)


def test_it_is_tagged_and_in_british_english_but_claims_no_conformance(
    filled_in: PdfReader,
) -> None:
    root: Any = filled_in.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en-GB"
    assert "/Metadata" not in root
    kinds = [element.get("/S") for element in structure(filled_in)]
    assert kinds.count("/Form") == 14 * 8 + 8
    assert {"/H1", "/Table", "/TH", "/TD", "/L"} <= set(kinds)


def test_the_title_says_what_it_is_and_nothing_about_her(typical: BlueprintInput) -> None:
    printed = press(with_pattern(typical), Edition.TRACKER)
    reader = PdfReader(BytesIO(printed.pdf))
    metadata: Mapping[str, Any] = reader.metadata or {}
    told = " ".join([*map(str, metadata.values()), *(reader.get_fields() or {})])
    assert metadata["/Title"] == "14-day tracker"
    assert not re.search(r"quiet|pattern|Priya", told, re.IGNORECASE)
    assert not re.search(r"quiet|pattern", " ".join(page_texts(reader)), re.IGNORECASE)


def test_the_typefaces_are_ours_and_inside_the_file(filled_in: PdfReader) -> None:
    found = fonts(filled_in)
    assert all(name.startswith(("Fraunces", "Source-Sans-3")) for name in found)
    assert all("/FontFile2" in font or "/FontFile3" in font for font in found.values())


def test_words_with_ligatures_come_out_whole(filled_in: PdfReader) -> None:
    (text,) = page_texts(filled_in)
    words = ("stiff", "flexor", "figure-4", "Fill it in", "Find", "fridge")
    assert all(word in text for word in words)


def test_the_file_is_small(tracker: Printed) -> None:
    assert len(tracker.pdf) < 400_000


def test_the_same_input_gives_the_same_bytes(typical: BlueprintInput, tracker: Printed) -> None:
    assert press(typical, Edition.TRACKER).pdf == tracker.pdf


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_every_sample_fits_one_page(path: Any) -> None:
    assert press(BlueprintInput.from_mapping(sample(path.stem)), Edition.TRACKER).pages == 1


def test_the_widest_name_and_the_longest_safety_line_fit_one_page(typical: BlueprintInput) -> None:
    safety = replace(typical.safety, one_line=("A long line about signs. " * 12)[:300].strip())
    printed = press(replace(typical, first_name="W" * 80, safety=safety), Edition.TRACKER)
    assert printed.pages == 1
    (text,) = page_texts(PdfReader(BytesIO(printed.pdf)))
    assert text.replace("Week", "").count("W") == 80
    assert flat(safety.one_line) in text


def test_a_copy_without_a_name_is_for_nobody_in_particular() -> None:
    assert "For " not in words_of(compose_tracker(BlueprintInput.from_mapping(sample("minimal"))))


@pytest.mark.parametrize("typed", HOSTILE)
def test_what_is_typed_stays_text(typical: BlueprintInput, typed: str) -> None:
    dull = "x" * len(typed)
    plain = compose_tracker(replace(typical, first_name=dull, brand=Brand(trading_name=dull)))
    hostile = compose_tracker(replace(typical, first_name=typed, brand=Brand(trading_name=typed)))
    kept = r'<(\w+)|(?:href|src|style|name|title|class|value)="([^"]*)"'
    assert re.findall(kept, hostile) == re.findall(kept, plain)
