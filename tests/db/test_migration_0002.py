"""Guides made before editions existed are all still there afterwards."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text

from funnel.db.engine import make_engine
from funnel.db.migrate import config_for, upgrade
from tests.support.servers import PostgresServer

PERSON = (
    "INSERT INTO subscriber (id, public_id, email, email_key, state, created_at, source, is_test)"
    " VALUES (:n, :handle, :mail, :mail, 'confirmed', :now, 'direct', false)"
)
GUIDE = (
    "INSERT INTO guide (id, public_id, subscriber_id, document, state, requested_at, not_before,"
    " fence, attempt, ready_at, storage_key, pages, downloads, why)"
    " VALUES (:n, :handle, :n, '{}', :state, :now, :now, 1, 1, :now, 'old.pdf', 16, 3, 'Made.')"
)


@pytest.fixture(params=["sqlite", "postgres"])
def old_url(
    request: pytest.FixtureRequest, tmp_path: Path, postgres: PostgresServer
) -> Iterator[str]:
    """A database as it was before, with two guides: one ready, one in the making."""
    is_sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/old.db" if is_sqlite else postgres.create_database("funnel_old")
    command.upgrade(config_for(url), "0001")
    engine = make_engine(url)
    with engine.begin() as connection:
        for number, state in ((1, "ready"), (2, "claimed")):
            values = {
                "n": number,
                "handle": f"{number:032x}",
                "mail": f"{number}@example.org",
                "state": state,
                "now": 1 if is_sqlite else "2026-11-23T10:00:00Z",
            }
            connection.execute(text(PERSON), values)
            connection.execute(text(GUIDE), values)
    engine.dispose()
    yield url
    if not is_sqlite:
        postgres.drop_database("funnel_old")


def test_every_old_guide_keeps_its_row_and_gets_a_print(old_url: str) -> None:
    upgrade(old_url)
    engine = make_engine(old_url)
    with engine.connect() as connection:
        guides = connection.execute(text("SELECT id, downloads FROM guide ORDER BY id")).all()
        prints = connection.execute(
            text("SELECT guide_id, edition, state, pages, storage_key FROM guide_print ORDER BY id")
        ).all()
    engine.dispose()
    assert [tuple(row) for row in guides] == [(1, 3), (2, 3)]
    assert [tuple(row) for row in prints] == [
        (1, "guide", "ready", 16, None),
        (2, "guide", "requested", 16, None),
    ]
