"""The figures by name: each drawn as complete SVG with a title and a description."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from html import escape

from blueprint.figures.entries import ENTRIES
from blueprint.figures.stage import Stage


@dataclass(frozen=True)
class Figure:
    """One drawing: complete SVG text, its title, and a description of what it shows."""

    name: str
    svg: str
    title: str
    description: str


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
    stage = Stage(entry.person, entry.view)
    entry.scene(stage, entry.pose)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="figure__svg" role="img"'
        f' viewBox="{entry.frame.view_box()}" stroke-linecap="round" stroke-linejoin="round"'
        f' aria-labelledby="fig-{name}-title fig-{name}-desc">'
        f'<title id="fig-{name}-title">{escape(heading)}</title>'
        f'<desc id="fig-{name}-desc">{escape(entry.description)}</desc>'
        f"{''.join(stage.drawing.parts)}</svg>"
    )
    return Figure(name, svg, heading, entry.description)
