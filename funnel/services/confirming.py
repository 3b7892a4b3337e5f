"""Confirming an address: what the link shows, and what pressing its button does."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from funnel.db.guides import Guide
from funnel.db.people import Confirmation, Subscriber
from funnel.domain.errors import LinkExpired, LinkInvalid
from funnel.domain.evidence import Evidence
from funnel.domain.people import PersonState, Purpose
from funnel.domain.sequence import Fact
from funnel.links import Links
from funnel.services import consent, enrolment, guides, suppression
from funnel.services.facts import record_fact
from funnel.services.self_check import Keeper


@dataclass(frozen=True)
class ConfirmationView:
    """What the confirm page shows. `guide_handle` is set once it is confirmed."""

    first_name: str | None
    wants_series: bool
    is_confirmed: bool
    guide_handle: UUID | None


@dataclass(frozen=True)
class Confirmed:
    """A confirmed person: the handles that the next pages are signed with."""

    subscriber_handle: UUID
    guide_handle: UUID
    first_name: str | None
    has_series: bool


def confirmation_view(session: Session, handle: UUID, *, now: datetime) -> ConfirmationView:
    """What the confirm page shows; raises LinkInvalid or LinkExpired."""
    asked = _find_confirmation(session, handle)
    person = session.get_one(Subscriber, asked.subscriber_id)
    _refuse_old(asked, person, now)
    guide = _guide_of(session, person)
    return ConfirmationView(
        first_name=person.first_name,
        wants_series=Purpose.SERIES in _wanted(session, asked),
        is_confirmed=asked.confirmed_at is not None,
        guide_handle=guide.public_id if guide and asked.confirmed_at else None,
    )


def confirm(
    session: Session,
    handle: UUID,
    evidence: Evidence,
    *,
    now: datetime,
    links: Links,
    keeper: Keeper,
) -> Confirmed:
    """Confirm an address: state, consents, sequence and guide in one transaction.

    Repeating it changes nothing. A link older than an unsubscribe raises LinkExpired.
    """
    asked = _find_confirmation(session, handle)
    # The person's row is the lock that two clicks at once wait for.
    query = select(Subscriber).where(Subscriber.id == asked.subscriber_id)
    person = session.scalars(query.with_for_update(key_share=True)).one()
    session.refresh(asked)
    _refuse_old(asked, person, now)
    if asked.confirmed_at is None:
        asked.confirmed_at = now
        wanted = _wanted(session, asked)
        _become_confirmed(session, person, wanted, evidence, links, now)
        if Purpose.HEALTH in wanted and asked.sealed_answers is not None:
            keeper.keep(session, person, asked.sealed_answers, now=now)
        asked.sealed_answers = None
    guide = guides.request_for(session, person, now=now)
    return Confirmed(
        subscriber_handle=person.public_id,
        guide_handle=guide.public_id,
        first_name=person.first_name,
        has_series=any(row.purpose == Purpose.SERIES for row in person.consents),
    )


def _find_confirmation(session: Session, handle: UUID) -> Confirmation:
    query = select(Confirmation).where(Confirmation.public_id == handle)
    asked = session.scalars(query).first()
    if asked is None:
        raise LinkInvalid
    return asked


def _refuse_old(asked: Confirmation, person: Subscriber, now: datetime) -> None:
    """A link that ran out, or that is older than an unsubscribe, must not act."""
    if is_stale(asked, person) or (asked.confirmed_at is None and asked.expires_at <= now):
        raise LinkExpired


def is_stale(asked: Confirmation, person: Subscriber) -> bool:
    """True for a link older than an unsubscribe."""
    left_at = person.unsubscribed_at
    return left_at is not None and asked.created_at <= left_at


def _guide_of(session: Session, person: Subscriber) -> Guide | None:
    return session.scalars(select(Guide).where(Guide.subscriber_id == person.id)).first()


def _become_confirmed(
    session: Session,
    person: Subscriber,
    wanted: list[Purpose],
    evidence: Evidence,
    links: Links,
    now: datetime,
) -> None:
    person.state = PersonState.CONFIRMED
    person.confirmed_at = person.confirmed_at or now
    consent.note(
        session,
        person,
        consent.GUIDE,
        action="confirmed",
        is_granted=True,
        evidence=evidence,
        now=now,
    )
    if Purpose.SERIES in wanted:
        suppression.lift_unsubscribe(session, person, links=links)
    for purpose in wanted:
        consent.grant(session, person, purpose, action="confirmed", evidence=evidence, now=now)
    session.flush()
    session.expire(person, ["consents"])
    if not record_fact(session, person, Fact.CONFIRMED, now=now):
        enrolment.start_by(session, person, Fact.CONFIRMED, now=now)


def _wanted(session: Session, asked: Confirmation) -> list[Purpose]:
    """What was ticked when this link was asked for, and has not been unticked since."""
    query = select(Confirmation).where(Confirmation.subscriber_id == asked.subscriber_id)
    newest = session.scalars(query.order_by(Confirmation.id.desc()).limit(1)).one()
    ticks = {
        Purpose.SERIES: asked.wants_series and newest.wants_series,
        Purpose.HEALTH: asked.wants_health and newest.wants_health,
    }
    return [purpose for purpose, is_wanted in ticks.items() if is_wanted]
