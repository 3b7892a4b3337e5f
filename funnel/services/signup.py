"""Asking for the guide, and confirming the address."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from funnel.db.guides import Guide
from funnel.db.people import Confirmation, Subscriber
from funnel.db.upsert import insert_if_absent
from funnel.domain.errors import LinkExpired, LinkInvalid
from funnel.domain.evidence import Evidence
from funnel.domain.people import Address, PersonState, Purpose, fingerprint
from funnel.domain.ports import MailClass
from funnel.domain.sequence import Fact
from funnel.domain.touch import FirstTouch
from funnel.links import Links
from funnel.services import consent, enrolment, guides, outbox, people, suppression
from funnel.services.facts import record_fact
from funnel.services.limits import take

log = logging.getLogger(__name__)

CONFIRM_LIFE = timedelta(days=7)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MONTH = timedelta(days=30)


@dataclass(frozen=True)
class SignupRequest:
    """What a visitor asked for, already parsed."""

    address: Address
    first_name: str | None
    wants_series: bool
    wants_health: bool
    touch: FirstTouch
    time_zone: str | None
    evidence: Evidence
    answers: Mapping[str, str] | None = None  # of the self-check, question key to answer key


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


def request_guide(
    session: Session, request: SignupRequest, *, now: datetime, links: Links, ip_key: str
) -> None:
    """Take a request for the guide: person, evidence and confirm mail in one transaction.

    Silent about everything: new, known, suppressed and limited addresses look alike. Repeating
    it sends nothing more within a day.
    """
    if not _visitor_may_ask(session, ip_key, links, now):
        return
    person = _find_or_add(session, request, now)
    if _is_left_alone(session, person, links):
        return
    asked = Confirmation(
        public_id=uuid4(),
        subscriber_id=person.id,
        wants_series=request.wants_series,
        wants_health=request.wants_health,
        created_at=now,
        expires_at=now + CONFIRM_LIFE,
    )
    session.add(asked)
    session.flush()
    _note_request(session, person, request, now)
    record_fact(session, person, Fact.REQUESTED, now=now)
    _answer(session, person, asked, request.address, links, now)


def _visitor_may_ask(session: Session, ip_key: str, links: Links, now: datetime) -> bool:
    key = fingerprint(ip_key, links.pepper)
    by_hour = take(session, f"ip-hour:{key}", limit=5, window=HOUR, now=now)
    by_day = take(session, f"ip-day:{key}", limit=20, window=DAY, now=now)
    if not (by_hour and by_day):
        log.warning("a request was let lie: over 5 an hour, or 20 a day, from one connection")
    return by_hour and by_day


def _find_or_add(session: Session, request: SignupRequest, now: datetime) -> Subscriber:
    touch = request.touch
    insert_if_absent(
        session,
        Subscriber,
        public_id=uuid4(),
        email=request.address.mailbox,
        email_key=request.address.key,
        first_name=request.first_name,
        state=PersonState.PENDING,
        time_zone=request.time_zone,
        created_at=now,
        source=touch.source,
        utm_source=touch.utm_source,
        utm_medium=touch.utm_medium,
        utm_campaign=touch.utm_campaign,
        referrer=touch.referrer,
        landing_page=touch.landing_page,
        is_test=False,
    )
    query = select(Subscriber).where(Subscriber.email_key == request.address.key)
    person = session.scalars(query.with_for_update(key_share=True)).one()
    if person.state == PersonState.PENDING:
        person.first_name = request.first_name or person.first_name
    return person


def _is_left_alone(session: Session, person: Subscriber, links: Links) -> bool:
    standing = people.standings(session, [person], pepper=links.pepper)[person.id]
    return standing.has_bounced or standing.has_complained


def _note_request(
    session: Session, person: Subscriber, request: SignupRequest, now: datetime
) -> None:
    ticks = [
        (consent.GUIDE, True),
        (Purpose.SERIES, request.wants_series),
        (Purpose.HEALTH, request.wants_health),
    ]
    for purpose, is_granted in ticks:
        consent.note(
            session,
            person,
            purpose,
            action="asked",
            is_granted=is_granted,
            evidence=request.evidence,
            now=now,
        )


def _answer(
    session: Session,
    person: Subscriber,
    asked: Confirmation,
    address: Address,
    links: Links,
    now: datetime,
) -> None:
    """Send the confirm mail; to someone confirmed who asks for nothing new, the guide again."""
    granted = {row.purpose for row in person.consents}
    wants = {Purpose.SERIES} if asked.wants_series else set()
    wants |= {Purpose.HEALTH} if asked.wants_health else set()
    if person.state == PersonState.CONFIRMED and wants <= granted:
        guides.send_to_person(session, person, now=now)
    elif _address_may_get_more(session, address, "first", links, now):
        _put_confirm(session, person, asked, now)


def _address_may_get_more(
    session: Session, address: Address, kind: str, links: Links, now: datetime
) -> bool:
    """At most one confirm mail a day by the form, one more by "send it again", three a month."""
    key = fingerprint(address.folded, links.pepper)
    return take(session, f"confirm-{kind}:{key}", limit=1, window=DAY, now=now) and take(
        session, f"confirm-month:{key}", limit=3, window=MONTH, now=now
    )


def _free_hour(session: Session, now: datetime) -> datetime | None:
    """When the next confirm mail may go: at most sixty an hour in all, later ones wait.

    None when a whole day is full: then it is an attack and no crowd of visitors.
    """
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    for hour in (this_hour + HOUR * later for later in range(24)):
        if take(session, f"confirm-hour:{hour:%Y%m%d%H}", limit=60, window=2 * DAY, now=now):
            return max(hour, now)
    log.warning("no more confirm mails today: over sixty an hour were asked for")
    return None


def _put_confirm(session: Session, person: Subscriber, asked: Confirmation, now: datetime) -> None:
    goes_at = _free_hour(session, now)
    if goes_at is None:
        return
    outbox.put_service_mail(
        session,
        person,
        "confirm",
        mail_class=MailClass.CONFIRM,
        dedupe_key=f"confirm:{asked.public_id}:{now.timestamp():.6f}",
        reference=str(asked.public_id),
        not_before=goes_at,
        now=now,
    )


def resend_confirmation(
    session: Session, address: Address, *, now: datetime, links: Links, ip_key: str
) -> None:
    """Send the newest confirm mail once more. As silent as `request_guide`."""
    if not _visitor_may_ask(session, ip_key, links, now):
        return
    query = (
        select(Confirmation)
        .join(Subscriber, Subscriber.id == Confirmation.subscriber_id)
        .where(Subscriber.email_key == address.key, Confirmation.expires_at > now)
        .order_by(Confirmation.created_at.desc())
        .limit(1)
    )
    asked = session.scalars(query).first()
    if asked is None or asked.confirmed_at is not None:
        return
    person = session.get_one(Subscriber, asked.subscriber_id)
    if _is_stale(asked, person) or _is_left_alone(session, person, links):
        return
    if _address_may_get_more(session, address, "again", links, now):
        _put_confirm(session, person, asked, now)


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
    session: Session, handle: UUID, evidence: Evidence, *, now: datetime, links: Links
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
        _become_confirmed(session, person, asked, evidence, links, now)
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
    if _is_stale(asked, person) or (asked.confirmed_at is None and asked.expires_at <= now):
        raise LinkExpired


def _is_stale(asked: Confirmation, person: Subscriber) -> bool:
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
    wanted = _wanted(session, asked)
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


def send_portal_link(
    session: Session, address: Address, *, now: datetime, links: Links, ip_key: str
) -> None:
    """Mail a confirmed person the link to their challenge; silent for everyone else."""
    if not _visitor_may_ask(session, ip_key, links, now):
        return
    person = session.scalars(select(Subscriber).where(Subscriber.email_key == address.key)).first()
    if person is None or person.state not in {PersonState.CONFIRMED, PersonState.UNSUBSCRIBED}:
        return
    key = fingerprint(address.folded, links.pepper)
    if take(session, f"portal:{key}", limit=2, window=DAY, now=now):
        outbox.put_service_mail(
            session,
            person,
            "challenge_link",
            mail_class=MailClass.DELIVER,
            dedupe_key=f"portal:{person.id}:{now.timestamp():.6f}",
            now=now,
        )
