"""This week against last week, and new people week by week."""

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from funnel.db.people import FunnelEvent, Subscriber
from funnel.domain.schedule import DEFAULT_ZONE, zone_of
from funnel.domain.sequence import Fact
from funnel.domain.stats import same_time_last_week, week_starts
from funnel.services.reports.cohort import WEEKS
from funnel.services.reports.unconfirmed import ever_unconfirmed, unconfirmed


@dataclass(frozen=True)
class WeekCount:
    """How many took a step this week so far, by the same time last week, and ever."""

    fact: Fact
    this_week: int
    last_week: int
    ever: int

    @property
    def change(self) -> int:
        """How many more than by the same time last week; negative when fewer."""
        return self.this_week - self.last_week


@dataclass(frozen=True)
class NewPeople:
    """People who asked in the local week that began on `monday`."""

    monday: date
    count: int


def week_counts(session: Session, *, now: datetime) -> dict[Fact, WeekCount]:
    """Every step: this week so far against last week up to the same weekday and time."""
    last_monday, this_monday = week_starts(now, zone_of(DEFAULT_ZONE), 2)
    when = FunnelEvent.occurred_at
    this_week = _count(when >= this_monday)
    last_week = _count(
        (when >= last_monday) & (when <= same_time_last_week(now, zone_of(DEFAULT_ZONE)))
    )
    query = (
        select(FunnelEvent.fact, this_week, last_week)
        .join(Subscriber, Subscriber.id == FunnelEvent.subscriber_id)
        .where(Subscriber.is_test.is_(False), when >= last_monday)
        .group_by(FunnelEvent.fact)
    )
    ever = _ever(session)
    rows = {fact: (this, last) for fact, this, last in session.execute(query)}
    # Whoever was let go unconfirmed asked before the same time last week.
    never = sum(each.count for each in unconfirmed(session, last_monday))
    this, last = rows.get(Fact.REQUESTED, (0, 0))
    rows[Fact.REQUESTED] = (this, last + never)
    return {fact: WeekCount(fact, *rows.get(fact, (0, 0)), ever.get(fact, 0)) for fact in Fact}


def _ever(session: Session) -> dict[str, int]:
    """All who took each step: everybody by the index alone, less the few that are tests."""
    counts = select(FunnelEvent.fact, func.count()).group_by(FunnelEvent.fact)
    tests = select(Subscriber.id).where(Subscriber.is_test)
    everybody: dict[str, int] = Counter(dict(session.execute(counts).all()))
    everybody[Fact.REQUESTED] += ever_unconfirmed(session)
    of_tests = counts.where(FunnelEvent.subscriber_id.in_(tests))
    less: dict[str, int] = dict(session.execute(of_tests).all())
    return {fact: many - less.get(fact, 0) for fact, many in everybody.items()}


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def new_people(session: Session, *, now: datetime, weeks: int = WEEKS) -> tuple[NewPeople, ...]:
    """How many asked in each of the last local weeks, oldest first; the last is not over."""
    starts = week_starts(now, zone_of(DEFAULT_ZONE), weeks)
    when = FunnelEvent.occurred_at
    place = case(*((when < end, at) for at, end in enumerate(starts[1:])), else_=weeks - 1)
    query = (
        select(place.label("place"), func.count())
        .join(Subscriber, Subscriber.id == FunnelEvent.subscriber_id)
        .where(
            Subscriber.is_test.is_(False),
            FunnelEvent.fact == Fact.REQUESTED,
            when >= starts[0],
        )
        .group_by("place")
    )
    counts: dict[int, int] = Counter(dict(session.execute(query).all()))
    zone = zone_of(DEFAULT_ZONE)
    mondays = [start.astimezone(zone).date() for start in starts]
    for each in unconfirmed(session, starts[0]):
        counts[bisect_right(mondays, each.day) - 1] += each.count
    return tuple(NewPeople(monday, counts.get(at, 0)) for at, monday in enumerate(mondays))
