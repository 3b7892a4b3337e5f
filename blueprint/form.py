"""What form fields need besides what WeasyPrint gives them, for viewers to draw them alike."""

from __future__ import annotations

from typing import Any

import pydyf


def finish_boxes(_document: object, pdf: Any) -> None:
    """A finisher for WeasyPrint: gives every box to tick a look of its own while it is empty.

    Without one, Chrome draws a second, smaller box inside ours. `pdf` is a `pydyf.PDF`.
    """
    boxes = [item for item in pdf.objects if _is_box(item)]
    if not boxes:
        return
    empty = pydyf.Stream(
        extra={"Type": "/XObject", "Subtype": "/Form", "BBox": pydyf.Array((0, 0, 1, 1))}
    )
    pdf.add_object(empty)
    for box in boxes:
        box["AP"]["N"]["Off"] = empty.reference
        del box["MK"]  # the colour of a border that is already drawn


def _is_box(item: object) -> bool:
    return isinstance(item, pydyf.Dictionary) and item.get("FT") == "/Btn"
