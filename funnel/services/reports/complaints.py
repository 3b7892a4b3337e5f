"""The complaints that came, each with what the law wants by when; but not their words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from funnel.db.complaints import Complaint
from funnel.db.mail import Message
from funnel.db.people import Subscriber
from funnel.domain.complaints import ComplaintState, acknowledge_by, answer_by
from funnel.domain.delivery import MessageState
from funnel.domain.errors import NotFound
from funnel.domain.schedule import zone_of
from funnel.services.complaints import ack_key

_NOT_SENT = {MessageState.FAILED, MessageState.CANCELLED}
_RANK = {ComplaintState.OPEN: 0, ComplaintState.ANSWERED: 1, ComplaintState.CLOSED: 2}


@dataclass(frozen=True)
class ComplaintView:
    """What the desk shows of a complaint, but for its words. Days are the practice's.

    `acknowledged_at` is None while nobody has told the person that it came; `trouble` says why the
    mail that should have did not go. `person_id` is who has that address: anybody can type it.
    """

    id: int
    name: str | None
    email: str
    state: ComplaintState
    received_at: datetime
    acknowledge_by: date
    answer_by: date
    acknowledged_at: datetime | None
    answered_at: datetime | None
    closed_at: datetime | None
    trouble: str | None
    person_id: int | None
    is_late: bool

    @property
    def is_open(self) -> bool:
        """True while the person waits for an answer."""
        return self.state is ComplaintState.OPEN


@dataclass(frozen=True)
class OpenCount:
    """How many complaints wait for an answer, and the day the first of them is to be answered."""

    many: int
    answer_by: date | None
    is_late: bool


def complaints(session: Session, *, zone: str, now: datetime) -> list[ComplaintView]:
    """Every complaint: those that wait first, of them the longest waiting."""
    rows = session.scalars(select(Complaint).order_by(Complaint.received_at)).all()
    return sorted(_views(session, rows, zone, now), key=lambda each: _RANK[each.state])


def complaint(session: Session, complaint_id: int, *, zone: str, now: datetime) -> ComplaintView:
    """One complaint; raises NotFound."""
    found = session.get(Complaint, complaint_id)
    if found is None:
        raise NotFound
    return _views(session, [found], zone, now)[0]


def count_open(session: Session, *, zone: str, now: datetime) -> OpenCount:
    """How many wait for an answer."""
    is_open = Complaint.state == ComplaintState.OPEN
    query = select(func.count(), func.min(Complaint.received_at)).where(is_open)
    many, oldest = session.execute(query).one()
    if oldest is None:
        return OpenCount(0, None, is_late=False)
    first = answer_by(_day(oldest, zone))
    return OpenCount(many, first, is_late=_day(now, zone) > first)


def _day(when: datetime, zone: str) -> date:
    return when.astimezone(zone_of(zone)).date()


def _views(
    session: Session, rows: Sequence[Complaint], zone: str, now: datetime
) -> list[ComplaintView]:
    troubles, owners = _troubles(session, rows), _owners(session, rows)
    return [
        _view(row, troubles.get(ack_key(row)), owners.get(row.email_key), zone, now) for row in rows
    ]


def _troubles(session: Session, rows: Sequence[Complaint]) -> dict[str, str]:
    """Why a mail that was to acknowledge one of them did not go, by its key."""
    query = select(Message.dedupe_key, Message.why).where(
        Message.dedupe_key.in_([ack_key(row) for row in rows]), Message.state.in_(_NOT_SENT)
    )
    return dict(session.execute(query).all())


def _owners(session: Session, rows: Sequence[Complaint]) -> dict[str, int]:
    query = select(Subscriber.email_key, Subscriber.id).where(
        Subscriber.email_key.in_({row.email_key for row in rows})
    )
    return dict(session.execute(query).all())


def _view(
    row: Complaint, trouble: str | None, person_id: int | None, zone: str, now: datetime
) -> ComplaintView:
    received_on, state = _day(row.received_at, zone), ComplaintState(row.state)
    is_by_mail = row.acknowledged_at == row.received_at
    told_at = None if trouble and is_by_mail else row.acknowledged_at
    is_open, due = state is ComplaintState.OPEN, answer_by(received_on)
    return ComplaintView(
        id=row.id,
        name=row.name,
        email=row.email,
        state=state,
        received_at=row.received_at,
        acknowledge_by=acknowledge_by(received_on),
        answer_by=due,
        acknowledged_at=told_at or row.answered_at,
        answered_at=row.answered_at,
        closed_at=row.closed_at,
        trouble=trouble if told_at is None else None,
        person_id=person_id,
        is_late=is_open and _day(now, zone) > due,
    )
