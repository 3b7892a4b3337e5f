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
from funnel.services import consent, enrolment, guides, reminding, self_check, suppression
from funnel.services.facts import record_fact
from funnel.services.self_check import Keeper


@dataclass(frozen=True)
class ConfirmationView:
    """What the confirm page shows. `guide_handle` is set once it is confirmed."""

    first_name: str | None
    wants_series: bool
    is_confirmed: bool
    guide_handle: UUID | None
    told: tuple[str, ...] = ()  # the answers that wait for her yes or no, in our words


@dataclass(frozen=True)
class Confirmed:
    """A confirmed person: the handles that the next pages are signed with."""

    subscriber_handle: UUID
    guide_handle: UUID
    first_name: str | None
    has_series: bool


def confirmation_view(
    session: Session, handle: UUID, *, now: datetime, keeper: Keeper
) -> ConfirmationView:
    """What the confirm page shows; raises LinkInvalid or LinkExpired."""
    asked = _find_confirmation(session, handle)
    person = session.get(Subscriber, asked.subscriber_id)
    if person is None:  # erased at this very moment
        raise LinkInvalid
    _refuse_old(asked, person, now)
    guide = _guide_of(session, person)
    waiting = _with_answers(session, asked, now)
    return ConfirmationView(
        first_name=person.first_name,
        wants_series=_wants_series(session, asked),
        is_confirmed=asked.confirmed_at is not None,
        guide_handle=guide.public_id if guide and asked.confirmed_at else None,
        told=keeper.told(waiting.sealed_answers) if waiting and waiting.sealed_answers else (),
    )


def confirm(
    session: Session,
    handle: UUID,
    evidence: Evidence,
    *,
    now: datetime,
    links: Links,
    keeper: Keeper,
    with_answers: bool = False,
) -> Confirmed:
    """Confirm an address: state, consents, sequence and guide in one transaction.

    Answers of the self-check that wait for it are kept only `with_answers`: she has seen them on
    the page, for anybody may have typed them. Repeating it changes nothing. A link older than an
    unsubscribe raises LinkExpired.
    """
    asked = _find_confirmation(session, handle)
    # The person's row is the lock that two clicks at once wait for.
    query = select(Subscriber).where(Subscriber.id == asked.subscriber_id)
    person = session.scalars(query.with_for_update(key_share=True)).first()
    if person is None:  # erased at this very moment, and the request with them
        raise LinkInvalid
    session.refresh(asked)
    _refuse_old(asked, person, now)
    if asked.confirmed_at is None:
        waiting = _with_answers(session, asked, now) if with_answers else None
        asked.confirmed_at = now
        reminding.take_back(session, person, now=now)
        _become_confirmed(session, person, asked, evidence, links, now)
        if waiting is not None and waiting.sealed_answers is not None:
            keeper.keep(
                session,
                person,
                waiting.sealed_answers,
                given_at=waiting.created_at,
                evidence=evidence,
                now=now,
            )
        self_check.drop_waiting(session, person)
        guides.send_to_person(session, person, now=now)  # a guide made before lives anew
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
    asked: Confirmation,
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
    if _wants_series(session, asked):
        suppression.lift_unsubscribe(session, person, links=links)
        consent.grant(
            session, person, Purpose.SERIES, action="confirmed", evidence=evidence, now=now
        )
    session.flush()
    session.expire(person, ["consents"])
    if not record_fact(session, person, Fact.CONFIRMED, now=now):
        enrolment.start_by(session, person, Fact.CONFIRMED, now=now)


def _newest(session: Session, asked: Confirmation) -> Confirmation:
    query = select(Confirmation).where(Confirmation.subscriber_id == asked.subscriber_id)
    return session.scalars(query.order_by(Confirmation.id.desc()).limit(1)).one()


def _wants_series(session: Session, asked: Confirmation) -> bool:
    """What was ticked when this link was asked for, and has not been unticked since."""
    return asked.wants_series and _newest(session, asked).wants_series


def _with_answers(session: Session, asked: Confirmation, now: datetime) -> Confirmation | None:
    """The newest request, if its answers still wait: any open link of hers leads to them.

    Only one mail goes out in a day, so the link in it must do for whatever was sent since.
    """
    newest = _newest(session, asked)
    is_open = asked.confirmed_at is None and newest.confirmed_at is None and newest.expires_at > now
    return newest if is_open and newest.sealed_answers is not None else None
