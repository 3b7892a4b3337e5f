"""Asking for one's own data: a link goes to the address on file, and to no other."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from funnel.db.people import Subscriber
from funnel.db.rights import DataRequest
from funnel.domain.errors import LinkExpired, LinkInvalid
from funnel.domain.people import Address, PersonState, fingerprint
from funnel.domain.ports import MailClass
from funnel.links import Links
from funnel.services import outbox, people
from funnel.services.limits import take

LINK_LIFE = timedelta(hours=24)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
A_VISITOR_AN_HOUR = 5
AN_ADDRESS_A_DAY = 3


@dataclass(frozen=True)
class Owner:
    """Whose data it is; `handle` is what their other links are made of."""

    subscriber_id: int
    email: str
    handle: UUID


def ask_by_address(
    session: Session, address: Address, *, ip_key: str, links: Links, now: datetime
) -> None:
    """Mail whoever has this address a link to their data. Silent for everybody else, and for a
    visitor who asks too often."""
    visitor = fingerprint(ip_key, links.pepper)
    key = f"data-ip-hour:{visitor}"
    if not take(session, key, limit=A_VISITOR_AN_HOUR, window=HOUR, now=now):
        return
    query = select(Subscriber).where(Subscriber.email_key == address.key)
    person = session.scalars(query.with_for_update(key_share=True)).first()
    if person is not None:
        send_link(session, person, links=links, now=now)


def ask_by_handle(session: Session, handle: UUID, *, links: Links, now: datetime) -> None:
    """Mail the person of a link a fresh one to their data; raises LinkInvalid."""
    send_link(session, people.by_handle(session, handle, lock=True), links=links, now=now)


def send_link(session: Session, person: Subscriber, *, links: Links, now: datetime) -> None:
    """Queue the mail with the link, at most a few a day; the person is locked.

    It reaches everybody whose address works: also who has unsubscribed, or reported us. An
    address that never confirmed gets one a day: a stranger may have typed it.
    """
    key = f"data:{fingerprint(person.email_key, links.pepper)}"
    most = 1 if person.state == PersonState.PENDING else AN_ADDRESS_A_DAY
    if not take(session, key, limit=most, window=DAY, now=now):
        return
    asked = DataRequest(
        public_id=uuid4(), subscriber_id=person.id, asked_at=now, expires_at=now + LINK_LIFE
    )
    session.add(asked)
    session.flush()
    outbox.put_service_mail(
        session,
        person,
        "your_data",
        mail_class=MailClass.RECEIPT,
        dedupe_key=f"data:{asked.public_id}",
        reference=str(asked.public_id),
        now=now,
    )


def whose(session: Session, handle: UUID, *, now: datetime) -> Owner:
    """The person whose data a link opens.

    Raises LinkInvalid for an unknown link, LinkExpired for one of over a day ago.
    """
    asked = session.scalars(select(DataRequest).where(DataRequest.public_id == handle)).first()
    if asked is None:
        raise LinkInvalid
    if asked.expires_at <= now:
        raise LinkExpired
    person = session.get_one(Subscriber, asked.subscriber_id)
    return Owner(person.id, person.email, person.public_id)
