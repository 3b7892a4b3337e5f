"""The fillable 14-day tracker: one page of form fields, in the reader's order."""

from __future__ import annotations

from dataclasses import dataclass

from blueprint.compose import environment, order_of
from blueprint.model import BlueprintInput
from blueprint.plan import Row, two_weeks
from blueprint.typefaces import printable_name
from blueprint.words import load

WEEKS = (
    ("Week 1", "Day 7 is for a walk.", range(1, 8)),
    ("Week 2", "On day 14, look at your four checks again.", range(8, 15)),
)


@dataclass(frozen=True)
class Check:
    """One of the four checks of the guide, asked so that yes or no will do."""

    key: str
    title: str
    ask: str


CHECKS = (
    Check("side", "From the side", "is the lower back hollow?"),
    Check("chair", "Up from a chair", "stiff, or a tug, at first?"),
    Check("glutes", "Find your glutes", "thighs and back do it all?"),
    Check("sides", "Left and right", "is one side more tender?"),
)


@dataclass(frozen=True)
class Column:
    """One thing to tick, and the days on which the plan asks for it."""

    key: str
    name: str
    days: frozenset[int]
    step: int | None = None  # the place in the method; a walk has none


def compose_tracker(guide: BlueprintInput) -> str:
    """The complete HTML of one tracker. The name is text; it reaches no field, link or style."""
    return (
        environment()
        .get_template("tracker.html")
        .render(
            guide=guide,
            name=printable_name(guide.first_name),
            columns=columns(guide),
            weeks=WEEKS,
            checks=CHECKS,
        )
    )


def columns(guide: BlueprintInput) -> tuple[Column, ...]:
    """Her five techniques in her order, then the walk."""
    words = load()
    plan = two_weeks(words.plan, tuple(words.technique(key) for key in order_of(guide)))
    walk = Column("walk", "A walk or a swim", frozenset({words.plan.walk}))
    return (*(_column(row) for row in plan.rows), walk)


def _column(row: Row) -> Column:
    return Column(row.technique.key, row.technique.short, row.days, row.technique.step)
