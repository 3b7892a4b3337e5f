"""The funnel of the people who came in the last weeks: steps, rates and where they came from."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Integer, Row, case, func, select
from sqlalchemy.orm import Session

from funnel.db.people import FunnelEvent, Subscriber, VisitCount
from funnel.domain.schedule import DEFAULT_ZONE, zone_of
from funnel.domain.sequence import Fact
from funnel.domain.stats import STEP_RULES, Rate, StepCount, StepRule, week_starts
from funnel.services.reports.unconfirmed import unconfirmed
from funnel.services.visits import CountedPage

WEEKS = 8
MAX_SOURCES = 8


@dataclass(frozen=True)
class FunnelReport:
    """The cohort: people who asked since `since`. `visits` are those of the landing page."""

    since: datetime
    weeks: int
    visits: int
    asked: int
    steps: tuple[StepCount, ...]

    @property
    def asked_rate(self) -> Rate | None:
        """Asked, of the visits; None where visits were not counted all along."""
        return Rate(self.asked, self.visits) if self.visits >= max(self.asked, 1) else None


@dataclass(frozen=True)
class SourceCount:
    """One source: who asked and confirmed from there. `name` is None for all the others."""

    name: str | None
    asked: int
    confirmed: Rate
    waitlisted: int


def funnel(session: Session, *, now: datetime, weeks: int = WEEKS) -> FunnelReport:
    """Every step of the cohort, counted in one pass over its facts."""
    since = week_starts(now, zone_of(DEFAULT_ZONE), weeks)[0]
    people = _cohort(since)
    columns: list[ColumnElement[int]] = [func.count().label("asked")]
    for rule in STEP_RULES:
        columns += _step_columns(people, rule, now)
    row = session.execute(select(*columns).select_from(people)).one()
    never = sum(each.count for each in unconfirmed(session, since))
    return FunnelReport(
        since=since,
        weeks=weeks,
        visits=_visits(session, since),
        asked=row.asked + never,
        steps=tuple(_step_count(row, rule, never) for rule in STEP_RULES),
    )


def _cohort(since: datetime) -> FromClause:
    """One row a person who asked since then, with the time of each fact beside it."""
    times = [
        func.max(case((FunnelEvent.fact == fact, FunnelEvent.occurred_at))).label(fact.value)
        for fact in Fact
    ]
    asked = select(FunnelEvent.subscriber_id).where(
        FunnelEvent.fact == Fact.REQUESTED, FunnelEvent.occurred_at >= since
    )
    query = (
        select(Subscriber.source, *times)
        .join(FunnelEvent, FunnelEvent.subscriber_id == Subscriber.id)
        .where(Subscriber.is_test.is_(False), Subscriber.id.in_(asked))
        .group_by(Subscriber.id, Subscriber.source)
    )
    return query.subquery("cohort")


def _step_columns(people: FromClause, rule: StepRule, now: datetime) -> list[ColumnElement[int]]:
    has_fact = people.c[rule.fact.value].is_not(None)
    had_time = people.c[rule.base.value] <= now - rule.patience
    return [
        _count_if(has_fact).label(f"{rule.fact}_total"),
        _count_if(had_time).label(f"{rule.fact}_could"),
        _count_if(had_time & has_fact).label(f"{rule.fact}_did"),
    ]


def _count_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0, type_=Integer)


def _step_count(row: Row[*tuple[Any, ...]], rule: StepRule, never: int) -> StepCount:
    """`never`: people who asked and went no further, whose rows are gone."""
    values = row._mapping
    could = values[f"{rule.fact}_could"] + (never if rule.base is Fact.REQUESTED else 0)
    rate = Rate(values[f"{rule.fact}_did"], could)
    return StepCount(rule, values[f"{rule.fact}_total"], rate)


def _visits(session: Session, since: datetime) -> int:
    first_day = since.astimezone(zone_of(DEFAULT_ZONE)).date().isoformat()
    query = select(func.coalesce(func.sum(VisitCount.visits), 0)).where(
        VisitCount.page == CountedPage.LANDING, VisitCount.day >= first_day
    )
    return int(session.scalar(query) or 0)


def sources(session: Session, *, now: datetime, weeks: int = WEEKS) -> tuple[SourceCount, ...]:
    """Where the cohort came from, most confirmed first; small sources are gathered at the end."""
    since = week_starts(now, zone_of(DEFAULT_ZONE), weeks)[0]
    people = _cohort(since)
    asked, confirmed = func.count(), _count_if(people.c.confirmed.is_not(None))
    query = select(
        people.c.source, asked, confirmed, _count_if(people.c.waitlisted.is_not(None))
    ).group_by(people.c.source)
    never = Counter[str]()
    for each in unconfirmed(session, since):
        never[each.source] += each.count
    rows = {row[0]: row for row in session.execute(query)}
    found = []
    for name in rows.keys() | never.keys():
        _, many, did, waiting = rows.get(name, (name, 0, 0, 0))
        many += never[name]
        found.append(SourceCount(name, many, Rate(did, many), waiting))
    found.sort(key=lambda each: (-each.confirmed.did, -each.asked, each.name))
    return tuple(found[:MAX_SOURCES]) + _others(found[MAX_SOURCES:])


def _others(rest: list[SourceCount]) -> tuple[SourceCount, ...]:
    if not rest:
        return ()
    asked = sum(source.asked for source in rest)
    did = sum(source.confirmed.did for source in rest)
    waiting = sum(source.waitlisted for source in rest)
    return (SourceCount(None, asked, Rate(did, asked), waiting),)
