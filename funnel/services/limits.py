"""Limits kept in the database, so that they survive a flushed cache and a restart."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import case, delete, literal
from sqlalchemy.orm import Session

from funnel.db.mail import RateWindow
from funnel.db.upsert import insert_into


def take(session: Session, key: str, *, limit: int, window: timedelta, now: datetime) -> bool:
    """Count one use of `key`; True while no more than `limit` fell in the window.

    The window opens with the first use. One statement, so parallel calls cannot both slip in.
    """
    statement = insert_into(session, RateWindow).values(key=key, closes_at=now + window, count=1)
    is_over = RateWindow.closes_at <= now
    # Inside a CASE a bare value has no column to take its type from, and SQLite would keep text.
    closes_at = literal(now + window, RateWindow.closes_at.type)
    statement = statement.on_conflict_do_update(
        index_elements=[RateWindow.key],
        set_={
            "count": case((is_over, 1), else_=RateWindow.count + 1),
            "closes_at": case((is_over, closes_at), else_=RateWindow.closes_at),
        },
    ).returning(RateWindow.count)
    return int(session.execute(statement).scalar_one()) <= limit


def forget(session: Session, keys: Collection[str]) -> None:
    """Begin to count anew for these keys."""
    session.execute(delete(RateWindow).where(RateWindow.key.in_(keys)))


def forget_old_windows(session: Session, *, now: datetime) -> None:
    """Delete windows that are over; they limit nothing any more."""
    session.execute(delete(RateWindow).where(RateWindow.closes_at <= now))
