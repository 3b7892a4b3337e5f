"""The printed guide, read back: what a reader, a screen reader and a search box get."""

import re
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from blueprint import figures
from blueprint.compose import usual_pages
from blueprint.editions import Edition
from blueprint.model import BlueprintInput
from blueprint.render import Printed, press, press_whole, render
from blueprint.words import load
from tests.blueprint.conftest import SAMPLES, sample
from tests.blueprint.reading import flat, fonts, page_texts, structure
from tests.blueprint.runs import runs

ALL = sorted(path.stem for path in SAMPLES.glob("*.json"))
A4_WIDTH = 595.3  # points
OURS = ("Fraunces", "Source-Sans-3", "Noto-Naskh-Arabic", "Noto-Serif-Hebrew")


def test_the_guide_has_sixteen_pages_each_with_its_chapter(
    typical: BlueprintInput, printed: Printed
) -> None:
    usual = usual_pages(typical)
    assert printed.pages == 16
    assert {place: printed.places[place] for place in usual} == usual


def test_every_red_flag_stands_by_page_three(pages: list[str], typical: BlueprintInput) -> None:
    opening = " ".join(pages[:3])
    safety = typical.safety
    for line in (*safety.urgent, *safety.soon, safety.routine, safety.ask_first):
        assert line in opening
    assert "Call 999 or go to A&E now" in opening
    assert "do not drive yourself" in opening


def test_every_inner_page_points_to_the_safety_page(pages: list[str]) -> None:
    assert all("Safety signs: page 3" in text for text in pages[1:])


def test_the_last_page_repeats_the_safety_line(pages: list[str], typical: BlueprintInput) -> None:
    assert typical.safety.one_line in pages[-1]


def test_the_name_is_on_the_cover_and_in_the_title(reader: PdfReader, pages: list[str]) -> None:
    assert "Made for Priya" in pages[0]
    assert reader.metadata is not None
    assert reader.metadata.title == "P.A.I.N Relief Blueprint for Priya"


def test_the_guide_is_tagged_in_british_english_and_marked_ua(reader: PdfReader) -> None:
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]  # type: ignore[index]  # pypdf is loose
    assert root["/Lang"] == "en-GB"  # type: ignore[index]  # pypdf is loose
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]  # type: ignore[index]  # pypdf is loose
    xmp = root["/Metadata"].get_object().get_data()  # type: ignore[index]  # pypdf is loose
    assert b"pdfuaid" in xmp


def test_headings_lists_tables_and_figures_are_tagged(reader: PdfReader) -> None:
    kinds = [element.get("/S") for element in structure(reader)]
    assert kinds.count("/H1") == 1
    assert kinds.count("/Table") == 3
    assert {"/H2", "/H3", "/L", "/LI", "/TH", "/TD", "/Link", "/Figure"} <= set(kinds)


def test_every_picture_has_words_for_those_who_listen(reader: PdfReader) -> None:
    drawn = [element for element in structure(reader) if element.get("/S") == "/Figure"]
    spoken = {flat(str(element.get("/Alt", ""))) for element in drawn}
    used = {plate.name for technique in load().techniques for plate in technique.figures}
    assert "" not in spoken
    assert {flat(figures.draw(name).description) for name in used} <= spoken


def titles(items: list[object]) -> list[str]:
    nested = (titles(i) if isinstance(i, list) else [str(i["/Title"])] for i in items)  # type: ignore[index]  # pypdf is loose
    return [title for group in nested for title in group]


def flat_pages(printed: Printed) -> list[str]:
    return page_texts(PdfReader(BytesIO(printed.pdf)))


def test_every_technique_has_a_bookmark(reader: PdfReader) -> None:
    marks = titles(list(reader.outline))
    assert all(any(technique.name in mark for mark in marks) for technique in load().techniques)


def test_all_typefaces_are_ours_and_inside_the_file(reader: PdfReader) -> None:
    found = fonts(reader)
    assert found
    assert all(name.startswith(OURS) for name in found)
    assert all("/FontFile2" in font or "/FontFile3" in font for font in found.values())


def test_words_with_ligatures_come_out_whole(pages: list[str]) -> None:
    text = " ".join(pages)
    for word in (
        "flexor",
        "stiffness",
        "figure-4",
        "first",
        "flat",
        "lifting",
        "fits",
    ):
        assert word in text


def test_the_way_to_the_challenge_is_a_link_and_is_written_out(
    reader: PdfReader, pages: list[str], typical: BlueprintInput
) -> None:
    links = [
        str(mark.get_object()["/A"]["/URI"])
        for page in reader.pages
        for mark in page.get("/Annots", [])
        if "/URI" in mark.get_object().get("/A", {})
    ]
    assert typical.challenge_url in links
    assert "example.test/challenge" in pages[usual_pages(typical)["next-step"] - 1]


def test_the_file_is_small_enough_to_mail_a_link_to(printed: Printed) -> None:
    assert len(printed.pdf) < 1_500_000


def test_the_same_input_gives_the_same_bytes(typical: BlueprintInput, printed: Printed) -> None:
    assert render(typical) == printed.pdf


def test_the_longest_values_still_fill_sixteen_pages_of_our_own_typefaces() -> None:
    longest = press(BlueprintInput.from_mapping(sample("longest")))
    assert longest.pages == 16


@pytest.mark.parametrize(("share", "figure"), [(0.5, "rest"), (0.6, "one-side"), (1, "one-side")])
def test_a_pattern_of_any_length_keeps_to_its_page(share: float, figure: str) -> None:
    record: Any = sample("longest")
    own = record["pattern"]
    for field in ("headline", "lead", "not_this", "order_note"):
        own[field] = own[field][: int(len(own[field]) * share)]
    for lines in (own["explanation"], record["told"]):
        lines[:] = [line[: int(len(line) * share)] for line in lines]
    guide = BlueprintInput.from_mapping(record | {"pattern": own | {"figure": figure}})
    assert press(guide).places["first-move"] == 3


LONG = {
    "first_name": "m" * 80,
    "told": ["t" * 120],
    "challenge_url": "https://example.test/" + "u" * 470,
    "challenge_days": ["d" * 60] * 5,
    "pain_steps": [{"letter": letter, "title": "m" * 40, "text": "x" * 90} for letter in "PAIN"],
}


@pytest.mark.parametrize("edition", [Edition.GUIDE, Edition.LARGE])
def test_what_has_no_break_in_it_stays_on_the_page(edition: Edition) -> None:
    record: Any = sample("typical") | LONG
    record["safety"] |= {"urgent": ["s" * 160], "soon": ["q" * 160], "one_line": "o" * 120}
    guide = BlueprintInput.from_mapping(record)
    for page in PdfReader(BytesIO(press_whole(guide, edition).pdf)).pages:
        assert max(run.right for run in runs(page)) < A4_WIDTH - 8


def test_the_signs_for_111_are_read_as_easily_as_those_for_999(reader: PdfReader) -> None:
    sizes = [run.size for run in runs(reader.pages[2]) if run.baseline > 420]
    assert min(size for size in sizes if size > 1) >= 9.9


def test_her_name_her_answers_and_the_date_stand_on_the_personal_pages_only() -> None:
    record = sample("typical")
    record |= {"first_name": "Zuleika", "made_on": "2031-03-09", "told": ["Quixotic."]}
    printed = press_whole(BlueprintInput.from_mapping(record))
    own, shared = flat_pages(printed)[:2], " ".join(flat_pages(printed)[2:])
    assert "Made for Zuleika 9 March 2031" in own[0]
    assert "Hello Zuleika." in own[1]
    assert "Quixotic." in own[1]
    assert not re.search("Zuleika|2031|March|Quixotic", shared)


def test_the_pattern_is_named_on_no_label_of_the_file(
    printed: Printed, reader: PdfReader, typical: BlueprintInput
) -> None:
    assert typical.pattern is not None
    labels = [*titles(list(reader.outline)), *map(str, (reader.metadata or {}).values())]
    said = (typical.pattern.key, typical.pattern.name, typical.pattern.headline)
    assert not [label for label in labels for words in said if words.lower() in label.lower()]
    assert "Your pattern" in labels
    assert all(words.encode() not in printed.pdf for words in said)


def test_the_bookmarks_follow_her_order() -> None:
    guide = BlueprintInput.from_mapping(sample("leg-symptoms"))
    marks = titles(list(PdfReader(BytesIO(press(guide).pdf)).outline))
    assert guide.pattern is not None
    named = [load().technique(key).name for key in guide.pattern.order]
    assert [mark for mark in marks if mark in named][-5:] == named
    assert marks[:2] == ["P.A.I.N Relief Blueprint", "Your pattern"]


def test_her_page_is_read_in_the_order_it_is_meant(
    pages: list[str], typical: BlueprintInput
) -> None:
    own = typical.pattern
    assert own is not None
    said = [own.headline, "Hello Priya", *typical.told, own.not_this, *own.explanation]
    places = [pages[1].index(flat(text)) for text in (*said, "Your order", own.order_note)]
    assert places == sorted(places)


def test_the_dose_of_her_pattern_is_on_the_pill() -> None:
    guide = BlueprintInput.from_mapping(sample("leg-symptoms"))
    texts = flat_pages(press(guide))
    assert guide.pattern is not None
    for place, key in enumerate(guide.pattern.order, usual_pages(guide)[guide.pattern.order[0]]):
        assert str(guide.pattern.dose(key)) in texts[place - 1]
    assert "Start with 3 small lifts" in texts[2]


def test_without_a_pattern_page_two_helps_to_find_one() -> None:
    guide = BlueprintInput.from_mapping(sample("minimal"))
    page = flat_pages(press(guide))[1]
    for sketch in load().patterns:
        assert sketch.sounds in page
    assert "Made for" not in page
    assert "[" not in page


@pytest.mark.parametrize("name", ALL)
def test_every_sample_prints_whole(name: str) -> None:
    guide = BlueprintInput.from_mapping(sample(name))
    printed = press(guide)
    assert 12 <= printed.pages <= 16
    assert len(printed.pdf) < 1_500_000
    assert printed.places["safety"] <= 3
    read = PdfReader(BytesIO(printed.pdf))
    assert read.trailer["/Root"]["/MarkInfo"]["/Marked"]  # type: ignore[index]  # pypdf is loose
    assert read.trailer["/Root"]["/Lang"] == "en-GB"  # type: ignore[index]  # pypdf is loose
    assert all("/FontFile2" in font or "/FontFile3" in font for font in fonts(read).values())
    assert len(titles(list(read.outline))) >= 14


def test_a_name_in_another_script_uses_a_bundled_typeface() -> None:
    guide = press(BlueprintInput.from_mapping(sample("arabic")))
    found = fonts(PdfReader(BytesIO(guide.pdf)))
    assert any(name.startswith("Noto-Naskh-Arabic") for name in found)
    assert all(name.startswith(OURS) for name in found)
    assert guide.pages == 16


@pytest.mark.parametrize("word", ["None", "Undefined", "{{", "}}", "&amp;"])
def test_no_seam_of_the_templates_shows(pages: list[str], word: str) -> None:
    assert word not in " ".join(pages)


def test_page_numbers_follow_when_the_therapist_adds_many_safety_lines() -> None:
    record = sample("typical")
    record["safety"] = dict(record["safety"]) | {"urgent": ["A long added line " * 10] * 20}  # type: ignore[call-overload]  # plain JSON
    guide = press(BlueprintInput.from_mapping(record))
    texts = [flat(page.extract_text()) for page in PdfReader(BytesIO(guide.pdf)).pages]
    assert guide.pages == 17
    assert (guide.places["safety"], guide.places["first-move"]) == (3, 4)
    assert f"page {guide.places['bridge']}" in texts[1]
    assert guide.places["plan"] == usual_pages(BlueprintInput.from_mapping(record))["plan"] + 1
