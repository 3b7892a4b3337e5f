"""The figures by name: each with its frame, its title and a description for those who listen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from html import escape

from blueprint.figures import scenes
from blueprint.figures.ink import Drawing, number


@dataclass(frozen=True)
class Figure:
    """One drawing: complete SVG text, its title, and a description of what it shows."""

    name: str
    svg: str
    title: str
    description: str


@dataclass(frozen=True)
class Frame:
    """The part of the plane a drawing shows, in centimetres; the mat is at y = 0."""

    left: float
    bottom: float
    right: float
    top: float

    def view_box(self) -> str:
        sides = (self.left, -self.top, self.right - self.left, self.top - self.bottom)
        return " ".join(number(side) for side in sides)


@dataclass(frozen=True)
class Entry:
    scene: Callable[[], Drawing]
    frame: Frame
    title: str
    description: str


LYING, KNEELING = Frame(-46, -7, 130, 62), Frame(-66, -7, 88, 140)
CLAMSHELL = Frame(-120, -30, 104, 64)
ON_BACK = "Lying on the back, knees bent, feet flat"

ENTRIES = {
    "stand": Entry(
        scenes.stand,
        Frame(-42, -5, 46, 178),
        "Standing tall",
        "A person stands at ease, seen from the side.",
    ),
    "rest": Entry(
        scenes.rest,
        Frame(-46, -7, 152, 48),
        "Lying at rest",
        "Lying on the back, knees over a cushion, one hand on the belly.",
    ),
    "crossed-posture": Entry(
        scenes.crossed_posture,
        Frame(-84, -5, 88, 180),
        "The crossed pattern, seen from the side",
        "A standing person with the pelvis tipped forward and a deeper curve in the lower back. "
        "A solid line joins the tight lower back and the tight hip flexors; a dotted line joins "
        "the quiet tummy muscles and the quiet glutes. The lines cross at the pelvis.",
    ),
    "hip-flexor-start": Entry(
        partial(scenes.hip_flexor, False),
        KNEELING,
        "Half-kneeling hip flexor stretch, start",
        "One knee on a cushion, the other foot in front, trunk tall, hips above the knee.",
    ),
    "hip-flexor-end": Entry(
        partial(scenes.hip_flexor, True),
        KNEELING,
        "Half-kneeling hip flexor stretch, end",
        "Tailbone tucked under, the whole pelvis moved forward, trunk still tall.",
    ),
    "figure-four-start": Entry(
        partial(scenes.figure_four, False),
        Frame(-46, -7, 130, 62),
        "Lying figure-4 stretch, start",
        "Lying on the back, one foot flat, the other ankle resting on the bent knee.",
    ),
    "figure-four-end": Entry(
        partial(scenes.figure_four, True),
        Frame(-46, -7, 130, 84),
        "Lying figure-4 stretch, end",
        "The hands hold behind the thigh and draw it to the chest; head and shoulders stay down.",
    ),
    "bridge-start": Entry(
        scenes.bridge_start, LYING, "Glute bridge, start", f"{ON_BACK}, arms by the side."
    ),
    "bridge-top": Entry(
        scenes.bridge_top,
        LYING,
        "Glute bridge, top",
        f"{ON_BACK}; hips lifted until shoulders, hips and knees are in line.",
    ),
    "bridge-cover": Entry(
        scenes.bridge_cover,
        Frame(-46, -0.5, 130, 62),
        "A person in a glute bridge",
        "Shoulders, hips and knees form one long line.",
    ),
    "clamshell-start": Entry(
        partial(scenes.clamshell, False),
        CLAMSHELL,
        "Clamshell, start",
        "Lying on the side, knees bent and stacked, head on the lower arm.",
    ),
    "clamshell-end": Entry(
        partial(scenes.clamshell, True),
        CLAMSHELL,
        "Clamshell, end",
        "Heels together, top knee opened towards the ceiling, pelvis still.",
    ),
    "squat-start": Entry(
        scenes.squat_start,
        Frame(-82, -6, 66, 178),
        "Squat to chair, start",
        "Standing tall in front of a chair, feet hip-width apart.",
    ),
    "squat-end": Entry(
        scenes.squat_end,
        Frame(-80, -6, 74, 128),
        "Squat to chair, end",
        "Hips reached back until they touch the seat, arms forward, back long.",
    ),
}


def names() -> tuple[str, ...]:
    """The names that `draw` knows."""
    return tuple(ENTRIES)


@lru_cache(maxsize=256)
def draw(name: str, *, title: str | None = None) -> Figure:
    """The figure of that name; `title` replaces its own. Raises KeyError for an unknown name.

    Ids inside the SVG come from the name, so different figures may share a page.
    """
    entry = ENTRIES[name]
    heading = title or entry.title
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="figure__svg" role="img"'
        f' viewBox="{entry.frame.view_box()}"'
        f' aria-labelledby="fig-{name}-title fig-{name}-desc">'
        f'<title id="fig-{name}-title">{escape(heading)}</title>'
        f'<desc id="fig-{name}-desc">{escape(entry.description)}</desc>'
        f"{''.join(entry.scene().parts)}</svg>"
    )
    return Figure(name, svg, heading, entry.description)
