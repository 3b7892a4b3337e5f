"""Where a database lives, in a way that a copy of it does not share."""

from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

_MAY_ASK = "SELECT has_function_privilege('pg_control_system()', 'execute')"
_CLUSTER = "SELECT system_identifier FROM pg_control_system()"
_DATABASE = "SELECT oid FROM pg_database WHERE datname = current_database()"


def place_of(session: Session) -> str:
    """The file's number on SQLite; the cluster's and the database's own numbers on Postgres.

    Moving a SQLite file within its disk, a restart and a new version keep it; copying does not.
    """
    url = session.get_bind().engine.url
    if url.get_backend_name() == "sqlite":
        return f"file {Path(url.database or '').stat().st_ino}"
    cluster = session.scalar(text(_CLUSTER)) if session.scalar(text(_MAY_ASK)) else "unknown"
    return f"cluster {cluster} database {session.scalar(text(_DATABASE))}"
