"""What a body stands, sits or lies on."""

from __future__ import annotations

from blueprint.figures.geometry import Point
from blueprint.figures.ink import Drawing

Bar = tuple[tuple[float, float], tuple[float, float], float, str]
SEAT_DEPTH = 4.6


def mat(drawing: Drawing, left: float, right: float, height: float = 5) -> None:
    drawing.slab(left, right, 0, height, "mat")


def floor(drawing: Drawing, left: float, right: float) -> None:
    mat(drawing, left, right, 3)


def chair(drawing: Drawing, back: float, front: float, height: float) -> None:
    """A plain chair that faces right: its back, seat and legs."""
    _bars(
        drawing,
        ((back + 7, height - 3), (back + 5, 0), 3.2, "seat-far"),
        ((front - 8, height - 3), (front - 6, 0), 3.2, "seat-far"),
        ((back + 2, height - 2), (back - 7, height + 49), 4, "seat"),
        ((back + 1.5, height - 3), (back - 2, 0), 4, "seat"),
        ((front - 2, height - 3), (front, 0), 4, "seat"),
    )
    drawing.slab(back - 1, front + 1, height, SEAT_DEPTH, "seat")


def stool(drawing: Drawing, back: float, front: float, height: float) -> None:
    """A seat without a back, so that the back of the sitter can be seen."""
    _bars(
        drawing,
        ((back + 9, height - 3), (back + 8, 0), 3.2, "seat-far"),
        ((front - 9, height - 3), (front - 8, 0), 3.2, "seat-far"),
        ((back + 3, height - 3), (back, 0), 4, "seat"),
        ((front - 3, height - 3), (front, 0), 4, "seat"),
    )
    drawing.slab(back - 1, front + 1, height, SEAT_DEPTH, "seat")


def desk(drawing: Drawing, left: float, right: float, height: float) -> None:
    """A table top with a leg at its far end and an open laptop on it."""
    _bars(
        drawing,
        ((right - 9, height - 2), (right - 8, 0), 3.2, "seat-far"),
        ((right - 3, height - 2), (right - 2, 0), 4, "seat"),
    )
    drawing.slab(left, right, height, 3.6, "seat")


def laptop(drawing: Drawing, left: float, right: float, height: float) -> None:
    drawing.bar(Point(right, height + 1), Point(right + 9, height + 24), 1.8, "leader")
    drawing.bar(Point(left, height + 0.9), Point(right + 1, height + 0.9), 1.8, "leader")


def cushion(drawing: Drawing, left: float, right: float, top: float) -> None:
    drawing.slab(left, right, top, top + 1.2, "pad")


def ball(drawing: Drawing, centre: Point, radius: float) -> None:
    drawing.dot(centre, radius, "band")


def mug(drawing: Drawing, middle: Point) -> None:
    drawing.slab(middle.x - 4, middle.x + 4, middle.y + 5, 10, "band")


def _bars(drawing: Drawing, *bars: Bar) -> None:
    for start, end, width, role in bars:
        drawing.bar(Point(*start), Point(*end), width, role)
