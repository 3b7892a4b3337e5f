"""Holding a person's series when their mail server turns our mails away again and again."""

from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

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
    held = session.scalars(
        update(Enrolment)
        .where(Enrolment.subscriber_id == subscriber_id, Enrolment.state == EnrolmentState.ACTIVE)
        .values(state=EnrolmentState.HELD, why=WHY, next_due_at=None)
        .returning(Enrolment.id)
    ).all()
    outbox.cancel_waiting(session, list(held), why=WHY, now=now)
    return True
