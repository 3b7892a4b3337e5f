"""A person's rows, table by table, found by the way that each table names."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Table, select
from sqlalchemy.orm import Session

from funnel.db.base import Base
from funnel.db.people import Subscriber
from funnel.domain.people import fingerprint
from funnel.services.rights.columns import BY_HASH, BY_KEY, TABLES

Record = dict[str, object]


def records_of(
    session: Session, name: str, person: Subscriber, pepper: bytes, *also: str
) -> list[Record]:
    """What a table holds of a person, oldest row first: the columns that are hers, and `also`."""
    table = _table(name)
    columns = [table.c[column] for column in (*TABLES[name].exported, *also)]
    query = select(*columns).where(is_hers(name, person, pepper)).order_by(*table.primary_key)
    return [dict(row) for row in session.execute(query).mappings()]


def is_hers(name: str, person: Subscriber, pepper: bytes) -> ColumnElement[bool]:
    """Holds for the rows of a table that are this person's."""
    table = _table(name)
    if TABLES[name].owner == BY_HASH:
        return table.c[BY_HASH] == fingerprint(person.email_key, pepper)
    if TABLES[name].owner == BY_KEY:
        return table.c[BY_KEY] == person.email_key
    return _leads_to(table, person.id)


def _leads_to(table: Table, subscriber_id: int) -> ColumnElement[bool]:
    column, parent = TABLES[table.name].way
    if parent == "subscriber":
        return table.c[column] == subscriber_id
    above = _table(parent)
    key = next(iter(above.primary_key))
    return table.c[column].in_(select(key).where(_leads_to(above, subscriber_id)))


def _table(name: str) -> Table:
    return Base.metadata.tables[name]


def plain(value: object) -> object:
    """A value as JSON holds it: times in UTC with their zone, handles as text."""
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def plain_record(record: Mapping[str, object]) -> Record:
    """A record of plain values."""
    return {name: plain(value) for name, value in record.items()}
