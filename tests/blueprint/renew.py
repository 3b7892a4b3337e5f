"""`make approve`: the samples from the shipped words, then pictures of every page that is compared.

The contact sheets go into docs/images. Look at every page before you commit one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from blueprint.editions import Edition
from blueprint.model import BlueprintInput
from blueprint.render import press
from funnel.content.guide_document import guide_document, pattern_part
from tests.blueprint.conftest import SAMPLES, sample
from tests.blueprint.pictures import BOOKS, contact_sheet, folder, pictures, rastered
from tests.blueprint.test_samples import CATALOG, CHECK, NAMES, OF_PATTERN, REVIEW

IMAGES = Path(__file__).parents[2] / "docs" / "images"
SHEET_DPI = 36


def renew_samples() -> None:
    """Put the shipped safety words and patterns into every sample that repeats them."""
    shipped: Any = guide_document(CATALOG)["safety"]
    safety = {key: value for key, value in shipped.items() if key not in REVIEW}
    for name in NAMES:
        data: Any = sample(name)
        data["safety"] |= safety
        if name in OF_PATTERN:
            data["pattern"] = pattern_part(CHECK.pattern(OF_PATTERN[name]))
        text = json.dumps(data, ensure_ascii=False, indent=2)
        (SAMPLES / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")


def approve_pages() -> None:
    """Keep today's pictures as the approved ones."""
    for name, edition, most in BOOKS:
        place = folder(name, edition)
        place.mkdir(parents=True, exist_ok=True)
        for old in place.glob("*.png"):
            old.unlink()
        for number, page in enumerate(pictures(name, edition, most), 1):
            page.quantize(32).save(place / f"{number:02}.png", optimize=True)


def draw_sheets() -> None:
    """A contact sheet of each edition, of one pattern."""
    for edition in Edition:
        pdf = press(BlueprintInput.from_mapping(sample("typical")), edition).pdf
        sheet = contact_sheet(rastered(pdf, 99, SHEET_DPI))
        sheet.quantize(128).save(IMAGES / f"{edition}-pages.png", optimize=True)


if __name__ == "__main__":
    renew_samples()
    approve_pages()
    draw_sheets()
