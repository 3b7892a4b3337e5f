"""Paths, colours and marks: from outlines to SVG shapes, in painting order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import groupby
from operator import itemgetter

from blueprint.figures.geometry import Point
from blueprint.figures.shapes import Shape


@dataclass(frozen=True)
class Ink:
    """A colour and the `fig-*` class under which a stylesheet may replace it."""

    colour: str
    role: str


@dataclass(frozen=True)
class Palette:
    """The colours of one drawing. `recolourable` adds classes; the cover keeps its colours."""

    skin: str
    skin_far: str
    hair: str
    shirt: str
    sleeve: str
    leg: str
    leg_far: str
    edge: str = "#e9f2f0"  # the thin line round near limbs: the colour of the panel behind
    mat: str = "#c5dcd7"
    pad: str = "#8fb8b0"
    scarf: str = "#35666f"
    band: str = "#d9b45b"
    seat: str = "#b99b70"
    seat_far: str = "#9d8159"
    glow: str = "#b8492a"
    move: str = "#b8492a"
    fibre: str = "#ffe3d6"
    quiet: str = "#2f6f73"
    halo: str = "#fffdf9"
    thread: str = "#fffdf9"
    word: str = "#17323a"
    leader: str = "#7d979a"
    recolourable: bool = True

    def ink(self, role: str) -> Ink:
        """The ink of a role such as "leg-far"."""
        colours: dict[str, str] = {
            name: value for name, value in vars(self).items() if isinstance(value, str)
        }
        return Ink(colours[role.replace("-", "_")], role if self.recolourable else "")


def number(value: float) -> str:
    """At most one decimal, and never a negative zero."""
    text = f"{value:.1f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def xy(point: Point) -> str:
    return f"{number(point.x)} {number(-point.y)}"


def element(tag: str, **attributes: str | float) -> str:
    """One empty SVG element; stroke_width becomes stroke-width, numbers are rounded."""
    pairs = ((name.rstrip("_").replace("_", "-"), value) for name, value in attributes.items())
    text = "".join(
        f' {name}="{escape(v) if isinstance(v, str) else number(v)}"' for name, v in pairs
    )
    return f"<{tag}{text}/>"


def classed(ink: Ink) -> dict[str, str]:
    return {"class_": f"fig-{ink.role}"} if ink.role else {}


def smooth_path(points: Sequence[Point], closed: bool = True) -> str:
    """A Catmull-Rom curve through the points, as cubic Bezier segments.

    Written from point to point to keep it short; `s` leaves out the first handle, which mirrors
    the last one of the segment before.
    """
    count = len(points)

    def at(index: int) -> Point:
        return points[index % count] if closed else points[max(0, min(count - 1, index))]

    pen = Pen(points[0])
    handle = points[0] + (at(1) - at(-1)).times(1 / 6)
    for i in range(count if closed else count - 1):
        end, after = at(i + 1), at(i + 2)
        second = end - (after - at(i)).times(1 / 6)
        pen.draw("s" if i else "c", *([] if i else [handle]), second, end)
    return "".join(pen.parts) + ("Z" if closed else "")


class Pen:
    """Writes path commands relative to the last place, rounded so that errors never add up."""

    def __init__(self, start: Point) -> None:
        self.parts = [f"M{xy(start)}"]
        self.x, self.y = round(start.x, 1), round(-start.y, 1)

    def draw(self, command: str, *places: Point) -> None:
        pairs = [number(n) for p in places for n in (p.x - self.x, -p.y - self.y)]
        text = " ".join(pairs).replace(" -", "-")
        self.parts.append(command + text)
        self.x, self.y = round(places[-1].x, 1), round(-places[-1].y, 1)


def anticlockwise(points: Sequence[Point]) -> Sequence[Point]:
    """The outline walked one way round, so that overlapping outlines never punch a hole."""
    pairs = zip(points, [*points[1:], points[0]], strict=True)
    area = sum(a.x * b.y - b.x * a.y for a, b in pairs)
    return points if area > 0 else list(reversed(points))


def limb_outline(start: Point, end: Point, shape: Shape) -> list[Point]:
    """The outline round the bone start-end. The front of a leg is on the left of its direction."""
    direction = (end - start).unit()
    front = direction.left_normal()
    centres = [start.towards(end, station.along) for station in shape]
    near_side = [c + front.times(s.front) for c, s in zip(centres, shape, strict=True)]
    far_side = [c - front.times(s.back) for c, s in zip(centres, shape, strict=True)]
    first, last = shape[0], shape[-1]
    start_cap = centres[0] - direction.times((first.front + first.back) * 0.42)
    end_cap = centres[-1] + direction.times((last.front + last.back) * 0.42)
    return [start_cap, *near_side, end_cap, *reversed(far_side)]


@dataclass
class Drawing:
    """Shapes in painting order."""

    palette: Palette
    parts: list[str] = field(default_factory=list)

    def shapes(self, outlines: list[tuple[Sequence[Point], str]], edge: float = 0.0) -> None:
        """Outlines that belong together: a paper edge goes round them all, never between them."""
        paths = [(smooth_path(anticlockwise(points)), role) for points, role in outlines]
        if edge and self.palette.edge:
            self._stroke("".join(path for path, _ in paths), "edge", edge * 2)
        for role, group in groupby(paths, key=itemgetter(1)):
            ink = self.palette.ink(role)
            path = "".join(path for path, _ in group)
            self.parts.append(element("path", d=path, fill=ink.colour, **classed(ink)))

    def shape(self, points: Sequence[Point], role: str) -> None:
        self.shapes([(points, role)])

    def rimmed(self, points: Sequence[Point], role: str, rim: float) -> None:
        """One outline with a pale rim, for a mark that lies on clothes."""
        ink, halo = self.palette.ink(role), self.palette.halo
        path, width = smooth_path(points), number(rim)
        colours = {"fill": ink.colour, "stroke": halo, "stroke_width": width}
        self.parts.append(element("path", d=path, **colours, **classed(ink)))

    def fibres(self, curves: Sequence[Sequence[Point]], role: str, width: float) -> None:
        """Several thin open curves in one stroke."""
        self._stroke("".join(smooth_path(curve, closed=False) for curve in curves), role, width)

    def curve(self, points: Sequence[Point], role: str, width: float, dash: str = "") -> None:
        self._stroke(smooth_path(points, closed=False), role, width, dash)

    def line(self, points: Sequence[Point], role: str, width: float, dash: str = "") -> None:
        self._stroke("M" + "L".join(xy(p) for p in points), role, width, dash)

    def _stroke(self, path: str, role: str, width: float, dash: str = "") -> None:
        ink = self.palette.ink(role)
        dashes = {"stroke_dasharray": dash} if dash else {}
        self.parts.append(
            element(
                "path",
                d=path,
                fill="none",
                stroke=ink.colour,
                stroke_width=width,
                **classed(ink),
                **dashes,
            )
        )

    def polygon(self, points: Sequence[Point], role: str, rounding: float) -> None:
        """A flat shape whose corners are rounded off over `rounding` centimetres."""
        ink, count, parts = self.palette.ink(role), len(points), []
        for i, corner in enumerate(points):
            into = corner + (points[i - 1] - corner).unit().times(rounding)
            out = corner + (points[(i + 1) % count] - corner).unit().times(rounding)
            parts.append(f"{'L' if i else 'M'}{xy(into)}Q{xy(corner)} {xy(out)}")
        path = "".join(parts) + "Z"
        self.parts.append(element("path", d=path, fill=ink.colour, **classed(ink)))

    def bar(self, start: Point, end: Point, width: float, role: str) -> None:
        """A straight rod with round corners, such as a chair leg."""
        aside = (end - start).unit().left_normal().times(width / 2)
        corners = [start + aside, end + aside, end - aside, start - aside]
        self.polygon(corners, role, width * 0.4)

    def dot(self, centre: Point, radius: float, role: str) -> None:
        ink = self.palette.ink(role)
        self.parts.append(
            element("circle", cx=centre.x, cy=-centre.y, r=radius, fill=ink.colour, **classed(ink))
        )

    def slab(self, left: float, right: float, top: float, height: float, role: str) -> None:
        ink = self.palette.ink(role)
        corner = min(3.0, height / 2)
        box = {"x": left, "y": -top, "width": right - left, "height": height, "rx": corner}
        self.parts.append(element("rect", **box, fill=ink.colour, **classed(ink)))

    def words(self, at: Point, text: str, role: str, anchor: str, size: float, weight: str) -> None:
        ink = self.palette.ink(role)
        opening = element(
            "text",
            x=at.x,
            y=-at.y,
            text_anchor=anchor,
            font_family="'Source Sans 3', sans-serif",
            font_size=size,
            font_weight=weight,
            fill=ink.colour,
            **classed(ink),
        ).removesuffix("/>")
        self.parts.append(f"{opening}>{escape(text)}</text>")
