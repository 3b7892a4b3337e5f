"""What screen readers and readers by touch are told: links that say where they lead, no footers."""

import re
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from blueprint import render
from blueprint.editions import Edition
from blueprint.model import BlueprintInput
from blueprint.render import Printed, press, press_whole
from tests.blueprint.account import Account
from tests.blueprint.reading import structure

FOOTER = re.compile(rb"/Artifact\s+<</Type /Pagination/Subtype /Footer>>\s+BDC")

CORNER = """<html lang="en"><title>x</title>
<style>@page { size: 400pt 800pt; margin: 30pt }</style>
<h1 style="margin: 0; font-size: 0"><img src="asset:figures/rest.svg" alt="At rest"
style="display: block; width: 40pt; height: 20pt"></h1></html>"""


@pytest.fixture(scope="module", params=["spliced", "whole", "large"])
def made(request: pytest.FixtureRequest, typical: BlueprintInput) -> Printed:
    if request.param == "spliced":
        return press(typical)
    return press_whole(typical, Edition.LARGE if request.param == "large" else Edition.GUIDE)


@pytest.fixture(scope="module")
def account(made: Printed) -> Account:
    return Account(made.pdf)


def test_every_link_inside_says_to_which_page_it_leads(made: Printed, account: Account) -> None:
    inner = [link for link in account.spoken_links if not link[0].startswith("http")]
    assert len(inner) > 20
    assert {said == f"Go to page {account.places[to][0]}" for to, said in inner} == {True}
    assert {to: place[0] for to, place in account.places.items()}.items() <= made.places.items()


def test_the_running_footer_is_an_artifact_and_all_other_text_is_in_the_tags(
    account: Account,
) -> None:
    pages = list(account.reader.pages)
    footers = [len(FOOTER.findall(content_of(page))) for page in pages]
    assert footers[0] == 0
    assert set(footers[1:]) == {3}
    assert account.unfaithful == []
    reached = {id_of(element) for element in structure(account.reader)}
    owners = account.root["/StructTreeRoot"]["/ParentTree"]["/Nums"][1::2]
    for owner in owners:
        found = owner.get_object()
        elements = found if isinstance(found, list) else [found]
        assert {id_of(each.get_object()) for each in elements} <= reached


def test_every_figure_lies_within_its_page_where_it_is_drawn(account: Account) -> None:
    page_of = {page.indirect_reference.idnum: page for page in account.reader.pages}  # type: ignore[union-attr]
    figures: list[Any] = [tag for tag in structure(account.reader) if tag.get("/S") == "/Figure"]
    assert len(figures) > 10
    for figure in figures:
        left, bottom, right, top = map(float, figure["/A"]["/BBox"])
        _, _, width, height = map(float, page_of[figure.raw_get("/Pg").idnum].mediabox)
        assert 0 <= left < right <= width + 0.01
        assert 0 <= bottom < top <= height + 0.01


def test_a_figure_in_the_upper_left_corner_is_measured_from_the_lower_left(
    typical: BlueprintInput, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render, "compose_tracker", lambda _guide: CORNER)
    (figure,) = [tag for tag in structure(read(typical)) if tag.get("/S") == "/Figure"]
    _, bottom, _, top = map(float, figure["/A"]["/BBox"])  # type: ignore[index]
    assert (bottom, top) == pytest.approx((770 - 20, 770), abs=1)


def read(guide: BlueprintInput) -> PdfReader:
    return PdfReader(BytesIO(press(guide, Edition.TRACKER).pdf))


def content_of(page: Any) -> bytes:
    data: bytes = page["/Contents"].get_data()
    return data


def id_of(element: Any) -> int:
    number: int = element.indirect_reference.idnum
    return number
