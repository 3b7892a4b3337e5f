"""Limits kept in the database."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from funnel.db.mail import RateWindow
from funnel.services import limits

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
Sessions = sessionmaker[Session]


def take(sessions: Sessions, key: str = "k", limit: int = 3, now: datetime = NOW) -> bool:
    with sessions.begin() as session:
        return limits.take(session, key, limit=limit, window=HOUR, now=now)


def test_a_window_lets_its_number_through_and_no_more(sessions: Sessions) -> None:
    assert [take(sessions) for _ in range(5)] == [True, True, True, False, False]


def test_a_window_opens_with_the_first_use_and_refusals_do_not_lengthen_it(
    sessions: Sessions,
) -> None:
    assert take(sessions, limit=1)
    just = NOW + HOUR - timedelta(microseconds=1)
    assert not take(sessions, limit=1, now=just)
    assert take(sessions, limit=1, now=NOW + HOUR)
    assert not take(sessions, limit=1, now=NOW + HOUR)


def test_keys_count_apart(sessions: Sessions) -> None:
    assert take(sessions, "a", limit=1)
    assert take(sessions, "b", limit=1)
    assert not take(sessions, "a", limit=1)


def test_many_at_once_do_not_slip_through(sessions: Sessions) -> None:
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: take(sessions, limit=7), range(40)))
    assert answers.count(True) == 7


def test_a_use_in_a_transaction_that_fails_is_not_counted(sessions: Sessions) -> None:
    with sessions() as session:
        assert limits.take(session, "k", limit=1, window=HOUR, now=NOW)
        session.rollback()
    assert take(sessions, limit=1)


def test_only_windows_that_are_over_are_forgotten(sessions: Sessions) -> None:
    take(sessions, "old", now=NOW - HOUR)
    take(sessions, "new", now=NOW)
    with sessions.begin() as session:
        limits.forget_old_windows(session, now=NOW)
        assert session.scalars(select(RateWindow.key)).all() == ["new"]
