"""Leaving people alone: at once, in one transaction, and for good."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from funnel.db.people import Subscriber, Suppression
from funnel.db.upsert import insert_if_absent
from funnel.domain.evidence import Evidence
from funnel.domain.journal import Done
from funnel.domain.people import PersonState, Purpose, SuppressionReason, fingerprint
from funnel.domain.sequence import Fact
from funnel.links import Links
from funnel.services import clicks, consent, enrolment, self_check
from funnel.services.facts import record_fact
from funnel.services.rights import journal

_STATE = {
    SuppressionReason.UNSUBSCRIBED: PersonState.UNSUBSCRIBED,
    SuppressionReason.BOUNCED: PersonState.BOUNCED,
    SuppressionReason.COMPLAINED: PersonState.COMPLAINED,
}
_GRAVER = (PersonState.UNSUBSCRIBED, PersonState.BOUNCED, PersonState.COMPLAINED)
_WHY = {
    SuppressionReason.UNSUBSCRIBED: "They asked for no more emails.",
    SuppressionReason.BOUNCED: "Mail to this address bounced.",
    SuppressionReason.COMPLAINED: "They reported a mail as spam.",
}
_LIFTED = (SuppressionReason.UNSUBSCRIBED, SuppressionReason.ERASED)

# What a provider tells has no page and no browser.
BY_PROVIDER = Evidence("", "provider", "unknown", "provider")


def suppress_address(
    session: Session, email_key: str, reason: SuppressionReason, *, links: Links, now: datetime
) -> None:
    """Leave an address alone, whether or not we know the person. Repeating it changes nothing."""
    is_new = insert_if_absent(
        session,
        Suppression,
        address_hash=fingerprint(email_key, links.pepper),
        reason=reason,
        created_at=now,
    )
    if is_new:
        journal.note(session, Done.SUPPRESSED, email_key, reason, now=now)


def suppress_person(
    session: Session,
    person: Subscriber,
    reason: SuppressionReason,
    *,
    evidence: Evidence,
    links: Links,
    now: datetime,
) -> None:
    """Suppress the address, end the consents to mail and stop every sequence of a person.

    What they let us note of their clicks goes with the mail. The gravest news stands, in whatever
    order it comes. The consent to keep health answers is none to mail: it stands until it is
    withdrawn.
    """
    suppress_address(session, person.email_key, reason, links=links, now=now)
    for purpose in (Purpose.SERIES, Purpose.CHALLENGE):
        consent.withdraw(session, person, purpose, evidence=evidence, now=now)
    clicks.withdraw(session, person, evidence=evidence, now=now)
    person.state = max(_STATE[reason], PersonState(person.state), key=_weight)
    person.unsubscribed_at, person.paused_until = now, None
    self_check.drop_waiting(session, person)  # on links that can no longer be used
    enrolment.stop_all(session, person, why=_WHY[reason], now=now)
    if reason is SuppressionReason.UNSUBSCRIBED:
        record_fact(session, person, Fact.UNSUBSCRIBED, now=now)


def _weight(state: PersonState) -> int:
    return _GRAVER.index(state) if state in _GRAVER else -1


@dataclass(frozen=True)
class Recipient:
    """Whom a mail went to: a person, or an address that was not theirs (`is_elsewhere`).

    `address_key` is the address it went to, where it is known.
    """

    subscriber_id: int | None
    address_key: str | None
    is_elsewhere: bool = False


def suppress_recipient(
    session: Session, to: Recipient, reason: SuppressionReason, *, links: Links, now: datetime
) -> None:
    """Leave alone whom the provider's bad news of a mail is about.

    A person whose address has changed since is not meant by a bounce at the old one, but by a
    complaint or an unsubscribe from there.
    """
    found = None if to.is_elsewhere else session.get(Subscriber, to.subscriber_id or 0)
    has_moved = found is not None and to.address_key not in {None, found.email_key}
    owner = _owner(session, to.address_key) if found is None or has_moved else None
    stays = has_moved and reason is SuppressionReason.BOUNCED
    for person in (owner, None if stays else found):
        if person is not None:
            suppress_person(session, person, reason, evidence=BY_PROVIDER, links=links, now=now)
    if owner is None and to.address_key is not None:
        suppress_address(session, to.address_key, reason, links=links, now=now)


def _owner(session: Session, address_key: str | None) -> Subscriber | None:
    query = select(Subscriber).where(Subscriber.email_key == address_key)
    return session.scalars(query).first() if address_key else None


def bounce(session: Session, person: Subscriber, *, links: Links, now: datetime) -> None:
    """Leave a person alone whose address does not exist."""
    to = Recipient(person.id, person.email_key)
    suppress_recipient(session, to, SuppressionReason.BOUNCED, links=links, now=now)


def unsubscribe(
    session: Session, handle: UUID, *, evidence: Evidence, links: Links, now: datetime
) -> None:
    """Stop all series mail for the person of a link; a person since deleted is no error."""
    query = select(Subscriber).where(Subscriber.public_id == handle)
    person = session.scalars(query.with_for_update(key_share=True)).first()
    if person is not None and person.state not in {PersonState.BOUNCED, PersonState.COMPLAINED}:
        suppress_person(
            session,
            person,
            SuppressionReason.UNSUBSCRIBED,
            evidence=evidence,
            links=links,
            now=now,
        )


def lift_unsubscribe(session: Session, person: Subscriber, *, links: Links) -> None:
    """Forget that a person unsubscribed, or was erased: only a fresh consent may call this."""
    session.execute(
        delete(Suppression).where(
            Suppression.address_hash == fingerprint(person.email_key, links.pepper),
            Suppression.reason.in_(_LIFTED),
        )
    )
