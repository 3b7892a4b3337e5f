"""Mends the tags that WeasyPrint gives a PDF: where links lead, where figures lie, no footers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pydyf

POINTS = 0.75  # in a CSS pixel


def finish_tags(pdf: Any, places: Mapping[str, int]) -> None:
    """Mend a `pydyf.PDF` before it is written; `places` has the page of each named place."""
    for item in pdf.objects:
        if not isinstance(item, pydyf.Dictionary):
            continue
        if item.get("Subtype") == "/Link" and "Dest" in item:
            item["Contents"] = pydyf.String(f"Go to page {places[item['Dest'].string]}")
        if item.get("S") == "/Figure":
            item["A"]["BBox"] = _in_points(item["A"]["BBox"], _at(pdf, item["Pg"]))
    _leave_out_footers(pdf)


def _at(pdf: Any, reference: bytes) -> Any:
    return pdf.objects[int(reference.partition(b" ")[0])]


def _in_points(box: Any, page: Any) -> Any:
    """A rectangle from the page's lower left corner; WeasyPrint's are pixels from its top left."""
    left, top, right, bottom = (POINTS * at for at in box)
    height = page["MediaBox"][3]
    return pydyf.Array((left, height - bottom, right, height - top))


def _leave_out_footers(pdf: Any) -> None:
    """Mark as an artifact what a page draws last and no branch of the tag tree leads to."""
    numbers = _at(pdf, _at(pdf, pdf.catalog["StructTreeRoot"])["ParentTree"])["Nums"]
    owners_by_key = dict(zip(numbers[::2], numbers[1::2], strict=True))
    for number in pdf.pages["Kids"][::3]:
        page = pdf.objects[number]
        owners = owners_by_key[page["StructParents"]]
        while owners and not _is_in_tree(pdf, owners[-1]):
            owners.pop()
            _make_artifact(_at(pdf, page["Contents"]).stream, len(owners))


def _is_in_tree(pdf: Any, element: bytes) -> bool:
    while parent := _at(pdf, element).get("P"):
        if element not in _at(pdf, parent)["K"]:
            return False
        element = parent
    return True


def _make_artifact(content: list[Any], number: int) -> None:
    """Let the marked content of that number be part of the page's furniture."""
    for i in range(len(content) - 1, 1, -1):
        if content[i] == b"BDC" and content[i - 1].get("MCID") == number:
            content[i - 2] = "/Artifact"
            content[i - 1] = pydyf.Dictionary({"Type": "/Pagination", "Subtype": "/Footer"})
            return
