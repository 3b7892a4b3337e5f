"""Stopping a move to another address, or taking it back, from the mailbox that is left by it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from funnel.db.mail import Message
from funnel.db.people import AddressChange, Subscriber
from funnel.domain.errors import LinkExpired
from funnel.domain.evidence import Evidence
from funnel.domain.people import PersonState, fingerprint
from funnel.links import Links
from funnel.services import consent, people, visits
from funnel.services.address_change import ASKED, CHANGED, end_open, find, find_locked
from funnel.services.preferences import mask
from funnel.services.resettling import resettle
from funnel.services.rights.erasure import bury

_NO_MAIL = frozenset({PersonState.BOUNCED, PersonState.COMPLAINED})


@dataclass(frozen=True)
class BackView:
    """What the page shows: the address that would be kept, masked, and whether it was left."""

    masked_email: str
    is_left: bool


def back_view(session: Session, handle: UUID, *, now: datetime) -> BackView:
    """What the page behind the link shows; raises LinkExpired."""
    return _view(session, find(session, handle), now)


def take_back(
    session: Session, handle: UUID, *, evidence: Evidence, links: Links, now: datetime
) -> BackView:
    """Keep the address that a link was mailed to, for as long as a move settles.

    Whatever moves followed it are taken back with it. Raises LinkExpired, LinkInvalid, and
    AddressTaken where somebody else has that address by now.
    """
    change, person = find_locked(session, handle)
    view = _view(session, change, now)
    end_open(session, person, now)
    if view.is_left:
        _move_back(session, person, _told(session, change), links, now)
        consent.note(
            session,
            person,
            consent.ADDRESS,
            action="withdrawn",
            is_granted=False,
            evidence=evidence,
            now=now,
        )
        followed = (AddressChange.subscriber_id == person.id) & (AddressChange.id >= change.id)
        session.execute(delete(AddressChange).where(followed))
    return view


def _view(session: Session, change: AddressChange, now: datetime) -> BackView:
    if change.expires_at <= now:
        raise LinkExpired
    return BackView(mask(_told(session, change)), change.confirmed_at is not None)


def _told(session: Session, change: AddressChange) -> str:
    """The address that was told of a change."""
    keys = [f"{name}:{change.public_id}" for name in (ASKED, CHANGED)]
    query = select(Message.to_address).where(Message.dedupe_key.in_(keys))
    address = session.scalars(query.order_by(Message.created_at.desc()).limit(1)).first()
    if address is None:
        raise LinkExpired
    return address


def _make_room(session: Session, key: str, links: Links) -> None:
    """Let go of who signed up with it meanwhile and never confirmed: whoever took it away may have
    typed it, and the one who could have confirmed is pressing here."""
    is_unconfirmed = (Subscriber.state == PersonState.PENDING) & Subscriber.confirmed_at.is_(None)
    query = select(Subscriber).where(Subscriber.email_key == key, is_unconfirmed)
    found = session.scalars(query.with_for_update()).all()
    if found:
        visits.count_unconfirmed(session, found)
        bury(session, found, pepper=links.pepper)


def _move_back(
    session: Session, person: Subscriber, address: str, links: Links, now: datetime
) -> None:
    """What became of the address they never wanted is no news of theirs; choosing is up to them."""
    key = address.lower()
    _make_room(session, key, links)
    reasons = people.suppressions(session, {fingerprint(key, links.pepper)})
    if person.state in _NO_MAIL and not reasons:
        person.state = PersonState.UNSUBSCRIBED
    resettle(session, person, address, key, links=links, now=now)
