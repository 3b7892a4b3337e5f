"""Counting visits without knowing anyone: a number for a day, a page and a source."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from funnel.db.people import VisitCount
from funnel.db.upsert import insert_into
from funnel.domain.schedule import DEFAULT_ZONE, zone_of

NO_SOURCE = ""  # for what must not be tied to where its visitor came from


class CountedPage(StrEnum):
    """The pages whose visits are counted; the stops are the red-flag pages of the self-check."""

    LANDING = "landing"
    CHALLENGE = "challenge"
    CHECK_STARTED = "self-check"
    CHECK_DONE = "self-check-done"
    STOP_999 = "self-check-999"
    STOP_111 = "self-check-111"


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
