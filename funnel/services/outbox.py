"""The outbox: a due mail is a row."""

from datetime import datetime
from uuid import uuid4

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from funnel.db.mail import Enrolment, Message
from funnel.db.people import Subscriber
from funnel.db.upsert import insert_if_absent
from funnel.domain.delivery import OPEN_STATES, MessageState
from funnel.domain.people import Purpose
from funnel.domain.ports import MailClass
from funnel.services import texts

SURELY_NOT_SENT = frozenset({MessageState.CANCELLED, MessageState.FAILED})
PRIORITY = {
    MailClass.CONFIRM: 30,
    MailClass.DELIVER: 20,
    MailClass.RECEIPT: 20,
    MailClass.ADMIN: 10,
    MailClass.DRIP: 0,
}


def put_service_mail(
    session: Session,
    person: Subscriber,
    name: str,
    *,
    mail_class: MailClass,
    dedupe_key: str,
    reference: str | None = None,
    not_before: datetime | None = None,
    now: datetime,
) -> bool:
    """Queue a service mail; False when a mail of this `dedupe_key` was already queued."""
    return _put(
        session,
        subscriber_id=person.id,
        mail_key=f"service/{name}",
        mail_class=mail_class,
        dedupe_key=dedupe_key,
        reference=reference,
        why="Queued.",
        due_at=not_before or now,
        now=now,
    )


def put_step(
    session: Session,
    enrolment: Enrolment,
    step_key: str,
    *,
    purpose: Purpose,
    why: str,
    now: datetime,
) -> bool:
    """Queue the mail of one step, once for each enrolment and step; False when it already went.

    One that was cancelled or failed surely did not go: it is queued anew, under the same id.
    """
    dedupe_key = f"step:{enrolment.id}:{step_key}"
    is_new = _put(
        session,
        subscriber_id=enrolment.subscriber_id,
        enrolment_id=enrolment.id,
        step_key=step_key,
        mail_key=f"{enrolment.sequence_key}/{step_key}",
        mail_class=MailClass.DRIP,
        purpose=purpose,
        dedupe_key=dedupe_key,
        why=why,
        due_at=now,
        now=now,
    )
    return is_new or _queue_anew(session, dedupe_key, why, now)


def _queue_anew(session: Session, dedupe_key: str, why: str, now: datetime) -> bool:
    query = select(Message).where(Message.dedupe_key == dedupe_key)
    message = session.scalars(
        query.with_for_update(key_share=True).execution_options(populate_existing=True)
    ).first()
    if message is None or message.state in OPEN_STATES:
        return True
    if message.state not in SURELY_NOT_SENT:
        return False
    message.text_version_id = texts.require(session, "mail", message.mail_key).id
    message.state = MessageState.SCHEDULED
    message.created_at = message.due_at = message.not_before = now
    message.closed_at = message.payload_sha256 = None
    message.fence += 1
    message.attempt = 0
    message.why = why
    return True


def _put(
    session: Session,
    *,
    mail_key: str,
    mail_class: MailClass,
    due_at: datetime,
    now: datetime,
    **values: object,
) -> bool:
    return insert_if_absent(
        session,
        Message,
        id=uuid4(),
        mail_key=mail_key,
        mail_class=mail_class,
        text_version_id=texts.require(session, "mail", mail_key).id,
        priority=PRIORITY[mail_class],
        created_at=now,
        due_at=due_at,
        not_before=due_at,
        state=MessageState.SCHEDULED,
        fence=0,
        attempt=0,
        is_resent=False,
        **values,
    )


def cancel_waiting(session: Session, enrolment_ids: list[int], *, why: str, now: datetime) -> None:
    """Cancel the mails of these enrolments that have not been started."""
    session.execute(
        update(Message)
        .where(
            Message.enrolment_id.in_(enrolment_ids),
            Message.state.in_([MessageState.SCHEDULED, MessageState.CLAIMED]),
        )
        .values(state=MessageState.CANCELLED, closed_at=now, why=why, fence=Message.fence + 1)
    )
