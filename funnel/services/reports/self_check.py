"""The self-check in numbers: how many began and ended it, and how many were sent to get help."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from funnel.db.people import VisitCount
from funnel.domain.schedule import DEFAULT_ZONE, zone_of
from funnel.services.visits import CountedPage

WEEKS = 8


@dataclass(frozen=True)
class SelfCheckCounts:
    """Visits in the last weeks. They are counted without knowing anyone."""

    weeks: int
    started: int
    done: int
    sent_to_999: int
    sent_to_111: int


def self_check(session: Session, *, now: datetime, weeks: int = WEEKS) -> SelfCheckCounts:
    """The counts since so many weeks ago, by days of the practice."""
    first_day = (now - timedelta(weeks=weeks)).astimezone(zone_of(DEFAULT_ZONE)).date().isoformat()
    query = (
        select(VisitCount.page, func.sum(VisitCount.visits))
        .where(VisitCount.day >= first_day)
        .group_by(VisitCount.page)
    )
    found = {page: int(visits) for page, visits in session.execute(query)}
    return SelfCheckCounts(
        weeks=weeks,
        started=found.get(CountedPage.CHECK_STARTED, 0),
        done=found.get(CountedPage.CHECK_DONE, 0),
        sent_to_999=found.get(CountedPage.STOP_999, 0),
        sent_to_111=found.get(CountedPage.STOP_111, 0),
    )
