"""Leaving people alone: at once, in one transaction, and for good."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from funnel.db.people import Subscriber, Suppression
from funnel.db.upsert import insert_if_absent
from funnel.domain.evidence import Evidence
from funnel.domain.people import PersonState, Purpose, SuppressionReason, fingerprint
from funnel.domain.sequence import Fact
from funnel.links import Links
from funnel.services import clicks, consent, enrolment, self_check
from funnel.services.facts import record_fact

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

# What a provider tells has no page and no browser.
BY_PROVIDER = Evidence("", "provider", "unknown", "provider")


def suppress_address(
    session: Session, email_key: str, reason: SuppressionReason, *, links: Links, now: datetime
) -> None:
    """Leave an address alone, whether or not we know the person. Repeating it changes nothing."""
    insert_if_absent(
        session,
        Suppression,
        address_hash=fingerprint(email_key, links.pepper),
        reason=reason,
        created_at=now,
    )


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
    person.unsubscribed_at = now
    self_check.drop_waiting(session, person)  # on links that can no longer be used
    enrolment.stop_all(session, person, why=_WHY[reason], now=now)
    if reason is SuppressionReason.UNSUBSCRIBED:
        record_fact(session, person, Fact.UNSUBSCRIBED, now=now)


def _weight(state: PersonState) -> int:
    return _GRAVER.index(state) if state in _GRAVER else -1


def bounce(session: Session, person: Subscriber, *, links: Links, now: datetime) -> None:
    """Leave a person alone whose address does not exist."""
    suppress_person(
        session,
        person,
        SuppressionReason.BOUNCED,
        evidence=BY_PROVIDER,
        links=links,
        now=now,
    )


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
    """Forget that a person unsubscribed: only a fresh consent of theirs may call this."""
    session.execute(
        delete(Suppression).where(
            Suppression.address_hash == fingerprint(person.email_key, links.pepper),
            Suppression.reason == SuppressionReason.UNSUBSCRIBED,
        )
    )
