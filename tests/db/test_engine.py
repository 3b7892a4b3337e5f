"""Engines that survive: durable commits, waiting writers, honest times."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Dialect, Engine, insert, make_url, select, text
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError
from sqlalchemy.orm import Session, sessionmaker

from funnel.db.base import UtcDateTime
from funnel.db.desk import Staff
from funnel.db.engine import allow_a_minute, make_engine, make_readers, make_sessions
from funnel.db.mail import Control, Tick
from funnel.db.people import Consent
from funnel.db.upsert import insert_if_absent
from tests.support.servers import PostgresServer

Sessions = sessionmaker[Session]
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
DIALECTS: list[Dialect] = [
    make_url(url).get_dialect()() for url in ("sqlite://", "postgresql+psycopg://")
]
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgres = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)


@on_sqlite
@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 10_000)],
)
def test_sqlite_is_set_up_to_survive(engine: Engine, pragma: str, value: object) -> None:
    for _ in range(3):
        with engine.connect() as connection:
            assert connection.execute(text(f"PRAGMA {pragma}")).scalar_one() == value


@on_postgres
@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("synchronous_commit", "on"),
        ("timezone", "UTC"),
        ("statement_timeout", "10s"),
        ("application_name", "funnel"),
    ],
)
def test_postgres_is_set_up_to_survive(engine: Engine, setting: str, value: str) -> None:
    with engine.connect() as connection:
        assert connection.execute(text(f"SHOW {setting}")).scalar_one() == value


@on_postgres
def test_one_transaction_over_many_people_may_take_longer(sessions: Sessions) -> None:
    for has_time, timeout in ((True, "1min"), (False, "10s")):
        with sessions.begin() as session:
            if has_time:
                allow_a_minute(session)
            assert session.execute(text("SHOW statement_timeout")).scalar_one() == timeout


@on_postgres
def test_a_commit_is_durable_even_where_the_server_says_otherwise(
    database_url: str, postgres: PostgresServer
) -> None:
    name = database_url.rpartition("/")[2]
    admin = make_engine(postgres.url())
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
    engine = make_engine(database_url)
    with engine.connect() as connection:
        assert connection.execute(text("SHOW synchronous_commit")).scalar_one() == "on"
    engine.dispose()
    admin.dispose()


@on_postgres
def test_a_connection_the_server_cut_is_replaced_without_a_word(engine: Engine) -> None:
    with engine.connect() as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with engine.connect() as holding, engine.begin() as other:
        assert holding.execute(text("SELECT pg_backend_pid()")).scalar_one() == pid
        other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        with pytest.raises(OperationalError):
            holding.execute(text("SELECT 1"))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1


def test_two_writers_wait_for_each_other(sessions: Sessions) -> None:
    with sessions.begin() as session:
        session.add(Control(key="n", value={"n": 0}))

    def add_one(_: int) -> None:
        with sessions.begin() as session:
            row = session.scalars(select(Control).with_for_update()).one()
            row.value = {"n": int(str(row.value["n"])) + 1}

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add_one, range(40)))
    with sessions.begin() as session:
        assert session.scalars(select(Control.value)).one() == {"n": 40}


def test_a_reader_does_not_wait_for_a_writer(engine: Engine) -> None:
    writing, reading = make_sessions(engine), make_readers(engine)
    has_read = threading.Event()

    def read() -> None:
        with reading.begin() as session:
            session.scalars(select(Control)).all()
        has_read.set()

    with writing.begin() as session:
        session.add(Control(key="x", value={}))
        session.flush()
        reader = threading.Thread(target=read)
        reader.start()
        assert has_read.wait(5), "the reader waited for the writer"
    reader.join()


def test_a_row_that_points_nowhere_is_refused(sessions: Sessions) -> None:
    with pytest.raises(IntegrityError), sessions.begin() as session:
        session.add(Consent(subscriber_id=999, purpose="series", given_at=NOW))


@pytest.mark.parametrize("twice", [True, False], ids=["there already", "incomplete"])
def test_a_row_that_is_refused_leaves_no_address_in_the_log(
    sessions: Sessions, caplog: pytest.LogCaptureFixture, twice: bool
) -> None:
    address = "ada@example.org"
    row = {"email": address, "email_key": address, "name": "Ada", "created_at": NOW}
    rows = [row | {"password_hash": "x"}] * 2 if twice else [row]
    try:
        with sessions.begin() as session:
            session.execute(insert(Staff), rows)
    except IntegrityError:
        logging.getLogger(__name__).exception("it failed")
    assert "IntegrityError" in caplog.text
    assert address not in caplog.text


def test_inserting_what_is_there_changes_nothing_and_says_so(sessions: Sessions) -> None:
    for expected in (True, False):
        with sessions.begin() as session:
            assert insert_if_absent(session, Control, key="k", value={"a": 1}) is expected
    with sessions.begin() as session:
        assert not insert_if_absent(session, Control, key="k", value={"a": 2})
        assert session.scalars(select(Control.value)).one() == {"a": 1}


@pytest.mark.parametrize(
    "when",
    [
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, tzinfo=ZoneInfo("Europe/London")),
        datetime(2026, 10, 25, 1, 30, fold=1, tzinfo=ZoneInfo("Europe/London")),
        datetime(2100, 2, 28, 12, 0, 0, 1, tzinfo=UTC),
    ],
)
def test_a_time_comes_back_to_the_microsecond_and_in_utc(
    sessions: Sessions, when: datetime
) -> None:
    with sessions.begin() as session:
        session.add(Tick(name="t", slot=when))
    with sessions.begin() as session:
        found = session.scalars(select(Tick.slot)).one()
    assert found == when.astimezone(UTC)
    assert found.utcoffset() == timedelta(0)


def test_a_time_without_a_zone_is_not_stored(sessions: Sessions) -> None:
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(StatementError, match="zone"), sessions.begin() as session:
        session.add(Tick(name="t", slot=naive))


@given(st.datetimes(datetime.fromisoformat("1900-01-01"), timezones=st.timezones()))
def test_any_time_survives_the_column_type(when: datetime) -> None:
    for dialect in DIALECTS:
        stored = UtcDateTime().process_bind_param(when, dialect)
        assert UtcDateTime().process_result_value(stored, dialect) == when.astimezone(UTC)
    assert UtcDateTime().process_bind_param(None, DIALECTS[0]) is None
    assert UtcDateTime().process_result_value(None, DIALECTS[0]) is None


def test_a_folder_that_is_not_there_is_made(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/a/b/c.db")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1
    engine.dispose()
    assert (tmp_path / "a/b/c.db").exists()


def test_a_database_file_is_its_owners_alone(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/new.db")
    with engine.connect() as connection:
        connection.execute(text("CREATE TABLE one (id INTEGER)"))
        assert {file.stat().st_mode & 0o777 for file in tmp_path.glob("new.db*")} == {0o600}
    engine.dispose()
