"""Is this the database that we left, or one that was restored or copied meanwhile?"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True)
class Mark:
    """What is kept both in the database and beside it.

    `generation` grows with every tick, in the database first; `now` is the funnel's time of it.
    `place` is where the database lives: a copy lives elsewhere.
    """

    installation: str
    generation: int
    now: datetime
    place: str


class Lineage(StrEnum):
    """What comparing the two marks tells."""

    FIRST = "first"
    SAME = "same"
    RESTORED = "restored"
    COPIED = "copied"


def compare(
    known: Mark | None,
    beside: Mark | None,
    place: str,
    *,
    has_people: bool,
    is_new: bool = False,
) -> Lineage:
    """What the database's mark, the one beside it and its place tell together.

    `beside` is the mark of the same installation, or, for a database without one, of any. A mark
    beside that is behind is usual: it is written after the database's. For an installation that
    `is_new` it may not have been written at all yet.
    """
    if known is None:
        return Lineage.RESTORED if beside is not None and has_people else Lineage.FIRST
    if beside is not None and beside.generation > known.generation:
        return Lineage.RESTORED
    if place != known.place or (beside is None and not is_new):
        return Lineage.COPIED
    return Lineage.SAME
