"""One person's path: what was, what they agreed to, and what comes next."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from funnel.db.mail import Enrolment
from funnel.db.offers import Purchase, WaitlistEntry
from funnel.db.people import Consent, ConsentEvent, Subscriber
from funnel.db.texts import TextVersion
from funnel.domain.errors import NotFound
from funnel.domain.evidence import looks_like_machine
from funnel.domain.people import PersonState, Purpose
from funnel.services.advancing import SequenceEngine
from funnel.services.reports.past import PastItem, past
from funnel.services.reports.people import Whereabouts, whereabouts
from funnel.services.reports.upcoming import NextMail, all_next_mails


@dataclass(frozen=True)
class Agreement:
    """What a person last said to one purpose: the exact wording, its version, when and where."""

    purpose: str
    is_standing: bool
    said_at: datetime
    wording: str
    wording_version: int
    page_url: str
    seconds_on_page: float | None

    @property
    def is_hasty(self) -> bool:
        """True when it was said faster than a person reads: a mail scanner may have pressed."""
        return looks_like_machine(self.seconds_on_page)


@dataclass(frozen=True)
class OfferStanding:
    """Where a person stands with one offer; each time is None where it is not so."""

    offer_key: str
    waiting_since: datetime | None
    bought_at: datetime | None


@dataclass(frozen=True)
class PersonView:
    """Everything the desk knows of one person. `past` is newest first.

    `paused_until` is set during a pause of their own, `weekly_cap` where they asked for fewer.
    """

    id: int
    first_name: str | None
    email: str
    state: PersonState
    where: Whereabouts
    source: str
    campaign: str | None
    referrer: str | None
    time_zone: str | None
    paused_until: datetime | None
    weekly_cap: int | None
    since: datetime
    is_test: bool
    upcoming: tuple[NextMail, ...]
    past: tuple[PastItem, ...]
    agreements: tuple[Agreement, ...]
    offers: tuple[OfferStanding, ...]

    @property
    def has_series(self) -> bool:
        """True while they agree to the follow-up series."""
        return any(word.is_standing and word.purpose == Purpose.SERIES for word in self.agreements)


def person(
    session: Session,
    subscriber_id: int,
    *,
    offer_keys: tuple[str, ...],
    engine: SequenceEngine,
    now: datetime,
) -> PersonView:
    """One person for the desk; raises NotFound."""
    row = session.execute(
        select(Subscriber, whereabouts().label("place")).where(Subscriber.id == subscriber_id)
    ).first()
    if row is None:
        raise NotFound
    found: Subscriber = row.Subscriber
    return PersonView(
        id=found.id,
        first_name=found.first_name,
        email=found.email,
        state=PersonState(found.state),
        where=Whereabouts(row.place),
        source=found.source,
        campaign=found.utm_campaign,
        referrer=found.referrer,
        time_zone=found.time_zone,
        paused_until=_if_ahead(found.paused_until, now),
        weekly_cap=found.weekly_cap,
        since=found.created_at,
        is_test=found.is_test,
        upcoming=tuple(
            all_next_mails(session, [found.id], engine=engine, now=now).get(found.id, ())
        ),
        past=past(session, found),
        agreements=_agreements(session, found.id),
        offers=_offers(session, found.id, offer_keys),
    )


def _if_ahead(when: datetime | None, now: datetime) -> datetime | None:
    return when if when is not None and when > now else None


def require_person(session: Session, subscriber_id: int) -> None:
    """Raise NotFound unless there is such a person."""
    if session.get(Subscriber, subscriber_id) is None:
        raise NotFound


def places_of(session: Session, subscriber_id: int) -> frozenset[int]:
    """The ids of a person's places in sequences."""
    query = select(Enrolment.id).where(Enrolment.subscriber_id == subscriber_id)
    return frozenset(session.scalars(query))


def _agreements(session: Session, subscriber_id: int) -> tuple[Agreement, ...]:
    """The newest word on each purpose, in the order they were first asked about."""
    standing = set(
        session.scalars(select(Consent.purpose).where(Consent.subscriber_id == subscriber_id))
    )
    query = (
        select(ConsentEvent, TextVersion)
        .join(TextVersion, TextVersion.id == ConsentEvent.wording_id)
        .where(ConsentEvent.subscriber_id == subscriber_id)
        .order_by(ConsentEvent.occurred_at, ConsentEvent.id)
    )
    newest: dict[str, Agreement] = {}
    for event, wording in session.execute(query):
        is_lasting = event.purpose in standing or event.purpose not in set(Purpose)
        newest[event.purpose] = Agreement(
            purpose=event.purpose,
            is_standing=event.is_granted and is_lasting,
            said_at=event.occurred_at,
            wording=wording.source,
            wording_version=wording.version,
            page_url=event.page_url,
            seconds_on_page=event.seconds_on_page,
        )
    return tuple(newest.values())


def _offers(
    session: Session, subscriber_id: int, offer_keys: tuple[str, ...]
) -> tuple[OfferStanding, ...]:
    waiting = session.execute(
        select(WaitlistEntry.offer_key, WaitlistEntry.joined_at).where(
            WaitlistEntry.subscriber_id == subscriber_id, WaitlistEntry.left_at.is_(None)
        )
    )
    bought = session.execute(
        select(Purchase.offer_key, Purchase.purchased_at).where(
            Purchase.subscriber_id == subscriber_id, Purchase.voided_at.is_(None)
        )
    )
    waits, buys = dict(waiting.all()), dict(bought.all())
    return tuple(OfferStanding(key, waits.get(key), buys.get(key)) for key in offer_keys)
