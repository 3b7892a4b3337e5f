"""Many rows in one statement, on both databases."""

import typing
from collections.abc import Callable, Collection, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Dialect,
    Integer,
    Table,
    Uuid,
    any_,
    bindparam,
    func,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.types import TypeEngine

from funnel.db.base import Base
from funnel.db.upsert import insert_into

Row = dict[str, Any]


def among(
    session: Session, column: InstrumentedAttribute[Any], values: Collection[Any]
) -> ColumnElement[bool]:
    """Holds where the column is one of these values, however many there are.

    `IN` with some hundred values costs more to write and to read than to answer: Postgres gets
    one array instead.
    """
    if session.get_bind().dialect.name == "postgresql":
        return column == any_(bindparam(None, list(values), type_=_array_of(column.type)))
    return column.in_(bindparam(None, list(values), type_=column.type, expanding=True))


class _Spelled(ARRAY[Any]):
    """An array of numbers or handles, written out here: the driver takes longer over each of them
    than the database over its row. The database sees a plain value, which its plans count on."""

    cache_ok = True
    render_bind_cast = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], str]:  # noqa: ARG002 - its parent's
        return lambda values: f"{{{','.join(map(str, values))}}}"


def _array_of(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    return _Spelled(kind) if isinstance(kind, Integer | Uuid) else ARRAY(kind)


def update_rows(session: Session, table: type[Base], rows: Sequence[Row]) -> None:
    """Set columns of rows found by `id`; all rows name the same columns."""
    if not rows:
        return
    target = typing.cast(Table, table.__table__)
    if session.get_bind().dialect.name == "postgresql":
        _update_from_arrays(session, target, rows)
    else:
        _update_one_by_one(session, target, rows)


def update_by_shape(session: Session, table: type[Base], rows: Sequence[Row]) -> None:
    """Set columns of rows found by `id`; rows that name the same columns go together."""
    shapes: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        shapes.setdefault(tuple(row), []).append(row)
    for alike in shapes.values():
        update_rows(session, table, alike)


def _update_from_arrays(session: Session, target: Table, rows: Sequence[Row]) -> None:
    """One array for each column; a value that all rows have in common is given once."""
    first = rows[0]
    shared = {name for name in first if all(row[name] == first[name] for row in rows)} - {"id"}
    names = [name for name in first if name not in shared]
    kinds = {name: target.c[name].type for name in first}
    arrays = [
        bindparam(f"all_{name}", type_=_array_of(kind) if name == "id" else ARRAY(kind))
        for name, kind in kinds.items()
        if name in names
    ]
    given = func.unnest(*arrays).table_valued(*names).render_derived("given")
    values: Row = {name: given.c[name] for name in names if name != "id"}
    values |= {name: bindparam(f"one_{name}", type_=kinds[name]) for name in shared}
    statement = update(target).where(target.c.id == given.c.id).values(values)
    bound: Row = {f"one_{name}": first[name] for name in shared}
    bound |= {f"all_{name}": [row[name] for row in rows] for name in names}
    session.connection().execute(statement, bound)


def _update_one_by_one(session: Session, target: Table, rows: Sequence[Row]) -> None:
    """SQLite runs a prepared statement at no cost to speak of."""
    values: Row = {name: bindparam(f"to_{name}") for name in rows[0] if name != "id"}
    statement = update(target).where(target.c.id == bindparam("by_id")).values(values)
    renamed = [
        {"by_id" if name == "id" else f"to_{name}": value for name, value in row.items()}
        for row in rows
    ]
    session.connection().execute(statement, renamed)


def insert_absent(session: Session, table: type[Base], rows: Sequence[Row]) -> list[Any]:
    """Insert those rows that no unique key forbids; returns the first key of each that went in."""
    if not rows:
        return []
    key = next(iter(typing.cast(Table, table.__table__).primary_key.columns))
    statement = insert_into(session, table).on_conflict_do_nothing().returning(key)
    return list(session.connection().execute(statement, list(rows)).scalars())
