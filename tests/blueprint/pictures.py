"""Pictures of printed pages, and which of them are approved."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

from PIL import Image

import blueprint
from blueprint.editions import Edition
from blueprint.model import BlueprintInput
from blueprint.render import press

APPROVED = Path(__file__).parent / "approved"
SAMPLES = Path(blueprint.__file__).parent / "samples"
DPI = 40
PER_ROW = 6
GAP = 10
SURROUND = (222, 230, 226)

# What is approved: a sample, an edition, and how many of its pages. Page 2 tells a pattern.
BOOKS = (
    ("typical", Edition.GUIDE, 99),
    ("typical", Edition.TRACKER, 99),
    ("typical", Edition.LARGE, 99),
    ("quiet-glutes", Edition.GUIDE, 3),
    ("one-side", Edition.GUIDE, 3),
    ("leg-symptoms", Edition.GUIDE, 3),
    ("all-rounder", Edition.GUIDE, 3),
    ("minimal", Edition.GUIDE, 3),
)


def folder(sample: str, edition: Edition) -> Path:
    """Where the approved pictures of a book lie."""
    return APPROVED / f"{sample}-{edition}"


def pictures(sample: str, edition: Edition, most: int, dpi: int = DPI) -> list[Image.Image]:
    """The first pages of a sample as grey pictures."""
    document = json.loads((SAMPLES / f"{sample}.json").read_text(encoding="utf-8"))
    pdf = press(BlueprintInput.from_mapping(document), edition).pdf
    return [page.convert("L") for page in rastered(pdf, most, dpi)]


def rastered(pdf: bytes, most: int, dpi: int) -> list[Image.Image]:
    """The first pages of a PDF, in colour."""
    with tempfile.TemporaryDirectory() as scraps:
        source = Path(scraps) / "book.pdf"
        source.write_bytes(pdf)
        command = ["pdftoppm", "-r", str(dpi), "-l", str(most), "-png", str(source), f"{scraps}/p"]
        subprocess.run(command, check=True)
        return [_loaded(path) for path in sorted(Path(scraps).glob("p-*.png"))]


def _loaded(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB")


def contact_sheet(pages: list[Image.Image]) -> Image.Image:
    """All pages of a book side by side."""
    wide, high = pages[0].size
    rows = -(-len(pages) // PER_ROW)
    across = min(PER_ROW, len(pages))
    sheet = Image.new("RGB", (across * (wide + GAP) + GAP, rows * (high + GAP) + GAP), SURROUND)
    for place, page in enumerate(pages):
        row, column = divmod(place, PER_ROW)
        sheet.paste(page, (GAP + column * (wide + GAP), GAP + row * (high + GAP)))
    return sheet
