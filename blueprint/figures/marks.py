"""Teaching marks: the muscle that works, the way to move, the line to notice."""

from __future__ import annotations

from collections.abc import Sequence

from blueprint.figures.geometry import Point
from blueprint.figures.ink import Drawing


def muscle(drawing: Drawing, start: Point, end: Point, width: float, bow: float = 0.0) -> None:
    """A spindle with three fibres: the muscle that works or is stretched.

    The pale edge and fibres keep it clear of dark clothes when printed in grey.
    """
    across = (end - start).unit().left_normal()
    middle = start.towards(end, 0.5) + across.times(bow)

    def beside(tip: Point, side: float) -> Point:
        return tip.towards(middle, 0.55) + across.times(side * width * 0.42 + bow * 0.25)

    belly = across.times(width / 2)
    outline = [start, beside(start, 1), middle + belly, beside(end, 1), end]
    outline += [beside(end, -1), middle - belly, beside(start, -1)]
    drawing.rimmed(outline, "glow", 0.8)
    near, far = start.towards(middle, 0.3), end.towards(middle, 0.3)
    asides = [across.times(share * width) for share in (-0.24, 0.0, 0.24)]
    fibres = [[near + a.times(0.6), middle + a, far + a.times(0.6)] for a in asides]
    drawing.fibres(fibres, "fibre", 0.7)


def arrow(drawing: Drawing, start: Point, end: Point, bow: float = 0.0) -> None:
    """A motion arrow; `bow` bends it to the left of its direction."""
    control = start.towards(end, 0.5) + (end - start).left_normal().times(bow)
    shares = (0, 0.25, 0.5, 0.75, 1)
    bent = [start.towards(control, t).towards(control.towards(end, t), t) for t in shares]
    drawing.curve(bent, "move", 2.4)
    back = (control - end).angle()
    tips = [end.step(back - 32, 6.5), end, end.step(back + 32, 6.5)]
    drawing.line(tips, "move", 2.4)


def guide_line(drawing: Drawing, start: Point, end: Point) -> None:
    """A dotted line that shows how body parts line up."""
    drawing.line([start, end], "move", 1.3, dash="0.1 4")


def soft_path(drawing: Drawing, path: Sequence[Point]) -> None:
    """A calm dotted line along the body, pale-rimmed, from a dot at its start."""
    drawing.curve(path, "halo", 3.8, dash="0.1 6.4")
    drawing.curve(path, "glow", 2.5, dash="0.1 6.4")
    spot(drawing, path[0], "glow")


def spot(drawing: Drawing, place: Point, role: str) -> None:
    drawing.dot(place, 4.6, "halo")
    drawing.dot(place, 3.5, role)
