"""Finding people, and what may be sent to them."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, SelectBase, func, select
from sqlalchemy.orm import Session

from funnel.db.bulk import among
from funnel.db.people import AddressChange, Consent, FunnelEvent, Subscriber, Suppression
from funnel.domain.errors import LinkInvalid, NotFound
from funnel.domain.people import (
    PersonState,
    Purpose,
    Standing,
    SuppressionReason,
    fingerprint,
)
from funnel.domain.sequence import Fact

# When a fact last became true: it may do so again.
LAST_AT = func.coalesce(FunnelEvent.again_at, FunnelEvent.occurred_at)
SETTLES = timedelta(days=7)


def by_handle(session: Session, handle: UUID, *, lock: bool = False) -> Subscriber:
    """The person a signed link belongs to; raises LinkInvalid when there is none."""
    query = select(Subscriber).where(Subscriber.public_id == handle)
    person = session.scalars(query.with_for_update(key_share=True) if lock else query).first()
    if person is None:
        raise LinkInvalid
    return person


def is_settling(session: Session, subscriber_id: int, *, now: datetime) -> bool:
    """Whether a person's address is so new that their old mailbox may still take the move back.

    Until then nothing that opens all they told us goes to the new one.
    """
    is_young = AddressChange.confirmed_at > now - SETTLES
    query = select(AddressChange.id).where(AddressChange.subscriber_id == subscriber_id, is_young)
    return session.scalars(query.limit(1)).first() is not None


def by_id(session: Session, subscriber_id: int) -> Subscriber:
    """The person of that number, locked; raises NotFound."""
    query = select(Subscriber).where(Subscriber.id == subscriber_id)
    person = session.scalars(query.with_for_update(key_share=True)).first()
    if person is None:
        raise NotFound
    return person


def lock(session: Session, ids: Collection[int | None] | SelectBase) -> None:
    """Take the rows of these people, always in the same order; mail to strangers has none.


    Whoever is to change mails or enrolments of people does this first, so that no two wait for
    each other: a deadlock would cost an unsubscribe, or the answer of a provider.
    """
    who = Subscriber.id
    is_meant = who.in_(ids) if isinstance(ids, SelectBase) else _among(session, ids)
    query = select(who).where(is_meant).order_by(who)
    session.execute(query.with_for_update(key_share=True))


def _among(session: Session, ids: Collection[int | None]) -> ColumnElement[bool]:
    return among(session, Subscriber.id, [who for who in ids if who is not None])


def standings(
    session: Session, people: Collection[Subscriber], *, pepper: bytes
) -> dict[int, Standing]:
    """What decides whether each of these people may be mailed, by subscriber id."""
    known = {person.id: (PersonState(person.state), person.email_key) for person in people}
    return standings_of(session, known, pepper=pepper)


def standings_of(
    session: Session, known: Mapping[int, tuple[PersonState, str]], *, pepper: bytes
) -> dict[int, Standing]:
    """The same for people whose state and address key are known, by subscriber id."""
    purposes: dict[int, set[Purpose]] = defaultdict(set)
    query = select(Consent.subscriber_id, Consent.purpose).where(
        among(session, Consent.subscriber_id, known)
    )
    for subscriber_id, purpose in session.execute(query):
        purposes[subscriber_id].add(Purpose(purpose))
    hashes = {who: fingerprint(key, pepper) for who, (_, key) in known.items()}
    reasons = suppressions(session, set(hashes.values()))
    return {
        who: Standing(state, frozenset(purposes[who]), reasons.get(hashes[who], frozenset()))
        for who, (state, _) in known.items()
    }


def suppressions(
    session: Session, hashes: Collection[str]
) -> dict[str, frozenset[SuppressionReason]]:
    """The reasons to leave these addresses alone, by address hash."""
    found: dict[str, set[SuppressionReason]] = defaultdict(set)
    query = select(Suppression.address_hash, Suppression.reason)
    for row in session.execute(query.where(among(session, Suppression.address_hash, hashes))):
        found[row.address_hash].add(SuppressionReason(row.reason))
    return {key: frozenset(reasons) for key, reasons in found.items()}


def facts_of(session: Session, ids: Collection[int]) -> dict[int, frozenset[Fact]]:
    """The facts true of each of these people, by subscriber id."""
    return {who: frozenset(facts) for who, facts in fact_times(session, ids).items()}


def fact_times(session: Session, ids: Collection[int]) -> dict[int, dict[Fact, datetime]]:
    """The facts true of each of these people, with the last time each became so."""
    found: dict[int, dict[Fact, datetime]] = {}
    query = select(FunnelEvent.subscriber_id, FunnelEvent.fact, LAST_AT)
    query = query.where(among(session, FunnelEvent.subscriber_id, ids))
    for subscriber_id, fact, at in session.execute(query):
        found.setdefault(subscriber_id, {})[Fact(fact)] = at
    return found


def facts_since(facts: Mapping[Fact, datetime], start: datetime) -> frozenset[Fact]:
    """Those of these facts that became true at `start` or after it."""
    return frozenset(fact for fact, at in facts.items() if at >= start)
