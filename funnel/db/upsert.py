"""Insert-if-absent on both databases."""

from typing import Any

from sqlalchemy import Insert, inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from funnel.db.base import Base


def insert_into(session: Session, table: type[Base]) -> Any:
    """The dialect's own INSERT, which knows ON CONFLICT."""
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


def insert_if_absent(session: Session, table: type[Base], **values: object) -> bool:
    """Insert a row unless a unique key forbids it; True when it was inserted."""
    key = next(iter(inspect(table).primary_key))
    statement: Insert = (
        insert_into(session, table).values(**values).on_conflict_do_nothing().returning(key)
    )
    return session.execute(statement).first() is not None
