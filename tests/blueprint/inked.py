"""Reads a drawn figure back: every mark with its colours and the places its ink reaches."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from xml.etree import ElementTree

from blueprint import figures
from blueprint.figures.geometry import Point

BODY = frozenset({"skin", "skin-far", "hair", "scarf", "shirt", "sleeve", "leg", "leg-far"})
PLACES = {"M": 1, "L": 1, "Q": 2, "c": 3, "s": 2}
LETTER_WIDTH = 0.5  # of the font size: Source Sans 3, semi-bold


@dataclass(frozen=True)
class Mark:
    """One element of the drawing; `places` are on its edge, y up, without half the stroke."""

    role: str
    fill: str
    stroke: str
    width: float
    places: tuple[Point, ...]

    def lowest(self) -> float:
        return min(place.y for place in self.places)


def parsed(name: str) -> ElementTree.Element:
    return ElementTree.fromstring(figures.draw(name).svg)  # noqa: S314  # our own drawing


def marks(name: str) -> list[Mark]:
    shapes = [node for node in parsed(name) if _tag(node) not in {"title", "desc"}]
    return [_mark(node) for node in shapes]


def body(name: str) -> list[Mark]:
    return [mark for mark in marks(name) if mark.role in BODY]


def _tag(node: ElementTree.Element) -> str:
    return node.tag.rpartition("}")[2]


def _mark(node: ElementTree.Element) -> Mark:
    return Mark(
        role=node.get("class", "").removeprefix("fig-"),
        fill=node.get("fill", ""),
        stroke=node.get("stroke", ""),
        width=float(node.get("stroke-width", 0)),
        places=tuple(_places(node)),
    )


def _places(node: ElementTree.Element) -> Iterator[Point]:
    if _tag(node) == "path":
        yield from _path(node.get("d", ""))
    elif _tag(node) == "circle":
        x, y, r = (float(node.get(key, 0)) for key in ("cx", "cy", "r"))
        yield from (Point(x - r, -y), Point(x + r, -y), Point(x, r - y), Point(x, -r - y))
    else:
        left, top, width, height = _box(node)
        yield from (Point(left, -top), Point(left + width, -top - height))


def _box(node: ElementTree.Element) -> tuple[float, float, float, float]:
    x, y = float(node.get("x", 0)), float(node.get("y", 0))
    if _tag(node) == "rect":
        return x, y, float(node.get("width", 0)), float(node.get("height", 0))
    size, text = float(node.get("font-size", 0)), node.text or ""
    width = len(text) * size * LETTER_WIDTH
    left = x - width if node.get("text-anchor") == "end" else x
    return left, y - size, width, size


def _path(d: str) -> Iterator[Point]:
    """Every place on the path and along its curves (four on each piece), y up."""
    at, handle = Point(0, 0), Point(0, 0)
    for command, numbers in re.findall(r"([MLQcs])([-\d. ]+)", d):
        values = [float(n) for n in re.findall(r"-?[\d.]+", numbers)]
        places = [Point(*pair) for pair in zip(values[::2], values[1::2], strict=True)]
        assert len(places) == PLACES[command], d
        if command in "cs":
            places = [at + place for place in places]
        if command == "s":
            places.insert(0, at + (at - handle))
        if command in "cs":
            yield from (_flip(_bezier((at, *places), step / 4)) for step in range(1, 5))
            handle = places[1]
        else:
            yield _flip(places[-1])
        at = places[-1]


def _bezier(points: tuple[Point, ...], share: float) -> Point:
    if len(points) == 1:
        return points[0]
    return _bezier(tuple(a.towards(b, share) for a, b in pairwise(points)), share)


def _flip(place: Point) -> Point:
    return Point(place.x, -place.y)
