"""The schema of the tables and that of the migrations are one, on both databases."""

import shutil
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, event, inspect, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from funnel.db.engine import make_engine
from funnel.db.migrate import upgrade
from funnel.db.tables import Base
from tests.support.servers import PostgresServer

Sessions = sessionmaker[Session]


def test_migrations_make_the_tables_as_they_are_declared(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, Base.metadata) == []


def test_the_comparison_would_notice_a_difference(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE staff ADD COLUMN stray INTEGER"))
        connection.execute(text("DROP INDEX one_open_per_enrolment"))
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    assert {change[0] for change in found} == {"remove_column", "add_index"}


def test_checks_of_states_are_the_same_in_both(engine: Engine) -> None:
    inspector = inspect(engine)
    for table in Base.metadata.sorted_tables:
        declared = {c.name for c in table.constraints if str(c.name or "").startswith("ck_")}
        made = {c["name"] for c in inspector.get_check_constraints(table.name)}
        assert made == declared, table.name


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("subscriber", "state"),
        ("enrolment", "state"),
        ("message", "state"),
        ("message", "mail_class"),
        ("guide_print", "state"),
        ("guide_print", "edition"),
        ("consent", "purpose"),
        ("suppression", "reason"),
        ("funnel_event", "fact"),
        ("complaint", "state"),
    ],
)
def test_a_made_up_state_is_named_in_no_table(engine: Engine, table: str, column: str) -> None:
    (check,) = [
        found
        for found in inspect(engine).get_check_constraints(table)
        if found["name"] == f"ck_{table}_{column}"
    ]
    assert "made-up" not in check["sqltext"]
    assert column in check["sqltext"]


def test_the_database_itself_refuses_a_made_up_state(sessions: Sessions) -> None:
    statement = text(
        "INSERT INTO suppression (address_hash, reason, created_at) VALUES ('x', 'bored', :now)"
    )
    now = 0 if _is_sqlite(sessions) else "2026-11-23T10:00:00Z"
    with pytest.raises(IntegrityError), sessions.begin() as session:
        session.execute(statement, {"now": now})


def _is_sqlite(sessions: Sessions) -> bool:
    with sessions() as session:
        return session.get_bind().dialect.name == "sqlite"


def test_upgrading_again_is_harmless(database_url: str) -> None:
    engine = make_engine(database_url)
    before = _shape(engine)
    upgrade(database_url)
    upgrade(database_url)
    assert _shape(engine) == before
    engine.dispose()


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_migration_may_take_as_long_as_it_needs(database_url: str) -> None:
    limits = set()

    def ask(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if "alembic_version" in statement:
            server = connection.connection.driver_connection
            assert server is not None
            limits.add(server.execute("SHOW statement_timeout").fetchone()[0])

    event.listen(Engine, "before_cursor_execute", ask)
    try:
        upgrade(database_url)
    finally:
        event.remove(Engine, "before_cursor_execute", ask)
    assert limits == {"0"}


def _shape(engine: Engine) -> dict[str, list[str]]:
    inspector = inspect(engine)
    return {
        table: sorted(column["name"] for column in inspector.get_columns(table))
        for table in inspector.get_table_names()
    }


def test_an_empty_database_becomes_whole(tmp_path: Path, postgres: PostgresServer) -> None:
    empty = postgres.create_database("funnel_from_nothing")
    for url in (f"sqlite:///{tmp_path}/deep/er/funnel.db", empty):
        upgrade(url)
        engine = make_engine(url)
        assert set(_shape(engine)) == {*Base.metadata.tables, "alembic_version"}
        engine.dispose()
    postgres.drop_database("funnel_from_nothing")


def test_both_databases_have_the_same_tables_and_columns(
    migrated_sqlite: Path, migrated_postgres: PostgresServer, tmp_path: Path
) -> None:
    file = tmp_path / "copy.db"
    shutil.copy(migrated_sqlite, file)
    server = migrated_postgres.create_database("funnel_shape", "funnel_template")
    engines = [make_engine(f"sqlite:///{file}"), make_engine(server)]
    first, second = (_shape(engine) for engine in engines)
    for engine in engines:
        engine.dispose()
    migrated_postgres.drop_database("funnel_shape")
    assert first == second
