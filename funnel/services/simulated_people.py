"""What the database knows of the demo's people, read in bulk, as their next act needs it."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from funnel.db.guides import Guide
from funnel.db.mail import Message
from funnel.db.offers import ChallengeDayDone, ChallengeEntry
from funnel.db.people import Confirmation, FunnelEvent, Subscriber
from funnel.domain.delivery import MessageState

BATCH = 500


@dataclass(frozen=True)
class Known:
    """A person with the handles that their links carry, and all that has happened to them."""

    subscriber_id: int
    handle: UUID
    confirmation: UUID | None
    guide: UUID | None
    seen: dict[str, datetime] = field(default_factory=dict)


def know(session: Session, emails: Collection[str]) -> dict[str, Known]:
    """Those of these addresses that are known, in a handful of queries."""
    found: dict[str, Known] = {}
    for some in _batches(sorted(emails)):
        found |= _know_some(session, some)
    return found


def _batches(emails: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(emails), BATCH):
        yield emails[start : start + BATCH]


def _know_some(session: Session, emails: list[str]) -> dict[str, Known]:
    query = select(Subscriber.id, Subscriber.public_id, Subscriber.email_key)
    rows = session.execute(query.where(Subscriber.email_key.in_(emails))).all()
    ids = [row.id for row in rows]
    confirmations, guides = _confirmations(session, ids), _guides(session, ids)
    seen = _seen(session, ids)
    return {
        row.email_key: Known(
            row.id, row.public_id, confirmations.get(row.id), guides.get(row.id), seen[row.id]
        )
        for row in rows
    }


def _confirmations(session: Session, ids: list[int]) -> dict[int, UUID]:
    """The handle of each person's newest request."""
    query = select(Confirmation.subscriber_id, Confirmation.public_id).order_by(Confirmation.id)
    rows = session.execute(query.where(Confirmation.subscriber_id.in_(ids)))
    return {row.subscriber_id: row.public_id for row in rows}


def _guides(session: Session, ids: list[int]) -> dict[int, UUID]:
    query = select(Guide.subscriber_id, Guide.public_id).where(Guide.subscriber_id.in_(ids))
    return {row.subscriber_id: row.public_id for row in session.execute(query)}


def _seen(session: Session, ids: list[int]) -> dict[int, dict[str, datetime]]:
    """What happened to each: facts, mails that were really accepted, days that are done."""
    facts = select(FunnelEvent.subscriber_id, FunnelEvent.fact, FunnelEvent.occurred_at).where(
        FunnelEvent.subscriber_id.in_(ids)
    )
    mails = (
        select(Message.subscriber_id, Message.mail_key, func.min(Message.accepted_at))
        .where(Message.subscriber_id.in_(ids), Message.state == MessageState.ACCEPTED)
        .group_by(Message.subscriber_id, Message.mail_key)
    )
    days = (
        select(ChallengeEntry.subscriber_id, ChallengeDayDone.day, ChallengeDayDone.done_at)
        .join(ChallengeDayDone, ChallengeDayDone.entry_id == ChallengeEntry.id)
        .where(ChallengeEntry.subscriber_id.in_(ids))
    )
    seen: dict[int, dict[str, datetime]] = defaultdict(dict)
    for who, fact, when in session.execute(facts):
        seen[who][fact] = when
    for whose, mail, accepted_at in session.execute(mails):
        if whose is not None and accepted_at is not None:
            seen[whose][mail] = accepted_at
    for who, day, when in session.execute(days):
        seen[who][f"day-{day}"] = when
    return seen


def mailed_since(session: Session, since: datetime) -> set[str]:
    """The addresses that a mail was accepted for, from `since` on."""
    query = (
        select(Subscriber.email_key)
        .join(Message, Message.subscriber_id == Subscriber.id)
        .where(Message.accepted_at >= since)
        .distinct()
    )
    return set(session.scalars(query))
