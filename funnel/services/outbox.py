"""The outbox: a due mail is a row."""

from datetime import datetime
from uuid import uuid4

from sqlalchemy import update
from sqlalchemy.orm import Session

from funnel.db.mail import Message
from funnel.db.people import Subscriber
from funnel.db.upsert import insert_if_absent
from funnel.domain.delivery import NOT_STARTED, MessageState
from funnel.domain.ports import MailClass
from funnel.services import texts

PRIORITY = {
    MailClass.CONFIRM: 30,
    MailClass.DELIVER: 20,
    MailClass.RECEIPT: 20,
    MailClass.ADMIN: 10,
    MailClass.DRIP: 0,
}


def put_service_mail(
    session: Session,
    person: Subscriber | None,
    name: str,
    *,
    mail_class: MailClass,
    dedupe_key: str,
    reference: str | None = None,
    to_address: str | None = None,
    not_before: datetime | None = None,
    now: datetime,
) -> bool:
    """Queue a service mail; False when a mail of this `dedupe_key` was already queued.

    It goes to the person's own address, or to `to_address` where that is given; one that answers
    a stranger has no person.
    """
    due_at, mail_key = not_before or now, f"service/{name}"
    return insert_if_absent(
        session,
        Message,
        id=uuid4(),
        subscriber_id=person.id if person else None,
        to_address=to_address,
        mail_key=mail_key,
        mail_class=mail_class,
        text_version_id=texts.require(session, "mail", mail_key).id,
        reference=reference,
        dedupe_key=dedupe_key,
        priority=PRIORITY[mail_class],
        created_at=now,
        due_at=due_at,
        not_before=due_at,
        state=MessageState.SCHEDULED,
        fence=0,
        attempt=0,
        is_resent=False,
        why="Queued.",
    )


def cancel_waiting(session: Session, enrolment_ids: list[int], *, why: str, now: datetime) -> None:
    """Cancel the mails of these enrolments that have not been started."""
    session.execute(
        update(Message)
        .where(
            Message.enrolment_id.in_(enrolment_ids),
            Message.state.in_(NOT_STARTED),
        )
        .values(state=MessageState.CANCELLED, closed_at=now, why=why, fence=Message.fence + 1)
    )
