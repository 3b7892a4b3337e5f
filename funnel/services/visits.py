"""Counting visits without knowing anyone: a number for a day, a page and a source."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from funnel.db.people import VisitCount
from funnel.db.upsert import insert_into
from funnel.domain.schedule import DEFAULT_ZONE, zone_of


def record_visits(
    session: Session, counts: Mapping[tuple[str, str], int], *, now: datetime
) -> None:
    """Add counts, by page and source, to today's."""
    day = now.astimezone(zone_of(DEFAULT_ZONE)).date().isoformat()
    for (page, source), visits in sorted(counts.items()):
        statement = insert_into(session, VisitCount).values(
            day=day, page=page, source=source, visits=visits
        )
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["day", "page", "source"],
                set_={"visits": VisitCount.visits + visits},
            )
        )
