"""The list of people: searched, filtered, in pages, each with what happens next."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, case, exists, func, or_, select
from sqlalchemy.orm import Session

from funnel.db.mail import Enrolment, Message
from funnel.db.offers import ChallengeEntry, Purchase, WaitlistEntry
from funnel.db.people import Subscriber
from funnel.domain.delivery import MessageState
from funnel.domain.enrolment import EnrolmentState
from funnel.domain.people import PersonState
from funnel.services.advancing import SequenceEngine
from funnel.services.reports.upcoming import NextMail, next_mails

PAGE_SIZE = 50
MAX_SEARCH = 200


class Whereabouts(StrEnum):
    """The furthest place a person has come to, or why they are no longer on the way."""

    PENDING = "pending"
    GUIDE = "guide"
    CHALLENGE = "challenge"
    FINISHED = "finished"
    WAITING = "waiting"
    BOUGHT = "bought"
    LEFT = "left"
    UNREACHABLE = "unreachable"


class Concern(StrEnum):
    """Why somebody should look at a person."""

    HELD = "held"
    FAILED = "failed"


@dataclass(frozen=True)
class PersonRow:
    """One line of the list. `next_mail` is None when no series mail is to come."""

    id: int
    first_name: str | None
    email: str
    where: Whereabouts
    source: str
    since: datetime
    is_test: bool
    next_mail: NextMail | None


@dataclass(frozen=True)
class PeoplePage:
    """One page of people, newest first. `found` counts all pages; `counts` the whole house."""

    rows: tuple[PersonRow, ...]
    found: int
    page: int
    counts: dict[Whereabouts, int]
    concerns: dict[Concern, int]

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.found // PAGE_SIZE))

    @property
    def first(self) -> int:
        """The number of the first row shown, counted from one; 0 when there is none."""
        return (self.page - 1) * PAGE_SIZE + 1 if self.rows else 0

    @property
    def last(self) -> int:
        """The number of the last row shown."""
        return (self.page - 1) * PAGE_SIZE + len(self.rows)

    @property
    def everyone(self) -> int:
        """How many people there are, found or not."""
        return sum(self.counts.values())


def people(
    session: Session,
    *,
    engine: SequenceEngine,
    now: datetime,
    search: str = "",
    where: Whereabouts | None = None,
    concern: Concern | None = None,
    page: int = 1,
) -> PeoplePage:
    """People whose name or address contains `search`, in that place, a page of fifty."""
    found = _matching(search, where)
    if concern is not None:
        found = found.where(_asks_for_a_look(concern))
    total = session.scalar(select(func.count()).select_from(found.subquery())) or 0
    shown = min(max(page, 1), max(1, -(-total // PAGE_SIZE)))
    query = found.order_by(Subscriber.created_at.desc(), Subscriber.id.desc())
    rows = session.execute(query.limit(PAGE_SIZE).offset((shown - 1) * PAGE_SIZE)).all()
    mails = next_mails(session, [row.Subscriber.id for row in rows], engine=engine, now=now)
    return PeoplePage(
        rows=tuple(_person_row(row.Subscriber, row.place, mails) for row in rows),
        found=total,
        page=shown,
        counts=_counts(session),
        concerns={each: _count_concern(session, each) for each in Concern},
    )


def _matching(search: str, where: Whereabouts | None) -> Select[Subscriber, str]:
    query = select(Subscriber, whereabouts().label("place"))
    words = search[:MAX_SEARCH].split()
    for word in words:
        query = query.where(
            or_(
                Subscriber.first_name.icontains(word, autoescape=True),
                Subscriber.email.icontains(word, autoescape=True),
            )
        )
    return query.where(whereabouts() == where) if where else query


def whereabouts() -> ColumnElement[str]:
    """Where a person is, as SQL over Subscriber."""
    person = Subscriber.id
    joined = exists().where(ChallengeEntry.subscriber_id == person)
    finished = joined.where(ChallengeEntry.completed_at.is_not(None))
    waits = exists().where(WaitlistEntry.subscriber_id == person, WaitlistEntry.left_at.is_(None))
    bought = exists().where(Purchase.subscriber_id == person, Purchase.voided_at.is_(None))
    unreachable = Subscriber.state.in_([PersonState.BOUNCED, PersonState.COMPLAINED])
    return case(
        (bought, Whereabouts.BOUGHT.value),
        (unreachable, Whereabouts.UNREACHABLE.value),
        (Subscriber.state == PersonState.UNSUBSCRIBED, Whereabouts.LEFT.value),
        (Subscriber.state == PersonState.PENDING, Whereabouts.PENDING.value),
        (waits, Whereabouts.WAITING.value),
        (finished, Whereabouts.FINISHED.value),
        (joined, Whereabouts.CHALLENGE.value),
        else_=Whereabouts.GUIDE.value,
    )


def _asks_for_a_look(concern: Concern) -> ColumnElement[bool]:
    if concern is Concern.HELD:
        return Subscriber.id.in_(
            select(Enrolment.subscriber_id).where(Enrolment.state == EnrolmentState.HELD)
        )
    failed = [MessageState.FAILED, MessageState.UNCONFIRMED]
    return Subscriber.id.in_(select(Message.subscriber_id).where(Message.state.in_(failed)))


def _count_concern(session: Session, concern: Concern) -> int:
    query = select(func.count()).select_from(Subscriber).where(_asks_for_a_look(concern))
    return session.scalar(query) or 0


def _counts(session: Session) -> dict[Whereabouts, int]:
    places = select(whereabouts().label("place")).subquery()
    query = select(places.c.place, func.count()).group_by(places.c.place)
    found = {Whereabouts(place): many for place, many in session.execute(query)}
    return {where: found.get(where, 0) for where in Whereabouts}


def _person_row(person: Subscriber, place: str, mails: dict[int, NextMail]) -> PersonRow:
    return PersonRow(
        id=person.id,
        first_name=person.first_name,
        email=person.email,
        where=Whereabouts(place),
        source=person.source,
        since=person.created_at,
        is_test=person.is_test,
        next_mail=mails.get(person.id),
    )
