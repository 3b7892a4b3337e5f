"""Limits kept in the database, so that they survive a flushed cache and a restart."""

import typing
from collections.abc import Collection
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import Table, bindparam, case, delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from funnel.db.mail import RateWindow


def take(session: Session, key: str, *, limit: int, window: timedelta, now: datetime) -> bool:
    """Count one use of `key`; True while no more than `limit` fell in the window."""
    return count(session, key, window=window, now=now) <= limit


def count(session: Session, key: str, *, window: timedelta, now: datetime) -> int:
    """Count one use of `key`, and say how many fell in the window, this one included.

    The window opens with the first use. One statement, so parallel calls all get another number.
    """
    statement = _counting(session.get_bind().dialect.name)
    values = {"the_key": key, "the_end": now + window, "the_time": now}
    return session.execute(statement, values).scalar_one()


@cache
def _counting(dialect: str) -> ReturningInsert[int]:
    """Made once: under attack it is what the machine does most."""
    table = typing.cast(Table, RateWindow.__table__)
    key, closes_at, many = table.c.key, table.c.closes_at, table.c.count
    # Inside a CASE a bare value has no column to take its type from, and SQLite would keep text.
    end = bindparam("the_end", type_=closes_at.type)
    is_over = closes_at <= bindparam("the_time", type_=closes_at.type)
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return (
        insert(table)
        .values(key=bindparam("the_key", type_=key.type), closes_at=end, count=1)
        .on_conflict_do_update(
            index_elements=[key],
            set_={
                "count": case((is_over, 1), else_=many + 1),
                "closes_at": case((is_over, end), else_=closes_at),
            },
        )
        .returning(many)
    )


def forget(session: Session, keys: Collection[str]) -> None:
    """Begin to count anew for these keys."""
    session.execute(delete(RateWindow).where(RateWindow.key.in_(keys)))


def forget_old_windows(session: Session, *, now: datetime) -> None:
    """Delete windows that are over; they limit nothing any more."""
    session.execute(delete(RateWindow).where(RateWindow.closes_at <= now))
