"""Having a person's places decided once more, because something about them has changed."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from funnel.db.mail import Enrolment, Message
from funnel.domain.delivery import NOT_STARTED, MessageState
from funnel.domain.enrolment import EnrolmentState
from funnel.services import outbox, texts
from funnel.services.house_rules import HELD

ASKED_AGAIN = "Something happened that may change what comes next."


def ask_again(
    session: Session, subscriber_id: int, keys: Collection[str] | None = None, *, now: datetime
) -> None:
    """Have a person's places in these sequences, or in all, decided anew: also where a mail waits
    to leave. One that was started is left alone."""
    keys = texts.sequences(session).keys() if keys is None else keys
    if keys:
        _take_back(session, subscriber_id, keys, now)
        _let_ask(session, subscriber_id, now)
        look_again(session, subscriber_id, keys, now=now)


def _take_back(session: Session, subscriber_id: int, keys: Collection[str], now: datetime) -> None:
    """Take back a person's mails that were not started: their conditions are asked once more.

    One that somebody asked to be sent at once stays as urgent; one to be sent again stays.
    """
    query = (
        select(Enrolment.id, Message.step_key, Message.is_hurried)
        .join(Message)
        .where(
            Enrolment.subscriber_id == subscriber_id,
            Enrolment.sequence_key.in_(keys),
            Enrolment.state == EnrolmentState.ACTIVE,
            Message.state.in_(NOT_STARTED),
            Message.is_resent.is_(False),
        )
    )
    for enrolment_id, step_key, is_hurried in session.execute(query).all():
        outbox.cancel_waiting(session, [enrolment_id], why=ASKED_AGAIN, now=now)
        session.execute(
            update(Enrolment)
            .where(Enrolment.id == enrolment_id)
            .values(
                next_due_at=now,
                send_now=step_key if is_hurried else Enrolment.send_now,
                why=ASKED_AGAIN,
            )
        )


def _let_ask(session: Session, subscriber_id: int, now: datetime) -> None:
    """Let a held mail that is sent again ask at once whether it may leave now."""
    session.execute(
        update(Message)
        .where(
            Message.subscriber_id == subscriber_id,
            Message.enrolment_id.is_not(None),
            Message.state == MessageState.SCHEDULED,
            Message.not_before > now,
            Message.why.startswith(HELD),
        )
        .values(not_before=now)
    )


def look_again(
    session: Session, subscriber_id: int, keys: Collection[str], *, now: datetime
) -> None:
    """Have a person's places in these sequences decided at once, if they wait for a later time."""
    session.execute(
        update(Enrolment)
        .where(
            Enrolment.subscriber_id == subscriber_id,
            Enrolment.sequence_key.in_(keys),
            Enrolment.state == EnrolmentState.ACTIVE,
            Enrolment.next_due_at > now,
        )
        .values(next_due_at=now)
    )
