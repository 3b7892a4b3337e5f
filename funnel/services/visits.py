"""Counting visits without knowing anyone: a number for a day, a page and a source."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from funnel.db.people import Subscriber, VisitCount
from funnel.db.upsert import insert_into
from funnel.domain.schedule import DEFAULT_ZONE, zone_of

NO_SOURCE = ""  # for what must not be tied to where its visitor came from


class CountedPage(StrEnum):
    """The pages whose visits are counted; the stops are the red-flag pages of the self-check.

    The last is no page: people who asked, never confirmed, and are known no more.
    """

    LANDING = "landing"
    CHALLENGE = "challenge"
    CHECK_STARTED = "self-check"
    CHECK_DONE = "self-check-done"
    STOP_999 = "self-check-999"
    STOP_111 = "self-check-111"
    UNCONFIRMED = "asked-never-confirmed"


def record_visits(
    session: Session, counts: Mapping[tuple[str, str], int], *, now: datetime
) -> None:
    """Add counts, by page and source, to today's."""
    day = _day(now)
    _add(session, {(day, page, source): visits for (page, source), visits in counts.items()})


def count_unconfirmed(session: Session, people: Iterable[Subscriber]) -> None:
    """Keep of people who are to be deleted unconfirmed that somebody asked, when and from where."""
    asked = Counter(
        (_day(person.created_at), CountedPage.UNCONFIRMED.value, person.source)
        for person in people
        if not person.is_test
    )
    _add(session, asked)


def _day(when: datetime) -> str:
    return when.astimezone(zone_of(DEFAULT_ZONE)).date().isoformat()


def _add(session: Session, counts: Mapping[tuple[str, str, str], int]) -> None:
    for (day, page, source), visits in sorted(counts.items()):
        statement = insert_into(session, VisitCount).values(
            day=day, page=page, source=source, visits=visits
        )
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["day", "page", "source"],
                set_={"visits": VisitCount.visits + visits},
            )
        )
