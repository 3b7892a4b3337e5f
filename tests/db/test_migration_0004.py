"""Mails on their way, their tries and what was told of them survive the table's rebuilding."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from funnel.db.engine import make_engine
from funnel.db.migrate import config_for, upgrade
from tests.support.servers import PostgresServer

PERSON = (
    "INSERT INTO subscriber (id, public_id, email, email_key, state, created_at, source, is_test)"
    " VALUES (1, :handle, 'a@example.org', 'a@example.org', 'confirmed', :now, 'direct', false)"
)
WORDS = (
    "INSERT INTO text_version (id, kind, key, version, source, sha256, origin, created_at)"
    " VALUES (1, 'mail', 'service/confirm', 1, '', '', 'shipped', :now)"
)
MAIL = (
    "INSERT INTO message (id, subscriber_id, dedupe_key, mail_class, mail_key, text_version_id,"
    " priority, created_at, due_at, not_before, state, fence, attempt, is_resent, why)"
    " VALUES (:handle, 1, 'k', 'confirm', 'service/confirm', 1, 30, :now, :now, :now, 'sending',"
    " 1, 1, false, 'Being handed over.')"
)
TRY = "INSERT INTO attempt (message_id, fence, started_at) VALUES (:handle, 1, :now)"
NEWS = (
    "INSERT INTO mail_event (id, received_at, occurred_at, kind, body, message_id)"
    " VALUES ('e', :now, :now, 'processed', '{}', :handle)"
)
STRANGER = (
    "INSERT INTO message (id, to_address, dedupe_key, mail_class, mail_key, text_version_id,"
    " priority, created_at, due_at, not_before, state, fence, attempt, is_resent, why)"
    " VALUES (:handle, :to, 'other', 'receipt', 'service/confirm', 1, 20, :now, :now, :now,"
    " 'scheduled', 0, 0, false, 'Queued.')"
)


@pytest.fixture(params=["sqlite", "postgres"])
def old_url(
    request: pytest.FixtureRequest, tmp_path: Path, postgres: PostgresServer
) -> Iterator[str]:
    """A database as it was before, with a mail that is just being handed over."""
    is_sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/old.db" if is_sqlite else postgres.create_database("funnel_old_4")
    command.upgrade(config_for(url), "0003")
    engine = make_engine(url)
    with engine.begin() as connection:
        for statement in (PERSON, WORDS, MAIL, TRY, NEWS):
            connection.execute(text(statement), _values(is_sqlite, 7))
    engine.dispose()
    yield url
    if not is_sqlite:
        postgres.drop_database("funnel_old_4")


def _values(is_sqlite: bool, number: int) -> dict[str, object]:
    return {"handle": f"{number:032x}", "now": 1 if is_sqlite else "2026-11-23T10:00:00Z"}


def test_a_mail_on_its_way_keeps_its_tries_and_its_news(old_url: str) -> None:
    upgrade(old_url)
    engine = make_engine(old_url)
    with engine.connect() as connection:
        mail = connection.execute(
            text("SELECT subscriber_id, to_address, state, fence FROM message")
        ).all()
        tries = connection.execute(text("SELECT count(*) FROM attempt")).scalar()
        news = connection.execute(text("SELECT count(message_id) FROM mail_event")).scalar()
    assert [tuple(row) for row in mail] == [(1, None, "sending", 1)]
    assert (tries, news) == (1, 1)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM subscriber"))
        assert connection.execute(text("SELECT count(*) FROM message")).scalar() == 0
        assert connection.execute(text("SELECT count(*) FROM attempt")).scalar() == 0
    engine.dispose()


def test_a_mail_may_have_no_person_but_never_nobody_at_all(old_url: str) -> None:
    upgrade(old_url)
    engine = make_engine(old_url)
    values = _values(old_url.startswith("sqlite"), 8)
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text(STRANGER), {**values, "to": None})
    with engine.begin() as connection:
        connection.execute(text(STRANGER), {**values, "to": "cleo@example.org"})
    engine.dispose()
