"""The funnel, its sources and its weeks, against counts worked out by hand."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session, sessionmaker

from funnel.db.people import VisitCount
from funnel.domain.people import PersonState
from funnel.domain.sequence import Fact
from funnel.services.reports import cohort, weeks
from tests.support.rows import DAY, HOUR, NOW, add_person

Sessions = sessionmaker[Session]


def _facts(asked: datetime, *more: tuple[Fact, timedelta]) -> dict[Fact, datetime]:
    return {Fact.REQUESTED: asked} | {fact: asked + after for fact, after in more}


CONFIRMED = (Fact.CONFIRMED, HOUR)
OPENED = (Fact.DOWNLOADED, 2 * HOUR)


@pytest.fixture
def funnel_of_ten(sessions: Sessions) -> Sessions:
    """Ten people in the last eight weeks, one before them, one test.

    Five weeks ago: 4 asked, 3 confirmed, 2 opened, 2 joined, 1 finished, 1 waits, 1 bought.
    This week: 6 asked, 4 confirmed, 4 opened, 1 joined at once.
    """
    old, new = NOW - 35 * DAY, NOW - DAY
    walked = [CONFIRMED, OPENED, (Fact.JOINED, 12 * DAY), (Fact.COMPLETED, 17 * DAY)]
    with sessions.begin() as session:
        add_person(
            session,
            _facts(old, *walked, (Fact.WAITLISTED, 19 * DAY), (Fact.PURCHASED, 20 * DAY)),
            source="leaflet",
        )
        add_person(session, _facts(old, CONFIRMED, OPENED, (Fact.JOINED, 12 * DAY)))
        add_person(session, _facts(old, CONFIRMED))
        add_person(session, _facts(old), state=PersonState.PENDING)
        add_person(session, _facts(new, CONFIRMED, OPENED, (Fact.JOINED, 3 * HOUR)))
        for _ in range(3):
            add_person(session, _facts(new, CONFIRMED, OPENED))
        for _ in range(2):
            add_person(session, _facts(new), source="leaflet", state=PersonState.PENDING)
        add_person(session, _facts(NOW - 80 * DAY, *walked))
        add_person(session, _facts(new, *walked), is_test=True)
        session.add_all(
            VisitCount(day=day, page=page, source="google", visits=visits)
            for day, page, visits in [
                ("2026-09-27", "landing", 1000),  # the day before the eight weeks began
                ("2026-09-28", "landing", 30),
                ("2026-11-20", "landing", 10),
                ("2026-11-20", "challenge", 500),
            ]
        )
    return sessions


def _steps(report: cohort.FunnelReport) -> dict[Fact, tuple[int, int, int]]:
    return {step.rule.fact: (step.total, step.rate.did, step.rate.could) for step in report.steps}


def test_funnel_counts_the_cohort_and_only_those_who_had_time(funnel_of_ten: Sessions) -> None:
    with funnel_of_ten.begin() as session:
        report = cohort.funnel(session, now=NOW)
    assert report.since == datetime(2026, 9, 27, 23, 0, tzinfo=UTC)
    assert report.asked == 10
    assert _steps(report) == {
        Fact.CONFIRMED: (7, 7, 10),
        Fact.DOWNLOADED: (6, 6, 7),
        # Of three who confirmed two weeks ago or more, two joined; a third joined this week.
        Fact.JOINED: (3, 2, 3),
        # Both joined 23 days ago; the one who joined yesterday has not had a week.
        Fact.COMPLETED: (1, 1, 2),
        Fact.WAITLISTED: (1, 1, 2),
        Fact.PURCHASED: (1, 1, 1),
    }


def test_visits_are_those_of_the_landing_page_in_the_same_weeks(funnel_of_ten: Sessions) -> None:
    with funnel_of_ten.begin() as session:
        report = cohort.funnel(session, now=NOW)
    assert report.visits == 40
    assert report.asked_rate is not None
    assert (report.asked_rate.did, report.asked_rate.could) == (10, 40)


def test_no_rate_of_visits_where_fewer_were_counted_than_asked(sessions: Sessions) -> None:
    with sessions.begin() as session:
        add_person(session, _facts(NOW - DAY))
        assert cohort.funnel(session, now=NOW).asked_rate is None


def test_empty_funnel_is_all_noughts(sessions: Sessions) -> None:
    with sessions.begin() as session:
        report = cohort.funnel(session, now=NOW)
        assert cohort.sources(session, now=NOW) == ()
    assert report.asked == 0
    assert set(_steps(report).values()) == {(0, 0, 0)}


def test_sources_are_ordered_by_who_confirmed(funnel_of_ten: Sessions) -> None:
    with funnel_of_ten.begin() as session:
        found = cohort.sources(session, now=NOW)
    assert [(s.name, s.asked, s.confirmed.did, s.waitlisted) for s in found] == [
        ("google", 7, 6, 0),
        ("leaflet", 3, 1, 1),
    ]


def test_small_sources_are_gathered_at_the_end(sessions: Sessions) -> None:
    with sessions.begin() as session:
        for number in range(10):
            add_person(session, _facts(NOW - DAY, CONFIRMED), source=f"site{number}")
        found = cohort.sources(session, now=NOW)
    assert len(found) == cohort.MAX_SOURCES + 1
    assert (found[-1].name, found[-1].asked, found[-1].confirmed.did) == (None, 2, 2)


def test_week_is_compared_with_last_week_up_to_the_same_time(sessions: Sessions) -> None:
    times = [
        NOW - HOUR,  # this week
        datetime(2026, 11, 16, 0, 0, tzinfo=UTC),  # its very first moment
        datetime(2026, 11, 15, 23, 59, tzinfo=UTC),  # last Sunday night: last week, but later
        NOW - 7 * DAY,  # last week at exactly this time
        NOW - 7 * DAY + HOUR,  # last Friday, an hour later: not yet
        datetime(2026, 11, 9, 0, 0, tzinfo=UTC),  # last Monday
        datetime(2026, 11, 8, 23, 0, tzinfo=UTC),  # the week before
    ]
    with sessions.begin() as session:
        for when in times:
            add_person(session, {Fact.REQUESTED: when})
        add_person(session, {Fact.REQUESTED: NOW - HOUR}, is_test=True)
        found = weeks.week_counts(session, now=NOW)[Fact.REQUESTED]
    assert (found.this_week, found.last_week, found.ever, found.change) == (2, 2, 7, 0)


def test_new_people_are_counted_by_local_weeks(sessions: Sessions) -> None:
    with sessions.begin() as session:
        # 23:30 UTC on Sunday 18 October is Monday 00:30 in London, where summer time still holds.
        add_person(session, {Fact.REQUESTED: datetime(2026, 10, 18, 23, 30, tzinfo=UTC)})
        add_person(session, {Fact.REQUESTED: datetime(2026, 10, 18, 22, 30, tzinfo=UTC)})
        add_person(session, {Fact.REQUESTED: NOW})
        found = weeks.new_people(session, now=NOW, weeks=6)
    assert [(week.monday.isoformat(), week.count) for week in found] == [
        ("2026-10-12", 1),
        ("2026-10-19", 1),
        ("2026-10-26", 0),
        ("2026-11-02", 0),
        ("2026-11-09", 0),
        ("2026-11-16", 1),
    ]
