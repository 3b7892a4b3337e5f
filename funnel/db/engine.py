"""Engines: SQLite as the embedded default, Postgres through psycopg 3."""

from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import QueuePool

SQLITE_BUSY_MS = 10_000
POSTGRES_OPTIONS = "-c statement_timeout=10000 -c timezone=UTC -c synchronous_commit=on"


def make_engine(url: str, pool_size: int = 10) -> Engine:
    """An engine for `sqlite:///path` or `postgresql://...`, set up to survive.

    Its errors hide what was written, so that no log holds an address.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed, pool_size)
    engine = create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={
            "connect_timeout": 5,
            "options": POSTGRES_OPTIONS,
            "tcp_user_timeout": 5000,
            "application_name": "funnel",
        },
    )
    event.listen(engine, "handle_error", _hide_detail)
    return engine


def _hide_detail(context: ExceptionContext) -> None:
    """Postgres quotes the row it refuses in the detail of its error; only the headline is kept."""
    error = context.original_exception
    headline = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    if headline and context.sqlalchemy_exception:
        error.args = (headline,)
        context.sqlalchemy_exception.args = (f"({type(error).__name__}) {headline}",)


def _sqlite(url: URL, pool_size: int) -> Engine:
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        Path(url.database).touch(mode=0o600)  # its log gets the mode of the file
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=pool_size,
        hide_parameters=True,
        connect_args={"timeout": SQLITE_BUSY_MS / 1000, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin)
    return engine


def empty_log(engine: Engine) -> None:
    """Take what was deleted out of SQLite's write-ahead log too; Postgres has none that is copied
    with the data."""
    if engine.name == "sqlite":
        with closing(engine.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver must not open transactions by itself, so that BEGIN IMMEDIATE can be ours.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={SQLITE_BUSY_MS}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    # Taking the write lock first means that two writers wait instead of failing half-way.
    is_reading = connection.get_execution_options().get("is_reading", False)
    connection.exec_driver_sql("BEGIN" if is_reading else "BEGIN IMMEDIATE")


def allow_a_minute(session: Session) -> None:
    """Let each statement of this transaction take a minute, for one over very many people."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL statement_timeout = '60s'"))


def make_sessions(engine: Engine) -> sessionmaker[Session]:
    """The maker of sessions: `with sessions.begin() as session:` is the unit of work."""
    return sessionmaker(engine, expire_on_commit=False)


def make_readers(engine: Engine) -> sessionmaker[Session]:
    """The maker of sessions that only read: on SQLite they do not wait for the write lock."""
    return sessionmaker(engine.execution_options(is_reading=True), expire_on_commit=False)
