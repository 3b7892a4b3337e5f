"""Where each piece of text stands on a printed page, and how large it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import hypot
from typing import Any, ClassVar

from pypdf import PageObject
from pypdf.generic import ContentStream

Matrix = tuple[float, float, float, float, float, float]
AS_IT_IS: Matrix = (1, 0, 0, 1, 0, 0)


@dataclass(frozen=True)
class Run:
    """Text set in one go; all measures in points, from the lower left corner of the page."""

    size: float
    left: float
    right: float
    baseline: float


def runs(page: PageObject) -> list[Run]:
    """Every piece of text on the page, that in drawings too. WeasyPrint sets two-byte glyphs."""
    return _Pen(page["/Resources"], AS_IT_IS, page.pdf).follow(page.get_contents())


class _Pen:
    """Follows the operators of a page or a drawing that have a part in where text stands."""

    def __init__(self, resources: Any, at: Matrix, pdf: Any) -> None:
        self._resources, self._at, self._pdf = resources, at, pdf
        self._kept: list[Matrix] = []
        self._line = AS_IT_IS
        self._font: dict[int, float] = {}
        self._size = 0.0
        self._found: list[Run] = []

    def follow(self, content: Any) -> list[Run]:
        for operands, operator in ContentStream(content, self._pdf).operations:
            if operator in self.ACTS:
                self.ACTS[operator](self, *operands)
        return self._found

    def _keep(self) -> None:
        self._kept.append(self._at)

    def _restore(self) -> None:
        self._at = self._kept.pop()

    def _move(self, *matrix: Any) -> None:
        self._at = _times(_matrix(matrix), self._at)

    def _begin_line(self, *matrix: Any) -> None:
        self._line = _matrix(matrix)

    def _take_font(self, name: Any, size: Any) -> None:
        self._font = _widths(self._resources["/Font"][name].get_object())
        self._size = float(size)

    def _draw(self, name: Any) -> None:
        drawn = self._resources["/XObject"][name].get_object()
        if drawn["/Subtype"] == "/Form":
            at = _times(_matrix(drawn.get("/Matrix", AS_IT_IS)), self._at)
            resources = drawn.get("/Resources", self._resources)
            self._found += _Pen(resources, at, self._pdf).follow(drawn)

    def _show(self, pieces: Any) -> None:
        along, _, c, d, left, baseline = _times(self._line, self._at)
        advance = sum(_advance(piece, self._font) for piece in pieces) / 1000 * self._size
        size = self._size * hypot(c, d)
        self._found.append(Run(size, left, left + advance * along, baseline))

    ACTS: ClassVar[dict[bytes, Callable[..., None]]] = {
        b"q": _keep,
        b"Q": _restore,
        b"cm": _move,
        b"Tm": _begin_line,
        b"Tf": _take_font,
        b"Do": _draw,
        b"TJ": _show,
    }


def _advance(piece: Any, font: dict[int, float]) -> float:
    """Thousandths of the type size: of glyphs, or of a shift between them."""
    if isinstance(piece, int | float):
        return -float(piece)
    data = piece.original_bytes
    glyphs = (int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2))
    return sum(font.get(glyph, 1000) for glyph in glyphs)


def _matrix(numbers: Any) -> Matrix:
    a, b, c, d, e, f = (float(number) for number in numbers)
    return a, b, c, d, e, f


def _times(inner: Matrix, outer: Matrix) -> Matrix:
    a, b, c, d, e, f = inner
    m, n, o, p, q, r = outer
    first = (a * m + b * o, a * n + b * p)
    second = (c * m + d * o, c * n + d * p)
    return (*first, *second, e * m + f * o + q, e * n + f * p + r)


def _widths(font: Any) -> dict[int, float]:
    """The width of each glyph in thousandths, from the font's list of first glyph and widths."""
    entries = font["/DescendantFonts"][0].get_object()["/W"]
    return {
        int(first) + i: float(width)
        for first, widths in zip(entries[::2], entries[1::2], strict=True)
        for i, width in enumerate(widths)
    }
