"""Backups of a test's database: taken, put back, or brought up elsewhere."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url

from tests.support.servers import PostgresServer


@dataclass(frozen=True)
class Database:
    """A database that nobody is connected to while it is copied. `server` is None on SQLite."""

    url: str
    server: PostgresServer | None

    def back_up(self) -> "Database":
        """A copy of it as it is now."""
        name = make_url(self.url).database or ""
        if self.server is not None:
            return Database(self.server.create_database(f"{name}_copy", name), self.server)
        copy = f"{name}.copy"
        with closing(sqlite3.connect(name)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        return Database(f"sqlite:///{copy}", None)

    def put_back(self, backup: "Database") -> None:
        """Replace it by a backup, in its own place."""
        name, copy = (make_url(each.url).database or "" for each in (self, backup))
        if self.server is not None:
            self.server.drop_database(name)
            self.server.create_database(name, copy)
            return
        for rest in ("-wal", "-shm"):
            Path(name + rest).unlink(missing_ok=True)
        shutil.copyfile(copy, name)
