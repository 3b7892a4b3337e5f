"""Moving to another address: asked for by a person's own link, confirmed in the new mailbox, told
in the old one, which can take it back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from funnel.db.mail import Message
from funnel.db.people import AddressChange, Subscriber
from funnel.domain.delivery import NOT_STARTED, MessageState
from funnel.domain.errors import AddressTaken, LinkExpired, LinkInvalid
from funnel.domain.evidence import Evidence
from funnel.domain.people import Address, fingerprint
from funnel.domain.ports import MailClass
from funnel.links import Links
from funnel.services import consent, front_gate, outbox, people
from funnel.services.limits import take
from funnel.services.preferences import MAILABLE, mask
from funnel.services.resettling import resettle

DAY, LIFE = timedelta(days=1), timedelta(days=7)
ASKS_A_DAY = 3
CONFIRM_CHANGE = "service/confirm_change"
ASKED, CHANGED = "address_asked", "address_changed"
TAKEN_BACK = "They asked for another address instead, or for none."


@dataclass(frozen=True)
class ChangeView:
    """What the page behind the link shows; the address is masked."""

    masked_email: str
    is_done: bool
    subscriber_handle: UUID


def ask(
    session: Session, handle: UUID, address: Address, *, links: Links, ip_key: str, now: datetime
) -> None:
    """Mail the new address a link to confirm it, and tell the old one; nothing else changes.

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
    if not take(session, f"change:{person.public_id}", limit=ASKS_A_DAY, window=DAY, now=now):
        return
    end_open(session, person, now)
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


def confirm_key(handle: UUID) -> str:
    """The key of the mail that goes to the new address."""
    return f"change:{handle}"


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
            dedupe_key=confirm_key(change.public_id),
            reference=str(change.public_id),
            to_address=change.email,
            not_before=goes_at,
            now=now,
        )
        if change.email_key != person.email_key:
            _tell(session, person, ASKED, change, person.email, now)


def cancel(session: Session, handle: UUID, *, now: datetime) -> None:
    """Stay at the address on file: links to another run out. Raises LinkInvalid."""
    end_open(session, people.by_handle(session, handle, lock=True), now)


def end_open(session: Session, person: Subscriber, now: datetime) -> None:
    """Links run out, and the mails about them that were not started do not go."""
    keys = (CONFIRM_CHANGE, f"service/{ASKED}")
    asks = (Message.subscriber_id == person.id) & Message.mail_key.in_(keys)
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
    change = find(session, handle)
    person = session.get(Subscriber, change.subscriber_id)
    if person is None:  # erased at this very moment
        raise LinkInvalid
    _refuse_old(change, person, now)
    return _view(change, person)


def confirm(
    session: Session, handle: UUID, *, evidence: Evidence, links: Links, now: datetime
) -> ChangeView:
    """Move a person to the address that a link was mailed to, with its evidence.

    Consents, places and links stay as they are; a suppression of the old address stays with it.
    For a week the old mailbox can take it back: see `people.is_settling`. Repeating it changes
    nothing. Raises LinkExpired, also after an unsubscribe in between, and AddressTaken where the
    address cannot be theirs: two people are never made one.
    """
    change, person = find_locked(session, handle)
    _refuse_old(change, person, now)
    if change.confirmed_at is None:
        old, old_key = person.email, person.email_key
        _move(session, person, change, links, now)
        change.confirmed_at, change.expires_at = now, now + people.SETTLES
        consent.note(
            session,
            person,
            consent.ADDRESS,
            action="changed",
            is_granted=True,
            evidence=evidence,
            now=now,
        )
        if old_key != person.email_key:  # and not only another spelling
            _tell(session, person, CHANGED, change, old, now)
    return _view(change, person)


def find(session: Session, handle: UUID) -> AddressChange:
    """Signed by us, so what is gone has only run out."""
    found = session.scalars(select(AddressChange).where(AddressChange.public_id == handle)).first()
    if found is None:
        raise LinkExpired
    return found


def find_locked(session: Session, handle: UUID) -> tuple[AddressChange, Subscriber]:
    """A change with its person, both as they are now.

    The person's row is the lock that two clicks at once wait for; its key is to change. Raises
    LinkExpired for what is gone, LinkInvalid where the person has gone meanwhile.
    """
    change = find(session, handle)
    query = select(Subscriber).where(Subscriber.id == change.subscriber_id)
    person = session.scalars(query.with_for_update()).first()
    if person is None:
        raise LinkInvalid
    query_again = select(AddressChange).where(AddressChange.id == change.id)
    found = session.scalars(query_again.execution_options(populate_existing=True)).first()
    if found is None:
        raise LinkExpired
    return found, person


def _refuse_old(change: AddressChange, person: Subscriber, now: datetime) -> None:
    left_at = person.unsubscribed_at
    is_stale = left_at is not None and change.created_at <= left_at
    if change.confirmed_at is not None:
        is_over = change.email_key != person.email_key  # and the page is not theirs any more
    else:
        is_over = change.expires_at <= now or is_stale or person.state not in MAILABLE
    if is_over:
        raise LinkExpired


def _view(change: AddressChange, person: Subscriber) -> ChangeView:
    return ChangeView(mask(change.email), change.confirmed_at is not None, person.public_id)


def _move(
    session: Session, person: Subscriber, change: AddressChange, links: Links, now: datetime
) -> None:
    is_own = change.email_key == person.email_key
    if not is_own and _suppressed(session, change.email_key, links):
        raise AddressTaken
    resettle(session, person, change.email, change.email_key, links=links, now=now)


def _suppressed(session: Session, key: str, links: Links) -> bool:
    return bool(people.suppressions(session, {fingerprint(key, links.pepper)}))


def _tell(
    session: Session, person: Subscriber, name: str, change: AddressChange, old: str, now: datetime
) -> None:
    """Tell the old mailbox, with a link that takes it back. It names no new address: whoever
    reads it need not know."""
    outbox.put_service_mail(
        session,
        person,
        name,
        mail_class=MailClass.DELIVER,
        dedupe_key=f"{name}:{change.public_id}",
        reference=str(change.public_id),
        to_address=old,
        now=now,
    )
