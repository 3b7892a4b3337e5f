"""Evidence and purchases from before are all still there, and as well guarded as they were."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from funnel.db.engine import make_engine
from funnel.db.migrate import config_for, upgrade
from tests.support.servers import PostgresServer

ROWS = """
INSERT INTO staff (id, email, email_key, name, password_hash, created_at)
 VALUES (1, 'r', 'r', 'R', 'x', :now);
INSERT INTO subscriber (id, public_id, email, email_key, state, created_at, source, is_test)
 VALUES (1, :handle, 'ada', 'ada', 'confirmed', :now, 'direct', false);
INSERT INTO text_version (id, kind, key, version, source, sha256, origin, created_at)
 VALUES (1, 'wording', 'series', 1, 'Yes.', 'abc', 'shipped', :now);
INSERT INTO consent_event (id, subscriber_id, occurred_at, action, purpose, is_granted, wording_id,
 wording_sha256, page_url, form_version, method, ip_truncated, user_agent, source)
 VALUES (7, 1, :now, 'asked', 'series', true, 1, 'abc', '/', '1', 'button', '192.0.2.0', 'Browser',
 'direct');
INSERT INTO purchase (id, subscriber_id, offer_key, marked_by, purchased_at)
 VALUES (3, 1, 'programme', 1, :now)
"""


@pytest.fixture(params=["sqlite", "postgres"])
def old_url(
    request: pytest.FixtureRequest, tmp_path: Path, postgres: PostgresServer
) -> Iterator[str]:
    """A database as it was before, with one of each."""
    is_sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/old.db" if is_sqlite else postgres.create_database("funnel_old5")
    command.upgrade(config_for(url), "0003")
    values = {"handle": f"{1:032x}", "now": 1 if is_sqlite else "2026-11-23T10:00:00Z"}
    engine = make_engine(url)
    with engine.begin() as connection:
        for row in ROWS.split(";"):
            connection.execute(text(row), values)
    engine.dispose()
    yield url
    if not is_sqlite:
        postgres.drop_database("funnel_old5")


def test_what_was_there_is_there_and_guarded(old_url: str) -> None:
    upgrade(old_url)
    engine = make_engine(old_url)
    with engine.connect() as connection:
        query = "SELECT id, subscriber_id, user_agent, notice_id FROM consent_event"
        assert [tuple(row) for row in connection.execute(text(query))] == [(7, 1, "Browser", None)]
        query = "SELECT id, subscriber_id, offer_key FROM purchase"
        assert [tuple(row) for row in connection.execute(text(query))] == [(3, 1, "programme")]
    for statement in ("DELETE FROM consent_event", "UPDATE consent_event SET purpose = 'other'"):
        with pytest.raises(DatabaseError, match="append-only"), engine.begin() as connection:
            connection.execute(text(statement))
    bury = (
        "UPDATE consent_event SET subscriber_id = NULL, ip_truncated = '', user_agent = '',"
        " source = '', seconds_on_page = NULL"
    )
    with engine.begin() as connection:
        connection.execute(text(bury))
        connection.execute(text("DELETE FROM subscriber"))
        query = "SELECT subscriber_id FROM purchase"
        assert connection.execute(text(query)).scalars().all() == [None]
    engine.dispose()
