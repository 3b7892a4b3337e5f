"""Finding people, and what may be sent to them."""

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from funnel.db.people import Consent, FunnelEvent, Subscriber, Suppression
from funnel.domain.errors import LinkInvalid
from funnel.domain.people import (
    PersonState,
    Purpose,
    Standing,
    SuppressionReason,
    fingerprint,
)
from funnel.domain.sequence import Fact


def by_handle(session: Session, handle: UUID, *, lock: bool = False) -> Subscriber:
    """The person a signed link belongs to; raises LinkInvalid when there is none."""
    query = select(Subscriber).where(Subscriber.public_id == handle)
    person = session.scalars(query.with_for_update(key_share=True) if lock else query).first()
    if person is None:
        raise LinkInvalid
    return person


def lock(session: Session, ids: Collection[int]) -> None:
    """Take the rows of these people, always in the same order.

    Whoever is to change mails or enrolments of people does this first, so that no two wait for
    each other: a deadlock would cost an unsubscribe, or the answer of a provider.
    """
    query = select(Subscriber.id).where(Subscriber.id.in_(ids)).order_by(Subscriber.id)
    session.execute(query.with_for_update(key_share=True))


def standings(
    session: Session, people: Collection[Subscriber], *, pepper: bytes
) -> dict[int, Standing]:
    """What decides whether each of these people may be mailed, by subscriber id."""
    purposes: dict[int, set[Purpose]] = defaultdict(set)
    ids = [person.id for person in people]
    for row in session.scalars(select(Consent).where(Consent.subscriber_id.in_(ids))):
        purposes[row.subscriber_id].add(Purpose(row.purpose))
    hashes = {person.id: fingerprint(person.email_key, pepper) for person in people}
    reasons = suppressions(session, set(hashes.values()))
    return {
        person.id: Standing(
            PersonState(person.state),
            frozenset(purposes[person.id]),
            reasons.get(hashes[person.id], frozenset()),
        )
        for person in people
    }


def suppressions(
    session: Session, hashes: Collection[str]
) -> dict[str, frozenset[SuppressionReason]]:
    """The reasons to leave these addresses alone, by address hash."""
    found: dict[str, set[SuppressionReason]] = defaultdict(set)
    query = select(Suppression).where(Suppression.address_hash.in_(list(hashes)))
    for row in session.scalars(query):
        found[row.address_hash].add(SuppressionReason(row.reason))
    return {key: frozenset(reasons) for key, reasons in found.items()}


def facts_of(session: Session, ids: Collection[int]) -> dict[int, frozenset[Fact]]:
    """The facts true of each of these people, by subscriber id."""
    found: dict[int, set[Fact]] = defaultdict(set)
    query = select(FunnelEvent.subscriber_id, FunnelEvent.fact)
    for subscriber_id, fact in session.execute(query.where(FunnelEvent.subscriber_id.in_(ids))):
        found[subscriber_id].add(Fact(fact))
    return {key: frozenset(facts) for key, facts in found.items()}
