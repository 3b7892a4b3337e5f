"""The bundled typefaces: which characters they can draw, and what a name becomes without them."""

from __future__ import annotations

from functools import cache

from fontTools.ttLib import TTFont  # type: ignore[import-untyped]  # it ships no types

from blueprint.words import DOCUMENT

FONTS = DOCUMENT / "fonts"


@cache
def drawable() -> frozenset[int]:
    """Every code point that at least one bundled typeface can draw."""
    points: set[int] = set()
    for path in sorted(FONTS.glob("*.woff2")):
        with TTFont(path, lazy=True) as font:
            points.update(font.getBestCmap())
    return frozenset(points)


def first_undrawable(text: str) -> str | None:
    """The first character that no bundled typeface can draw; a typeface of the machine would."""
    return next((ch for ch in text if ord(ch) not in drawable()), None)


def printable_name(name: str | None) -> str | None:
    """The name as the guide can print it, so that no copy ever shows empty boxes.

    Emoji and other signs that cannot be drawn are left out. If a letter is missing, the
    whole name is left out: half a name is worse than none.
    """
    if name is None or any(ch.isalpha() and ord(ch) not in drawable() for ch in name):
        return None
    kept = "".join(ch for ch in name if ord(ch) in drawable() or ch == " ")
    text = " ".join(kept.split())
    return text if any(ch.isalnum() for ch in text) else None
