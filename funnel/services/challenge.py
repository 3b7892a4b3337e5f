"""The challenge, as one person lives it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from funnel.content.catalog import Challenge, ChallengeDay
from funnel.db.offers import ChallengeDayDone, ChallengeEntry
from funnel.db.people import Subscriber
from funnel.db.upsert import insert_if_absent
from funnel.domain.challenge import DayStatus, day_statuses, is_complete
from funnel.domain.errors import DayLocked
from funnel.domain.evidence import Evidence
from funnel.domain.people import PersonState, Purpose
from funnel.domain.progress import heeds_days
from funnel.domain.sequence import Fact
from funnel.links import Links
from funnel.services import consent, people, quiet, suppression, texts
from funnel.services.facts import record_fact
from funnel.services.looking_again import look_again


@dataclass(frozen=True)
class DayView:
    """One day: where the person stands in it, and its words."""

    number: int
    is_open: bool
    is_done: bool
    is_today: bool
    content: ChallengeDay


@dataclass(frozen=True)
class ChallengeView:
    """The whole challenge of one person. `today` is the first open day not yet done."""

    first_name: str | None
    is_joined: bool
    days: tuple[DayView, ...]
    done_count: int
    is_complete: bool
    today: int | None


def challenge_view(
    session: Session, handle: UUID, *, challenge: Challenge, now: datetime
) -> ChallengeView:
    """The challenge of the person of a link; raises LinkInvalid."""
    person = people.by_handle(session, handle)
    entry = _entry(session, person)
    done = frozenset(row.day for row in entry.days) if entry else frozenset()
    statuses = day_statuses(
        days=len(challenge.days),
        joined_at=entry.joined_at if entry else now,
        done=done,
        zone=person.time_zone,
        now=now,
    )
    return _view(person, entry, challenge, statuses, done)


def _entry(session: Session, person: Subscriber) -> ChallengeEntry | None:
    query = select(ChallengeEntry).where(ChallengeEntry.subscriber_id == person.id)
    return session.scalars(query).first()


def _view(
    person: Subscriber,
    entry: ChallengeEntry | None,
    challenge: Challenge,
    statuses: tuple[DayStatus, ...],
    done: frozenset[int],
) -> ChallengeView:
    days = tuple(
        DayView(status.number, status.is_open, status.is_done, status.is_today, content)
        for status, content in zip(statuses, challenge.days, strict=True)
    )
    return ChallengeView(
        first_name=person.first_name,
        is_joined=entry is not None,
        days=days,
        done_count=len(done),
        is_complete=entry is not None and is_complete(len(challenge.days), done),
        today=next((day.number for day in days if day.is_today), None),
    )


def join(
    session: Session, handle: UUID, evidence: Evidence, *, links: Links, now: datetime
) -> None:
    """Join the challenge: the entry, the consent to its mails and the end of the invitations.

    One transaction; joining twice changes nothing. Whoever joins has paused enough. A bounced or
    complaining address joins without mail.
    """
    person = people.by_handle(session, handle, lock=True)
    is_new = insert_if_absent(session, ChallengeEntry, subscriber_id=person.id, joined_at=now)
    if is_new and person.state in {PersonState.CONFIRMED, PersonState.UNSUBSCRIBED}:
        suppression.lift_unsubscribe(session, person, links=links)
        person.state = PersonState.CONFIRMED
        quiet.end_pause(session, person, now=now)
        consent.grant(
            session, person, Purpose.CHALLENGE, action="joined", evidence=evidence, now=now
        )
        session.expire(person, ["consents"])
    record_fact(session, person, Fact.JOINED, now=now)


def mark_day(
    session: Session,
    handle: UUID,
    day: int,
    *,
    is_done: bool,
    challenge: Challenge,
    now: datetime,
) -> ChallengeView:
    """Tick a day off, or take the tick back. Raises DayLocked for a day that is not open.

    Finishing is kept even when a tick is taken back later.
    """
    person = people.by_handle(session, handle, lock=True)
    before = challenge_view(session, handle, challenge=challenge, now=now)
    entry = _entry(session, person)
    if entry is None or day not in {view.number for view in before.days if view.is_open}:
        raise DayLocked
    _set_done(session, entry, day, is_done, now)
    known = texts.sequences(session).items()
    heeding = [key for key, sequence in known if heeds_days(sequence)]
    look_again(session, person.id, heeding, now=now)
    session.expire(entry, ["days"])
    after = challenge_view(session, handle, challenge=challenge, now=now)
    if after.is_complete:
        entry.completed_at = entry.completed_at or now
        record_fact(session, person, Fact.COMPLETED, now=now)
    return after


def _set_done(
    session: Session, entry: ChallengeEntry, day: int, is_done: bool, now: datetime
) -> None:
    if is_done:
        insert_if_absent(session, ChallengeDayDone, entry_id=entry.id, day=day, done_at=now)
    else:
        session.execute(
            delete(ChallengeDayDone).where(
                ChallengeDayDone.entry_id == entry.id, ChallengeDayDone.day == day
            )
        )
