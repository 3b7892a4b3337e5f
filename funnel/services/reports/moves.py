"""Who is where in the challenge, who waits for the programme, who bought it."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from funnel.db.offers import ChallengeDayDone, ChallengeEntry, Purchase, WaitlistEntry
from funnel.db.people import Subscriber
from funnel.services.advancing import SequenceEngine
from funnel.services.reports.upcoming import NextMail, next_mails

STUCK_AFTER = timedelta(days=3)
SHOWN_FOR = timedelta(days=28)


@dataclass(frozen=True)
class Mover:
    """One person on the way: the first day not ticked, and when something was last done."""

    id: int
    shown_name: str
    day: int
    joined_at: datetime
    moved_at: datetime
    is_stuck: bool
    next_mail: NextMail | None


@dataclass(frozen=True)
class ChallengeDayCount:
    """How many are on a day, by whether they move."""

    day: int
    moving: int
    stuck: int


@dataclass(frozen=True)
class ChallengeReport:
    """People who joined in the last four weeks and have not finished, furthest first."""

    days: tuple[ChallengeDayCount, ...]
    movers: tuple[Mover, ...]
    finished: int

    @property
    def stuck(self) -> tuple[Mover, ...]:
        """Those with nothing for three days, the longest silence last."""
        waiting = [mover for mover in self.movers if mover.is_stuck]
        return tuple(sorted(waiting, key=lambda mover: mover.moved_at, reverse=True))


def challenge(
    session: Session, *, days: int, engine: SequenceEngine, now: datetime
) -> ChallengeReport:
    """Where everybody is who joined lately; `days` is the length of the challenge."""
    rows = session.execute(
        select(ChallengeEntry.id, ChallengeEntry.joined_at, Subscriber)
        .join(Subscriber, Subscriber.id == ChallengeEntry.subscriber_id)
        .where(
            ChallengeEntry.completed_at.is_(None),
            ChallengeEntry.joined_at >= now - SHOWN_FOR,
            Subscriber.is_test.is_(False),
        )
    ).all()
    done = _done_days(session, [row.id for row in rows])
    mails = next_mails(session, [row.Subscriber.id for row in rows], engine=engine, now=now)
    movers = [_mover(row.Subscriber, row.joined_at, done[row.id], days, mails, now) for row in rows]
    movers.sort(key=lambda mover: (-mover.day, mover.moved_at))
    return ChallengeReport(
        days=tuple(_day_count(day, movers) for day in range(1, days + 1)),
        movers=tuple(movers),
        finished=_finished(session),
    )


def _done_days(session: Session, entry_ids: list[int]) -> dict[int, dict[int, datetime]]:
    done: dict[int, dict[int, datetime]] = defaultdict(dict)
    query = select(ChallengeDayDone).where(ChallengeDayDone.entry_id.in_(entry_ids))
    for row in session.scalars(query):
        done[row.entry_id][row.day] = row.done_at
    return done


def _mover(
    person: Subscriber,
    joined_at: datetime,
    done: dict[int, datetime],
    days: int,
    mails: dict[int, NextMail],
    now: datetime,
) -> Mover:
    moved_at = max([joined_at, *done.values()])
    return Mover(
        id=person.id,
        shown_name=person.first_name or person.email,
        day=next((day for day in range(1, days + 1) if day not in done), days),
        joined_at=joined_at,
        moved_at=moved_at,
        is_stuck=now - moved_at >= STUCK_AFTER,
        next_mail=mails.get(person.id),
    )


def _day_count(day: int, movers: list[Mover]) -> ChallengeDayCount:
    here = [mover for mover in movers if mover.day == day]
    stuck = sum(mover.is_stuck for mover in here)
    return ChallengeDayCount(day, len(here) - stuck, stuck)


def _finished(session: Session) -> int:
    query = (
        select(func.count())
        .select_from(ChallengeEntry)
        .join(Subscriber, Subscriber.id == ChallengeEntry.subscriber_id)
        .where(ChallengeEntry.completed_at.is_not(None), Subscriber.is_test.is_(False))
    )
    return int(session.scalar(query) or 0)


@dataclass(frozen=True)
class OfferRow:
    """One person waiting for an offer, or one who bought it, and since when."""

    id: int
    shown_name: str
    email: str
    source: str
    since: datetime


@dataclass(frozen=True)
class OfferReport:
    """One offer: who waits, in the order they came, and who bought it, newest first."""

    offer_key: str
    waiting: tuple[OfferRow, ...]
    bought: tuple[OfferRow, ...]


def offer(session: Session, offer_key: str) -> OfferReport:
    """Who waits for an offer and who bought it; test-marked people are left out."""
    bought = (
        select(Subscriber, Purchase.purchased_at)
        .join(Purchase, Purchase.subscriber_id == Subscriber.id)
        .where(Purchase.offer_key == offer_key, Purchase.voided_at.is_(None))
        .where(Subscriber.is_test.is_(False))
        .order_by(Purchase.purchased_at.desc())
    )
    buyers = select(Purchase.subscriber_id).where(
        Purchase.offer_key == offer_key, Purchase.voided_at.is_(None)
    )
    waiting = (
        select(Subscriber, WaitlistEntry.joined_at)
        .join(WaitlistEntry, WaitlistEntry.subscriber_id == Subscriber.id)
        .where(WaitlistEntry.offer_key == offer_key, WaitlistEntry.left_at.is_(None))
        .where(Subscriber.is_test.is_(False), Subscriber.id.not_in(buyers))
        .order_by(WaitlistEntry.joined_at)
    )
    return OfferReport(
        offer_key,
        tuple(_offer_row(person, since) for person, since in session.execute(waiting)),
        tuple(_offer_row(person, since) for person, since in session.execute(bought)),
    )


def _offer_row(person: Subscriber, since: datetime) -> OfferRow:
    return OfferRow(
        person.id, person.first_name or person.email, person.email, person.source, since
    )
