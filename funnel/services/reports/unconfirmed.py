"""People who asked, never confirmed, and are known no more: only that they asked is counted."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from funnel.db.people import VisitCount
from funnel.domain.schedule import DEFAULT_ZONE, zone_of
from funnel.services.visits import CountedPage


@dataclass(frozen=True)
class Unconfirmed:
    """So many people asked on a local day, from one source."""

    day: date
    source: str
    count: int


def unconfirmed(session: Session, since: datetime) -> tuple[Unconfirmed, ...]:
    """All who asked on the local day of `since` or after it, and were let go."""
    first_day = since.astimezone(zone_of(DEFAULT_ZONE)).date().isoformat()
    query = select(VisitCount.day, VisitCount.source, VisitCount.visits).where(
        VisitCount.page == CountedPage.UNCONFIRMED, VisitCount.day >= first_day
    )
    return tuple(
        Unconfirmed(date.fromisoformat(row.day), row.source, row.visits)
        for row in session.execute(query.order_by(VisitCount.day, VisitCount.source))
    )


def ever_unconfirmed(session: Session) -> int:
    """All who ever were."""
    query = select(func.sum(VisitCount.visits)).where(VisitCount.page == CountedPage.UNCONFIRMED)
    return int(session.scalar(query) or 0)
