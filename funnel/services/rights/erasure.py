"""Erasing people: everything goes, but for what `columns` says stays, and why."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.orm import Session

from funnel.db.bulk import among
from funnel.db.complaints import Complaint
from funnel.db.mail import MailEvent, Message, RateWindow
from funnel.db.people import AddressChange, ConsentEvent, Subscriber
from funnel.db.rights import ErasureJob
from funnel.domain.clock import Clock
from funnel.domain.complaints import ComplaintState
from funnel.domain.errors import InvalidInput, NotFound
from funnel.domain.journal import Done
from funnel.domain.people import SuppressionReason, fingerprint, parse_address
from funnel.links import Links
from funnel.services import suppression
from funnel.services.rights import journal
from funnel.vault import Vault

# What a line of evidence loses; the database lets no other change of it through.
BURIAL: dict[str, object] = {
    "subscriber_id": None,
    "ip_truncated": "",
    "user_agent": "",
    "source": "",
    "seconds_on_page": None,
}
CHANGED_MAIL = "service/address_changed"
WAITING = "Waits until no mail can be under way any more."


@dataclass(frozen=True)
class Eraser:
    """Erases a person at her wish. For `margin` after it a mail may still have been under way, so
    whoever carries mail is asked to erase only then."""

    links: Links
    vault: Vault
    clock: Clock
    margin: timedelta

    def erase(self, session: Session, subscriber_id: int, *, now: datetime) -> None:
        """Erase one person; raises NotFound for one who is not there.

        What is left is the keyed hash that leaves the address alone, evidence and purchases
        without a person, and, until it is done outside too, a job with the sealed address; the
        same for addresses they moved away from. A mail that is being handed over at this instant
        may still arrive; after that, none.
        """
        person = session.get(
            Subscriber, subscriber_id, with_for_update=True, populate_existing=True
        )
        if person is None:
            raise NotFound
        journal.note(session, Done.ERASED, person.email_key, now=now)
        own = [person.email, *_left_addresses(session, [person.id])]
        for address in own:
            suppression.suppress_address(
                session, address.lower(), SuppressionReason.ERASED, links=self.links, now=now
            )
        for address in (*own, *_unconfirmed_addresses(session, person.id)):
            session.add(self._job(address, now))
        bury(session, [person], pepper=self.links.pepper)

    def _job(self, address: str, now: datetime) -> ErasureJob:
        return ErasureJob(
            sealed_address=self.vault.seal(address.encode()),
            asked_at=now,
            not_before=self.clock.machine() + self.margin,
            attempt=0,
            why=WAITING,
        )


def bury(session: Session, people: Collection[Subscriber], *, pepper: bytes) -> None:
    """Delete people whose rows are locked for it, and take them out of what stays."""
    session.flush()
    ids = [person.id for person in people]
    keys = [person.email_key for person in people]
    keys += [address.lower() for address in _left_addresses(session, ids)]
    _delete_events(session, ids, keys)
    _delete_windows(session, keys, pepper)
    _delete_letters(session, keys)
    session.execute(
        update(ConsentEvent)
        .where(among(session, ConsentEvent.subscriber_id, ids))
        .values(BURIAL)
        .execution_options(synchronize_session=False)
    )
    # All that hangs on the person goes with the row; see `columns`.
    session.execute(
        delete(Subscriber)
        .where(among(session, Subscriber.id, ids))
        .execution_options(synchronize_session=False)
    )
    for person in people:
        session.expunge(person)


def _left_addresses(session: Session, ids: Collection[int]) -> list[str]:
    """The addresses that people moved away from, and that nobody else has by now: the old mailbox
    was told of each move."""
    told = Message.mail_key == CHANGED_MAIL
    query = select(Message.to_address).where(among(session, Message.subscriber_id, ids), told)
    return _of_nobody(session, session.scalars(query).all())


def _unconfirmed_addresses(session: Session, subscriber_id: int) -> list[str]:
    """Addresses a person typed, and nobody confirmed: they may be a stranger's."""
    query = select(AddressChange.email).where(
        AddressChange.subscriber_id == subscriber_id, AddressChange.confirmed_at.is_(None)
    )
    return _of_nobody(session, session.scalars(query).all())


def _of_nobody(session: Session, addresses: Iterable[str | None]) -> list[str]:
    """These addresses, each once, without those of people who are here."""
    found = {address.lower(): address for address in addresses if address}
    query = select(Subscriber.email_key).where(Subscriber.email_key.in_(found))
    taken = set(session.scalars(query))
    return [address for key, address in sorted(found.items()) if key not in taken]


def _delete_events(session: Session, ids: list[int], keys: list[str]) -> None:
    """What the provider told. An event that somebody has in hand waits for these very people: it
    finds them gone, and is emptied then."""
    to_stranger = Message.subscriber_id.is_(None) & func.lower(Message.to_address).in_(keys)
    hers = select(Message.id).where(among(session, Message.subscriber_id, ids) | to_stranger)
    is_hers = or_(MailEvent.message_id.in_(hers), _names_address(keys))
    found = select(MailEvent.id).where(is_hers).with_for_update(skip_locked=True)
    session.execute(
        delete(MailEvent)
        .where(MailEvent.id.in_(found))
        .execution_options(synchronize_session=False)
    )


def _names_address(keys: Collection[str]) -> ColumnElement[bool]:
    """Holds for events that no message was found for, and that name one of these addresses."""
    email = func.lower(MailEvent.body["email"].as_string())
    return MailEvent.message_id.is_(None) & email.in_(keys)


def _delete_letters(session: Session, keys: Collection[str]) -> None:
    """Closed complaints from these addresses, and mails that went there as a stranger's."""
    is_closed = Complaint.state == ComplaintState.CLOSED
    to_stranger = Message.subscriber_id.is_(None) & func.lower(Message.to_address).in_(keys)
    for table, is_theirs in (
        (Complaint, Complaint.email_key.in_(keys) & is_closed),
        (Message, to_stranger),
    ):
        session.execute(delete(table).where(is_theirs).execution_options(synchronize_session=False))


def _delete_windows(session: Session, keys: Iterable[str], pepper: bytes) -> None:
    """The counts of how often something was asked for an address: their keys end with its hash."""
    for key in keys:
        ends = {fingerprint(form, pepper) for form in (key, _folded(key))}
        session.execute(
            delete(RateWindow)
            .where(or_(*(RateWindow.key.endswith(end) for end in ends)))
            .execution_options(synchronize_session=False)
        )


def _folded(email_key: str) -> str:
    try:
        return parse_address(email_key).folded
    except InvalidInput:  # it was taken by older rules
        return email_key
