"""The one polite reminder to confirm an address, where the practice wants it."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from funnel.db.mail import Message
from funnel.db.people import Confirmation, Subscriber
from funnel.domain.delivery import NOT_STARTED, MessageState
from funnel.domain.errors import InvalidInput
from funnel.domain.people import PersonState, parse_address
from funnel.domain.ports import MailClass
from funnel.links import Links
from funnel.services import outbox, people
from funnel.services.front_gate import address_may_get_more, free_hour

BATCH = 100
CONFIRM, REMINDER = "service/confirm", "service/confirm_reminder"
TOO_LATE = "They have confirmed meanwhile."


def remind_due(session: Session, *, after: timedelta, links: Links, now: datetime) -> int:
    """Remind those once who had the confirm mail so long ago and have not pressed its button.

    It counts against what one address may get, and whoever may get no more is not reminded later
    either. Returns how many were thought of; running it again reminds nobody twice.
    """
    query = (
        select(Confirmation, Subscriber)
        .join(Subscriber, Subscriber.id == Confirmation.subscriber_id)
        .where(_is_due(after, now))
        .order_by(Confirmation.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True, key_share=True)
    )
    found = session.execute(query).all()
    for asked, person in found:
        asked.reminded_at = now
        _remind(session, asked, person, links, now)
    return len(found)


def _is_due(after: timedelta, now: datetime) -> ColumnElement[bool]:
    """Unconfirmed, the link still open and the newest, and its mail was taken so long ago."""
    newer = aliased(Confirmation)
    is_newest = ~exists().where(
        newer.subscriber_id == Confirmation.subscriber_id, newer.id > Confirmation.id
    )
    had_mail = exists().where(
        Message.subscriber_id == Subscriber.id,
        Message.mail_key == CONFIRM,
        Message.state == MessageState.ACCEPTED,
        Message.accepted_at <= now - after,
    )
    has_left = or_(
        Subscriber.unsubscribed_at.is_(None), Confirmation.created_at > Subscriber.unsubscribed_at
    )
    is_open = and_(
        Confirmation.confirmed_at.is_(None),
        Confirmation.reminded_at.is_(None),
        Confirmation.created_at <= now - after,
        Confirmation.expires_at > now,
        Subscriber.state == PersonState.PENDING,
    )
    return and_(is_open, has_left, is_newest, had_mail)


def _remind(
    session: Session, asked: Confirmation, person: Subscriber, links: Links, now: datetime
) -> None:
    standing = people.standings(session, [person], pepper=links.pepper)[person.id]
    try:
        address = parse_address(person.email)
    except InvalidInput:  # it was taken by older rules
        return
    if standing.suppressions or not address_may_get_more(
        session, address, "reminder", links=links, network=None, now=now
    ):
        return
    goes_at = free_hour(session, now=now)
    if goes_at is not None:
        outbox.put_service_mail(
            session,
            person,
            "confirm_reminder",
            mail_class=MailClass.CONFIRM,
            dedupe_key=f"reminder:{asked.public_id}",
            reference=str(asked.public_id),
            not_before=goes_at,
            now=now,
        )


def take_back(session: Session, person: Subscriber, *, now: datetime) -> None:
    """Cancel a reminder that waits to leave: the address is confirmed."""
    session.execute(
        update(Message)
        .where(
            Message.subscriber_id == person.id,
            Message.mail_key == REMINDER,
            Message.state.in_(NOT_STARTED),
        )
        .values(state=MessageState.CANCELLED, closed_at=now, why=TOO_LATE, fence=Message.fence + 1)
    )
