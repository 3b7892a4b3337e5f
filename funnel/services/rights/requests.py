"""Asking for one's own data: a link goes to the address on file, and to no other."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from funnel.db.people import Subscriber
from funnel.db.rights import DataRequest
from funnel.domain.errors import InvalidInput, LinkExpired, LinkInvalid
from funnel.domain.people import Address, PersonState, fingerprint, parse_address
from funnel.domain.ports import MailClass
from funnel.links import Links
from funnel.services import front_gate, outbox, people
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
    network = fingerprint(ip_key, links.pepper)
    key = f"data-ip-hour:{network}"
    if not take(session, key, limit=A_VISITOR_AN_HOUR, window=HOUR, now=now):
        front_gate.note_refusal(session, network, now=now)
        return
    query = select(Subscriber).where(Subscriber.email_key == address.key)
    person = session.scalars(query.with_for_update(key_share=True)).first()
    if person is not None:
        send_link(session, person, links=links, network=network, now=now)


def ask_by_handle(session: Session, handle: UUID, *, links: Links, now: datetime) -> None:
    """Mail the person of a link a fresh one to their data; raises LinkInvalid."""
    send_link(session, people.by_handle(session, handle, lock=True), links=links, now=now)


def send_link(
    session: Session, person: Subscriber, *, links: Links, network: str | None = None, now: datetime
) -> bool:
    """Queue the mail with the link, at most a few a day; the person is locked. False when none
    is sent: past a limit, to an address that bounced, or to one too new to be surely theirs.

    It reaches everybody else: also who has unsubscribed, or reported us. For an address that never
    confirmed it counts with the confirm mails: a stranger may have typed it. `network` is the
    connection that asks; None where nobody does.
    """
    if person.state == PersonState.BOUNCED or people.is_settling(session, person.id, now=now):
        return False
    if not _may_get_more(session, person, links, network, now):
        return False
    goes_at = front_gate.free_hour(session, now=now, kind="data")
    if goes_at is None:
        return False
    asked = DataRequest(
        public_id=uuid4(), subscriber_id=person.id, asked_at=now, expires_at=goes_at + LINK_LIFE
    )
    session.add(asked)
    session.flush()
    return outbox.put_service_mail(
        session,
        person,
        "your_data",
        mail_class=MailClass.RECEIPT,
        dedupe_key=f"data:{asked.public_id}",
        reference=str(asked.public_id),
        not_before=goes_at,
        now=now,
    )


def _may_get_more(
    session: Session, person: Subscriber, links: Links, network: str | None, now: datetime
) -> bool:
    if person.state == PersonState.PENDING:
        try:
            address = parse_address(person.email)
        except InvalidInput:  # it was taken by older rules
            return False
        return front_gate.address_may_get_more(
            session, address, "data", links=links, network=network, now=now
        )
    key = f"data:{fingerprint(person.email_key, links.pepper)}"
    may = take(session, key, limit=AN_ADDRESS_A_DAY, window=DAY, now=now)
    if not may and network is not None:
        front_gate.note_refusal(session, network, now=now)
    return may


def whose(session: Session, handle: UUID, *, now: datetime) -> Owner:
    """The person whose data a link opens.

    Raises LinkInvalid for an unknown link, LinkExpired for one of over a day ago.
    """
    asked = session.scalars(select(DataRequest).where(DataRequest.public_id == handle)).first()
    if asked is None:
        raise LinkInvalid
    if asked.expires_at <= now:
        raise LinkExpired
    person = session.get(Subscriber, asked.subscriber_id)
    if person is None:  # erased at this very moment
        raise LinkInvalid
    return Owner(person.id, person.email, person.public_id)
