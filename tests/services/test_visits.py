"""Counting visits without knowing anyone."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from funnel.db.people import VisitCount
from funnel.services.visits import record_visits

Sessions = sessionmaker[Session]


def counts(sessions: Sessions) -> dict[tuple[str, str, str], int]:
    with sessions.begin() as session:
        return {
            (row.day, row.page, row.source): row.visits
            for row in session.scalars(select(VisitCount))
        }


def test_counts_of_one_day_page_and_source_add_up(sessions: Sessions) -> None:
    now = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
    for _ in range(2):
        with sessions.begin() as session:
            record_visits(session, {("home", "google"): 3, ("home", "direct"): 1}, now=now)
    assert counts(sessions) == {
        ("2026-11-23", "home", "google"): 6,
        ("2026-11-23", "home", "direct"): 2,
    }


def test_a_day_begins_at_midnight_of_the_practice(sessions: Sessions) -> None:
    for hour in (22, 23):
        with sessions.begin() as session:
            now = datetime(2026, 7, 1, hour, 30, tzinfo=UTC)
            record_visits(session, {("home", "direct"): 1}, now=now)
    assert set(counts(sessions)) == {
        ("2026-07-01", "home", "direct"),
        ("2026-07-02", "home", "direct"),
    }


def test_counts_from_many_places_at_once_are_all_kept(sessions: Sessions) -> None:
    now = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)

    def count(_: int) -> None:
        with sessions.begin() as session:
            record_visits(session, {("b", "x"): 1, ("a", "x"): 1}, now=now)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(24)))
    assert set(counts(sessions).values()) == {24}


def test_nothing_to_count_writes_nothing(sessions: Sessions) -> None:
    with sessions.begin() as session:
        record_visits(session, {}, now=datetime(2026, 11, 23, tzinfo=UTC))
    assert counts(sessions) == {}
