"""The programme: its waiting list, and what was paid for."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from funnel.db.offers import Purchase, WaitlistEntry
from funnel.db.people import FunnelEvent, Subscriber
from funnel.db.upsert import insert_if_absent
from funnel.domain.ports import MailClass
from funnel.domain.sequence import Fact
from funnel.services import outbox, people
from funnel.services.facts import record_fact


@dataclass(frozen=True)
class OfferView:
    """Where a person stands with an offer."""

    first_name: str | None
    is_waitlisted: bool
    is_purchased: bool


def offer_view(session: Session, handle: UUID, offer_key: str) -> OfferView:
    """The offer as the person of a link sees it; raises LinkInvalid."""
    person = people.by_handle(session, handle)
    waiting = _waitlist_entry(session, person.id, offer_key)
    bought = _purchase(session, person.id, offer_key)
    return OfferView(
        first_name=person.first_name,
        is_waitlisted=waiting is not None and waiting.left_at is None,
        is_purchased=bought is not None and bought.voided_at is None,
    )


def _waitlist_entry(session: Session, subscriber_id: int, offer_key: str) -> WaitlistEntry | None:
    query = select(WaitlistEntry).where(
        WaitlistEntry.subscriber_id == subscriber_id, WaitlistEntry.offer_key == offer_key
    )
    return session.scalars(query).first()


def _purchase(session: Session, subscriber_id: int, offer_key: str) -> Purchase | None:
    query = select(Purchase).where(
        Purchase.subscriber_id == subscriber_id, Purchase.offer_key == offer_key
    )
    return session.scalars(query).first()


def join_waitlist(session: Session, handle: UUID, offer_key: str, *, now: datetime) -> None:
    """Join the waiting list; the pitch ends in the same transaction. Twice changes nothing."""
    person = people.by_handle(session, handle, lock=True)
    is_new = insert_if_absent(
        session, WaitlistEntry, subscriber_id=person.id, offer_key=offer_key, joined_at=now
    )
    if not is_new:
        _rejoin(session, person, offer_key, now)
    record_fact(session, person, Fact.WAITLISTED, now=now)
    outbox.put_service_mail(
        session,
        person,
        "waitlist_joined",
        mail_class=MailClass.RECEIPT,
        dedupe_key=f"waitlist:{person.id}:{offer_key}",
        now=now,
    )


def _rejoin(session: Session, person: Subscriber, offer_key: str, now: datetime) -> None:
    entry = _waitlist_entry(session, person.id, offer_key)
    if entry is not None and entry.left_at is not None:
        entry.left_at, entry.joined_at = None, now


def leave_waitlist(session: Session, handle: UUID, offer_key: str, *, now: datetime) -> None:
    """Leave the waiting list; the pitch does not start again."""
    person = people.by_handle(session, handle, lock=True)
    entry = _waitlist_entry(session, person.id, offer_key)
    if entry is not None and entry.left_at is None:
        entry.left_at = now


def mark_paid(
    session: Session, subscriber_id: int, offer_key: str, *, staff_id: int, now: datetime
) -> None:
    """Note that an offer was paid for; the pitch ends in the same transaction."""
    person = session.get_one(Subscriber, subscriber_id, with_for_update={"key_share": True})
    is_new = insert_if_absent(
        session,
        Purchase,
        subscriber_id=person.id,
        offer_key=offer_key,
        marked_by=staff_id,
        purchased_at=now,
    )
    bought = _purchase(session, person.id, offer_key)
    if not is_new and bought is not None and bought.voided_at is not None:
        bought.voided_at, bought.purchased_at, bought.marked_by = None, now, staff_id
    record_fact(session, person, Fact.PURCHASED, now=now)


def void_purchase(session: Session, subscriber_id: int, offer_key: str, *, now: datetime) -> None:
    """Take a purchase back that was marked by mistake; the pitch does not start again."""
    bought = _purchase(session, subscriber_id, offer_key)
    if bought is not None and bought.voided_at is None:
        bought.voided_at = now
        session.execute(
            delete(FunnelEvent).where(
                FunnelEvent.subscriber_id == subscriber_id, FunnelEvent.fact == Fact.PURCHASED
            )
        )
