"""What a new address does to a person's row, to mail under way, and to links already sent."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from funnel.db.guides import Guide
from funnel.db.mail import Message
from funnel.db.people import Confirmation, KeptAnswers, Subscriber
from funnel.db.rights import DataRequest
from funnel.domain.delivery import NOT_STARTED, MessageState
from funnel.domain.errors import AddressTaken
from funnel.domain.journal import Done
from funnel.domain.people import PersonState, SuppressionReason, fingerprint
from funnel.domain.ports import MailClass
from funnel.links import Links
from funnel.services import self_check, suppression
from funnel.services.rights import journal

MOVED = "They changed their address, so what was asked for at the old one is over."
YOUR_DATA = "service/your_data"

_WAITS_AGAIN = {"state": MessageState.SCHEDULED, "lease_until": None}
_IN_HAND = (MessageState.SENDING, MessageState.UNKNOWN)


def resettle(
    session: Session, person: Subscriber, email: str, email_key: str, *, links: Links, now: datetime
) -> None:
    """Give a person whose row is locked another address, and have all that follows from it.

    Whoever stopped all mail stopped it there too. Raises AddressTaken: it is somebody else's.
    """
    old, old_key = person.email, person.email_key
    _rename(session, person, email, email_key)
    if person.state == PersonState.UNSUBSCRIBED:
        suppression.suppress_address(
            session, email_key, SuppressionReason.UNSUBSCRIBED, links=links, now=now
        )
    _settle_mail(session, person, old, now)
    if old_key != email_key:  # and not only another spelling
        moved_to = fingerprint(email_key, links.pepper)
        journal.note(session, Done.MOVED, old_key, moved_to, now=now)
        _shut_links(session, person, now)


def _rename(session: Session, person: Subscriber, email: str, email_key: str) -> None:
    try:
        with session.begin_nested():
            person.email, person.email_key = email, email_key
            session.flush()
    except IntegrityError as error:  # somebody else's, perhaps since this very moment
        raise AddressTaken from error


def _settle_mail(session: Session, person: Subscriber, old: str, now: datetime) -> None:
    """What waits goes to the new address, also if a worker has it in hand; what was handed over
    stays the old one's; what was asked for from there and never confirmed is over."""
    theirs = (Message.subscriber_id == person.id) & Message.to_address.is_(None)
    handed_over = theirs & Message.state.in_(_IN_HAND)
    session.execute(update(Message).where(handed_over).values(to_address=old))
    waits = theirs & Message.state.in_(NOT_STARTED)
    is_over = (Message.mail_class == MailClass.CONFIRM) | (Message.mail_key == YOUR_DATA)
    over = {"state": MessageState.CANCELLED, "closed_at": now, "why": MOVED}
    for meant, values in ((waits & is_over, over), (waits & ~is_over, _WAITS_AGAIN)):
        session.execute(update(Message).where(meant).values(fence=Message.fence + 1, **values))
    session.execute(
        update(Confirmation)
        .where(
            Confirmation.subscriber_id == person.id,
            Confirmation.confirmed_at.is_(None),
            Confirmation.expires_at > now,
        )
        .values(expires_at=now)
    )
    self_check.drop_waiting(session, person)


def _shut_links(session: Session, person: Subscriber, now: datetime) -> None:
    """Links to the data lie in the old mailbox; one to a guide with answers may lie in any."""
    is_theirs = DataRequest.subscriber_id == person.id
    session.execute(
        update(DataRequest).where(is_theirs, DataRequest.expires_at > now).values(expires_at=now)
    )
    if session.get(KeptAnswers, person.id) is not None:
        guide = session.scalars(select(Guide).where(Guide.subscriber_id == person.id)).first()
        if guide is not None and (guide.link_expires_at is None or guide.link_expires_at > now):
            guide.link_expires_at = now
