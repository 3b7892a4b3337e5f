"""Holding a person's series when their mail server turns our mails away again and again."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from funnel.db.bulk import among
from funnel.db.mail import Enrolment, Message
from funnel.domain.delivery import EventKind
from funnel.domain.enrolment import EnrolmentState
from funnel.services import outbox

BLOCKS_TO_HOLD = 3
WITHIN = timedelta(days=30)
WHY = "Held: their mail server turned three of our mails away within thirty days."


def hold_if_often(session: Session, subscriber_id: int, *, now: datetime) -> bool:
    """Hold every series of a person after the third blocked mail in thirty days; True if so.

    They keep their place, and go on when somebody has looked. The person must be locked.
    """
    blocked = select(func.count()).where(
        Message.subscriber_id == subscriber_id,
        Message.created_at > now - WITHIN,
        Message.delivery == EventKind.BLOCKED,
    )
    if (session.scalar(blocked) or 0) < BLOCKS_TO_HOLD:
        return False
    hold(session, subscriber_id, now=now)
    return True


def hold(session: Session, subscriber_id: int, *, now: datetime) -> None:
    """Hold every series of a person. The person must be locked."""
    held = session.scalars(
        update(Enrolment)
        .where(Enrolment.subscriber_id == subscriber_id, Enrolment.state == EnrolmentState.ACTIVE)
        .values(state=EnrolmentState.HELD, why=WHY, next_due_at=None)
        .returning(Enrolment.id)
    ).all()
    outbox.cancel_waiting(session, list(held), why=WHY, now=now)


def held_of(session: Session, who: Collection[int]) -> set[int]:
    """Those of these people whose series are held for it, until somebody has looked."""
    is_held = (Enrolment.state == EnrolmentState.HELD) & (Enrolment.why == WHY)
    found = select(Enrolment.subscriber_id).where(
        among(session, Enrolment.subscriber_id, who), is_held
    )
    return set(session.scalars(found))


def hold_beside(session: Session, who: Collection[int], *, now: datetime) -> None:
    """Hold what began beside series that are held: one release by hand lets all of them go on."""
    for subscriber_id in held_of(session, who):
        hold(session, subscriber_id, now=now)
