"""Sealing with today's key what an older one sealed: columns, and files on the shelf."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Column, ColumnElement, Table, func, literal, select, update
from sqlalchemy.orm import Session, sessionmaker

from funnel.db.base import Base
from funnel.domain.errors import VaultLocked
from funnel.services.rights.columns import TABLES, Kind
from funnel.services.shelf import Shelf
from funnel.vault import MARK_CHARACTERS

BATCH = 200
FILES = "files on the shelf"
_EVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Turned:
    """One place: how many values are of today's key already, were sealed anew, or cannot be opened.

    On a dry run `anew` are those that would be.
    """

    place: str
    current: int = 0
    anew: int = 0
    locked: int = 0


@dataclass(frozen=True)
class Rotation:
    """Seals anew, a batch at a time. Stopped half-way it goes on from there when run again."""

    sessions: sessionmaker[Session]
    shelf: Shelf
    is_ours: Callable[[str], bool]

    def run(self, *, is_dry: bool) -> Iterator[Turned]:
        """Every place in turn; with `is_dry` nothing is changed."""
        for table, column in sealed_columns():
            yield self._column(table, column, is_dry=is_dry)
        yield self._files(is_dry=is_dry)

    def _column(self, table: Table, column: Column[bytes], *, is_dry: bool) -> Turned:
        done = Turned(f"{table.name}.{column.name}", current=self._count_current(column))
        after: object = None
        while batch := self._batch(table, column, after):
            anew = {key: sealed for key, sealed in batch.items() if self._opens(sealed)}
            if not is_dry:
                self._seal_anew(table, column, anew)
            locked = done.locked + len(batch) - len(anew)
            done = replace(done, anew=done.anew + len(anew), locked=locked)
            after = max(batch)
        return done

    def _count_current(self, column: Column[bytes]) -> int:
        with self.sessions.begin() as session:
            return session.scalar(select(func.count()).where(self._is_current(column))) or 0

    def _is_current(self, column: Column[bytes]) -> ColumnElement[bool]:
        mark = literal(self.shelf.vault.newest_mark, column.type)
        return func.substr(column, 1, MARK_CHARACTERS) == mark

    def _batch(self, table: Table, column: Column[bytes], after: object) -> dict[int, bytes]:
        """The next values that an older key sealed, by the number of their row."""
        (key,) = table.primary_key
        query = select(key, column).where(column.is_not(None), ~self._is_current(column))
        if after is not None:
            query = query.where(key > after)
        with self.sessions.begin() as session:
            rows = session.execute(query.order_by(key).limit(BATCH)).all()
        return {row[0]: row[1] for row in rows}

    def _opens(self, sealed: bytes) -> bool:
        try:
            self.shelf.vault.open(sealed)
        except VaultLocked:
            return False
        return True

    def _seal_anew(self, table: Table, column: Column[bytes], values: dict[int, bytes]) -> None:
        (key,) = table.primary_key
        with self.sessions.begin() as session:
            for number, sealed in values.items():
                anew = self.shelf.vault.seal(self.shelf.vault.open(sealed))
                # Only what is still as it was read: something new may have been put there.
                is_as_read = (key == number) & (column == sealed)
                session.execute(update(table).where(is_as_read).values({column.name: anew}))

    def _files(self, *, is_dry: bool) -> Turned:
        done = Turned(FILES)
        for key in filter(self.is_ours, self.shelf.storage.keys(_EVER)):
            done = self._file(done, key, is_dry=is_dry)
        return done

    def _file(self, done: Turned, key: str, *, is_dry: bool) -> Turned:
        if self.shelf.is_current(key):
            return replace(done, current=done.current + 1)
        content = self.shelf.read(key)
        if content is None:
            return replace(done, locked=done.locked + 1)
        if not is_dry:
            self.shelf.put(key, content)
        return replace(done, anew=done.anew + 1)


def sealed_columns() -> list[tuple[Table, Column[bytes]]]:
    """Every column that holds something sealed."""
    tables = Base.metadata.tables
    return [
        (tables[name], tables[name].c[column])
        for name, table in TABLES.items()
        for column, kind in table.columns
        if kind is Kind.SEALED
    ]
