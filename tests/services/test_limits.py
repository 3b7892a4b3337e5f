"""Limits: so many in a window, and again so many in the next."""

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from funnel.db.mail import RateWindow
from funnel.services.limits import forget_old_windows, take
from tests.support.house import START

HOUR = timedelta(hours=1)


def _take(sessions: sessionmaker[Session], hours: float, limit: int = 2) -> bool:
    with sessions.begin() as session:
        return take(session, "key", limit=limit, window=HOUR, now=START + hours * HOUR)


def test_a_window_takes_its_limit_and_no_more(sessions: sessionmaker[Session]) -> None:
    assert [_take(sessions, passed) for passed in (0, 0.1, 0.2, 0.99)] == [True, True, False, False]


def test_every_later_window_opens_anew(sessions: sessionmaker[Session]) -> None:
    for start in (0, 1, 2.5, 40):
        taken = [_take(sessions, start + passed) for passed in (0, 0.1, 0.2)]
        assert taken == [True, True, False], f"the window {start} hours later"


def test_windows_that_are_over_are_forgotten(sessions: sessionmaker[Session]) -> None:
    _take(sessions, 0)
    _take(sessions, 3)
    for hours, left in ((3.5, 1), (4, 0)):
        with sessions.begin() as session:
            forget_old_windows(session, now=START + hours * HOUR)
            assert session.scalar(select(func.count()).select_from(RateWindow)) == left
