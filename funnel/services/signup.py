"""Asking for the guide: evidence, limits, and the mail that asks to confirm."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from funnel.db.people import Confirmation, Subscriber
from funnel.db.upsert import insert_if_absent
from funnel.domain.evidence import Evidence
from funnel.domain.people import Address, PersonState, Purpose, fingerprint
from funnel.domain.ports import MailClass
from funnel.domain.sequence import Fact
from funnel.domain.touch import FirstTouch
from funnel.links import Links
from funnel.services import consent, front_gate, guides, outbox, people
from funnel.services.confirming import is_stale
from funnel.services.facts import record_fact
from funnel.services.limits import take
from funnel.services.self_check import Keeper

CONFIRM_LIFE = timedelta(days=7)
DAY = timedelta(days=1)


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
    asks_health: bool = True  # the form had a box for it
    answers: Mapping[str, str] | None = None  # of the self-check, question key to answer key


def request_guide(
    session: Session,
    request: SignupRequest,
    *,
    now: datetime,
    links: Links,
    keeper: Keeper,
    ip_key: str,
) -> None:
    """Take a request for the guide: person, evidence and confirm mail in one transaction.

    Silent about everything: new, known, suppressed and limited addresses look alike. Repeating
    it sends nothing more within a day.
    """
    network = fingerprint(ip_key, links.pepper)
    if not front_gate.visitor_may_ask(session, network, now=now):
        return
    person = _find_or_add(session, request, now)
    if _is_left_alone(session, person, links):
        return
    asked = Confirmation(
        public_id=uuid4(),
        subscriber_id=person.id,
        wants_series=request.wants_series,
        wants_health=request.wants_health,
        sealed_answers=_sealed(request, keeper),
        created_at=now,
        expires_at=now + CONFIRM_LIFE,
    )
    session.add(asked)
    session.flush()
    _note_request(session, person, request, now)
    record_fact(session, person, Fact.REQUESTED, now=now)
    _answer(session, person, asked, request.address, links, network, now)


def _sealed(request: SignupRequest, keeper: Keeper) -> bytes | None:
    """The answers are kept only by the consent that was ticked for them."""
    return keeper.seal(request.answers) if request.wants_health and request.answers else None


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
    person = session.scalars(query.with_for_update(key_share=True)).first()
    if person is None:  # erased, or let go, between the two statements
        return _find_or_add(session, request, now)
    if person.state == PersonState.PENDING:
        person.first_name = request.first_name or person.first_name
    return person


def _is_left_alone(session: Session, person: Subscriber, links: Links) -> bool:
    standing = people.standings(session, [person], pepper=links.pepper)[person.id]
    return standing.has_bounced or standing.has_complained


def _note_request(
    session: Session, person: Subscriber, request: SignupRequest, now: datetime
) -> None:
    ticks = [(consent.GUIDE, True), (Purpose.SERIES, request.wants_series)]
    if request.asks_health:
        ticks.append((Purpose.HEALTH, request.wants_health))
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
    network: str,
    now: datetime,
) -> None:
    """Send the confirm mail; to someone confirmed who asks for nothing new, the guide again.

    New answers are news: only whoever reads the mail may put them in place of the old.
    """
    granted = {row.purpose for row in person.consents}
    wants_more = asked.wants_series and Purpose.SERIES not in granted
    has_news = wants_more or asked.sealed_answers is not None
    if person.state != PersonState.CONFIRMED:
        if front_gate.address_may_get_more(
            session, address, "first", links=links, network=network, now=now
        ):
            _put_confirm(session, person, asked, now)
    elif has_news and front_gate.address_may_get_more(
        session, address, "news", links=links, network=network, now=now
    ):
        _put_confirm(session, person, asked, now)
    else:
        guides.send_to_person(session, person, now=now)


def _put_confirm(session: Session, person: Subscriber, asked: Confirmation, now: datetime) -> None:
    goes_at = front_gate.free_hour(session, now=now)
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
    network = fingerprint(ip_key, links.pepper)
    if not front_gate.visitor_may_ask(session, network, now=now):
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
    if is_stale(asked, person) or _is_left_alone(session, person, links):
        return
    if front_gate.address_may_get_more(
        session, address, "again", links=links, network=network, now=now
    ):
        _put_confirm(session, person, asked, now)


def send_portal_link(
    session: Session, address: Address, *, now: datetime, links: Links, ip_key: str
) -> None:
    """Mail a confirmed person the link to their challenge; silent for everyone else."""
    network = fingerprint(ip_key, links.pepper)
    if not front_gate.visitor_may_ask(session, network, now=now):
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
