"""Moving to another address: asked for by a person's own link, confirmed in the new mailbox."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from funnel.db.mail import Message
from funnel.db.people import AddressChange, Confirmation, Subscriber
from funnel.domain.delivery import NOT_STARTED, MessageState
from funnel.domain.errors import AddressTaken, LinkExpired, LinkInvalid
from funnel.domain.evidence import Evidence
from funnel.domain.people import Address, PersonState, SuppressionReason, fingerprint
from funnel.domain.ports import MailClass
from funnel.links import Links
from funnel.services import consent, front_gate, outbox, people, self_check, suppression
from funnel.services.limits import take
from funnel.services.preferences import MAILABLE, mask

DAY, LIFE = timedelta(days=1), timedelta(days=7)
ASKS_A_DAY = 3
CONFIRM_CHANGE = "service/confirm_change"
MOVED = "They changed their address, so what was asked for at the old one is over."
TAKEN_BACK = "They asked for another address instead, or for none."


_WAITS_AGAIN = {"state": MessageState.SCHEDULED, "lease_until": None}


@dataclass(frozen=True)
class ChangeView:
    """What the page behind the link shows; the address is masked."""

    masked_email: str
    is_done: bool
    subscriber_handle: UUID


def ask(
    session: Session, handle: UUID, address: Address, *, links: Links, ip_key: str, now: datetime
) -> None:
    """Mail the new address a link to confirm it; nothing else changes before that.

    The newest wish counts: links of older ones run out. Silent about everything: whether the
    address is known, suppressed or somebody else's, and whether a limit kept the mail back.
    Raises LinkInvalid for whoever gets no mail at all.
    """
    network = fingerprint(ip_key, links.pepper)
    if not front_gate.visitor_may_ask(session, network, now=now):
        return
    person = people.by_handle(session, handle, lock=True)
    if person.state not in MAILABLE:
        raise LinkInvalid
    if not take(session, f"change:{person.id}", limit=ASKS_A_DAY, window=DAY, now=now):
        return
    _end_open(session, person, now)
    change = AddressChange(
        public_id=uuid4(),
        subscriber_id=person.id,
        email=address.mailbox,
        email_key=address.key,
        created_at=now,
        expires_at=now + LIFE,
    )
    session.add(change)
    session.flush()
    if front_gate.address_may_get_more(
        session, address, "change", links=links, network=network, now=now
    ):
        _put_confirm(session, person, change, now)


def _put_confirm(
    session: Session, person: Subscriber, change: AddressChange, now: datetime
) -> None:
    goes_at = front_gate.free_hour(session, now=now)
    if goes_at is not None:
        outbox.put_service_mail(
            session,
            person,
            "confirm_change",
            mail_class=MailClass.CONFIRM,
            dedupe_key=f"change:{change.public_id}",
            reference=str(change.public_id),
            to_address=change.email,
            not_before=goes_at,
            now=now,
        )


def cancel(session: Session, handle: UUID, *, now: datetime) -> None:
    """Stay at the address on file: links to another run out. Raises LinkInvalid."""
    _end_open(session, people.by_handle(session, handle, lock=True), now)


def _end_open(session: Session, person: Subscriber, now: datetime) -> None:
    """Links run out, and a mail with such a link that was not started does not go."""
    asks = (Message.subscriber_id == person.id) & (Message.mail_key == CONFIRM_CHANGE)
    waits = asks & Message.state.in_(NOT_STARTED)
    over = {"state": MessageState.CANCELLED, "closed_at": now, "why": TAKEN_BACK}
    session.execute(update(Message).where(waits).values(fence=Message.fence + 1, **over))
    session.execute(
        update(AddressChange)
        .where(
            AddressChange.subscriber_id == person.id,
            AddressChange.confirmed_at.is_(None),
            AddressChange.expires_at > now,
        )
        .values(expires_at=now)
    )


def change_view(session: Session, handle: UUID, *, now: datetime) -> ChangeView:
    """What the page behind a link shows; raises LinkExpired."""
    change = _find(session, handle)
    person = session.get_one(Subscriber, change.subscriber_id)
    _refuse_old(change, person, now)
    return _view(change, person)


def confirm(
    session: Session, handle: UUID, *, evidence: Evidence, links: Links, now: datetime
) -> ChangeView:
    """Move a person to the address that a link was mailed to, with its evidence.

    Consents, places and links stay as they are; a suppression of the old address stays with it.
    Repeating it changes nothing. Raises LinkExpired, also after an unsubscribe in between, and
    AddressTaken where the address cannot be theirs: two people are never made one.
    """
    change = _find(session, handle)
    # The person's row is the lock that two clicks at once wait for; its key is to change.
    query = select(Subscriber).where(Subscriber.id == change.subscriber_id)
    person = session.scalars(query.with_for_update()).one()
    session.refresh(change)
    _refuse_old(change, person, now)
    if change.confirmed_at is None:
        old = person.email
        _move(session, person, change, links)
        change.confirmed_at = now
        _keep_quiet(session, person, links, now)
        consent.note(
            session,
            person,
            consent.ADDRESS,
            action="changed",
            is_granted=True,
            evidence=evidence,
            now=now,
        )
        _settle_mail(session, person, now)
        if old.lower() != person.email_key:  # and not only another spelling
            _tell_old_address(session, person, change, old, now)
    return _view(change, person)


def _find(session: Session, handle: UUID) -> AddressChange:
    """Signed by us, so what is gone has only run out."""
    found = session.scalars(select(AddressChange).where(AddressChange.public_id == handle)).first()
    if found is None:
        raise LinkExpired
    return found


def _refuse_old(change: AddressChange, person: Subscriber, now: datetime) -> None:
    left_at = person.unsubscribed_at
    is_stale = left_at is not None and change.created_at <= left_at
    is_over = change.confirmed_at is None and (
        change.expires_at <= now or is_stale or person.state not in MAILABLE
    )
    if is_over:
        raise LinkExpired


def _view(change: AddressChange, person: Subscriber) -> ChangeView:
    return ChangeView(mask(change.email), change.confirmed_at is not None, person.public_id)


def _move(session: Session, person: Subscriber, change: AddressChange, links: Links) -> None:
    is_own = change.email_key == person.email_key
    if not is_own and _suppressed(session, change.email_key, links):
        raise AddressTaken
    try:
        with session.begin_nested():
            person.email, person.email_key = change.email, change.email_key
            session.flush()
    except IntegrityError as error:  # somebody else's, perhaps since this very moment
        raise AddressTaken from error


def _keep_quiet(session: Session, person: Subscriber, links: Links, now: datetime) -> None:
    """Whoever stopped all mail stopped it at their new address too."""
    if person.state == PersonState.UNSUBSCRIBED:
        suppression.suppress_address(
            session, person.email_key, SuppressionReason.UNSUBSCRIBED, links=links, now=now
        )


def _suppressed(session: Session, key: str, links: Links) -> bool:
    return bool(people.suppressions(session, {fingerprint(key, links.pepper)}))


def _settle_mail(session: Session, person: Subscriber, now: datetime) -> None:
    """What waits goes to the new address, also if a worker has it in hand; what was asked for from
    the old one and never confirmed is over."""
    theirs = (Message.subscriber_id == person.id) & Message.to_address.is_(None)
    waits = theirs & Message.state.in_(NOT_STARTED)
    is_confirm = Message.mail_class == MailClass.CONFIRM
    over = {"state": MessageState.CANCELLED, "closed_at": now, "why": MOVED}
    for meant, values in ((waits & is_confirm, over), (waits & ~is_confirm, _WAITS_AGAIN)):
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


def _tell_old_address(
    session: Session, person: Subscriber, change: AddressChange, old: str, now: datetime
) -> None:
    """It names no new address: whoever reads the old mailbox need not know it."""
    outbox.put_service_mail(
        session,
        person,
        "address_changed",
        mail_class=MailClass.DELIVER,
        dedupe_key=f"changed:{change.public_id}",
        to_address=old,
        now=now,
    )
