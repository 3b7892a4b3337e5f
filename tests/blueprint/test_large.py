"""The large-print edition, read back: the same words, large enough, none cut off, none stranded."""

import html
import re
from collections import Counter
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader
from pypdf.generic import Destination

from blueprint.compose import compose, usual_pages
from blueprint.editions import Edition
from blueprint.model import BlueprintInput
from blueprint.render import Printed, press
from tests.blueprint.conftest import sample
from tests.blueprint.reading import fonts, page_texts, structure
from tests.blueprint.runs import Run, runs

WIDTH, HEIGHT = 595.3, 841.9  # A4, in points
EDGE = 65  # points from below: under it only the repeats at the page's edge
SAMPLES = ("typical", "longest", "arabic")  # the last has no pattern
WORD = re.compile(r"[a-z’]+", re.IGNORECASE)
REPEATS = re.compile(r"P\.A\.I\.N Relief Blueprint|Safety signs: page \d+")


@pytest.fixture(scope="module", params=SAMPLES)
def copy(request: pytest.FixtureRequest) -> tuple[BlueprintInput, Printed]:
    guide = BlueprintInput.from_mapping(sample(request.param))
    return guide, press(guide, Edition.LARGE)


@pytest.fixture(scope="module")
def large(copy: tuple[BlueprintInput, Printed]) -> PdfReader:
    return PdfReader(BytesIO(copy[1].pdf))


@pytest.fixture(scope="module")
def text(large: PdfReader) -> list[list[Run]]:
    return [runs(page) for page in large.pages]


def body(page: Sequence[Run]) -> list[Run]:
    return [run for run in page if run.baseline > EDGE]


def letters(words: str) -> str:
    return re.sub(r"[\W\d_]+", "", words)


def test_all_text_is_sixteen_points_or_more_and_the_page_edges_fourteen(
    text: list[list[Run]],
) -> None:
    cover, *others = text
    assert min(run.size for run in cover) > 15.9
    assert min(run.size for page in others for run in body(page)) > 15.9
    assert min(run.size for page in others for run in page) > 13.9


def test_no_text_is_cut_off_at_an_edge(text: list[list[Run]]) -> None:
    for run in (run for page in text for run in page):
        assert run.left > 20
        assert run.right < WIDTH - 8  # the tabs stand at the outer edge
        assert 15 < run.baseline < HEIGHT - 30


def test_the_body_keeps_clear_of_the_page_foot(text: list[list[Run]]) -> None:
    for page in text[1:]:
        assert {round(run.size) for run in page if run.baseline <= EDGE} == {14}


def test_it_has_between_24_and_36_pages(copy: tuple[BlueprintInput, Printed]) -> None:
    assert 24 <= copy[1].pages <= 36


def test_every_red_flag_stands_by_page_three(
    copy: tuple[BlueprintInput, Printed], large: PdfReader
) -> None:
    safety = copy[0].safety
    opening = letters(" ".join(page_texts(large)[:3])).lower()
    for line in (safety.urgent_title, *safety.urgent, safety.urgent_note):
        assert letters(line).lower() in opening
    for line in (safety.soon_title, *safety.soon, safety.routine):
        assert letters(line).lower() in opening


def test_it_says_every_word_of_the_standard_edition(
    copy: tuple[BlueprintInput, Printed], large: PdfReader
) -> None:
    guide = copy[0]
    standard = compose(guide, usual_pages(guide)).split("<main", 1)[1].split(">", 1)[1]
    spoken = re.sub(r"<svg.*?</svg>|<[^>]+>", " ", standard, flags=re.DOTALL)
    cover, *others = page_texts(large)
    said = " ".join([cover, *(REPEATS.sub("", page) for page in others)])
    assert Counter(WORD.findall(html.unescape(spoken))) - Counter(WORD.findall(said)) == Counter()


def test_cross_references_lead_to_the_page_they_name(
    copy: tuple[BlueprintInput, Printed], large: PdfReader
) -> None:
    guide, printed = copy
    texts = page_texts(large)
    glance = " ".join(texts[printed.places["glance"] - 1 :][:2])
    assert f"Your two weeks {printed.places['plan']}" in glance
    assert "Two weeks, little by little" in texts[printed.places["plan"] - 1]
    for technique in guide.pattern.order if guide.pattern else ():
        assert "Technique " in texts[printed.places[technique] - 1]


def test_no_heading_is_stranded_at_the_foot_of_a_page(text: list[list[Run]]) -> None:
    for number, page in enumerate(text[1:], 2):
        lowest = min(run.baseline for run in body(page))
        sizes = {round(run.size) for run in page if abs(run.baseline - lowest) < 4}
        assert 16 in sizes or lowest > 180, f"page {number}"  # lines to write on may follow


def test_no_page_is_left_nearly_empty(text: list[list[Run]]) -> None:
    for number, page in enumerate(text, 1):
        assert min(run.baseline for run in body(page)) < HEIGHT * 0.82, f"page {number}"


def test_it_is_tagged_bookmarked_and_marked_ua(large: PdfReader) -> None:
    root: Any = large.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en-GB"
    assert b"pdfuaid" in root["/Metadata"].get_object().get_data()
    kinds = [element.get("/S") for element in structure(large)]
    assert kinds.count("/H1") == 1
    assert {"/H2", "/H3", "/L", "/Table", "/Figure", "/Link"} <= set(kinds)
    marks = [mark.title for mark in _bookmarks(large.outline) if mark.title]
    assert "Two weeks, little by little" in marks


def _bookmarks(items: Any) -> list[Destination]:
    nested = (_bookmarks(item) if isinstance(item, list) else [item] for item in items)
    return [mark for group in nested for mark in group]


def test_the_typefaces_are_inside_the_file(large: PdfReader) -> None:
    assert all("/FontFile2" in font or "/FontFile3" in font for font in fonts(large).values())


def test_the_file_is_small_enough_to_mail_a_link_to(copy: tuple[BlueprintInput, Printed]) -> None:
    assert len(copy[1].pdf) < 1_500_000


def test_the_same_input_gives_the_same_bytes(copy: tuple[BlueprintInput, Printed]) -> None:
    guide, printed = copy
    if guide.first_name == "Priya":
        assert press(guide, Edition.LARGE).pdf == printed.pdf
