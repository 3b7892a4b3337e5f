"""Every page still looks as it did when somebody looked at it and said yes."""

import pytest
from PIL import Image, ImageDraw

from blueprint.editions import Edition
from tests.blueprint.pictures import BOOKS, folder, pictures
from tests.support.pictures import difference


@pytest.mark.parametrize(("sample", "edition", "most"), BOOKS)
def test_pages_look_as_they_were_approved(sample: str, edition: Edition, most: int) -> None:
    approved = sorted(folder(sample, edition).glob("*.png"))
    pages = pictures(sample, edition, most)
    assert len(pages) == len(approved), "make approve, after looking at each page"
    seen = []
    for page, path in zip(pages, approved, strict=True):
        with Image.open(path) as picture:
            if difference(page, picture.convert("L")).is_visible:
                seen.append(path.name)
    assert not seen, f"{sample} {edition}: pages {seen} look different; make approve, if better"


def test_a_page_that_changed_would_be_noticed() -> None:
    page = pictures("typical", Edition.TRACKER, 1)[0]
    assert not difference(page, page).is_visible
    moved = Image.new("L", page.size, 255)
    moved.paste(page, (6, 0))
    assert difference(page, moved).is_visible
    torn = page.copy()
    ImageDraw.Draw(torn).rectangle((40, 40, 90, 90), fill=255)
    ImageDraw.Draw(torn).rectangle((40, 40, 90, 90), outline=0, width=6)
    assert difference(page, torn).is_visible
    assert difference(page, page.resize((10, 10))).is_visible
