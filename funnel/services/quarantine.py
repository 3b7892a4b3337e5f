"""Events of the provider that could not be handled: to look at, and to have handled once more."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from funnel.db.mail import MailEvent


def replay(session: Session) -> int:
    """Have every event in quarantine handled once more; returns how many there are.

    One that still cannot be handled comes back there. Safe to repeat.
    """
    again = (
        update(MailEvent)
        .where(MailEvent.problem.is_not(None))
        .values(problem=None, handled_at=None)
        .returning(MailEvent.id)
    )
    return len(session.scalars(again).all())


@dataclass(frozen=True)
class Quarantined:
    """An event that could not be handled: when it came, what it told, and what went wrong."""

    id: str
    received_at: datetime
    kind: str
    problem: str


def quarantined(session: Session, limit: int = 100) -> list[Quarantined]:
    """The events in quarantine, newest first, without anything that names a person."""
    query = (
        select(MailEvent)
        .where(MailEvent.problem.is_not(None))
        .order_by(MailEvent.received_at.desc())
        .limit(limit)
    )
    return [
        Quarantined(event.id, event.received_at, event.kind, event.problem or "")
        for event in session.scalars(query)
    ]


@dataclass(frozen=True)
class EventCounts:
    """How many events still wait, and how many were put aside."""

    waiting: int
    put_aside: int


def counts(session: Session) -> EventCounts:
    """What there is of both."""
    waiting = select(func.count()).where(MailEvent.handled_at.is_(None))
    put_aside = select(func.count()).where(MailEvent.problem.is_not(None))
    return EventCounts(session.scalar(waiting) or 0, session.scalar(put_aside) or 0)
