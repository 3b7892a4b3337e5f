"""Consents given before clicks could be noted are all still there afterwards."""

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
    " VALUES (1, :handle, 'ada@example.org', 'ada@example.org', 'confirmed', :now, 'direct', false)"
)
CONSENT = "INSERT INTO consent (subscriber_id, purpose, given_at) VALUES (1, :purpose, :now)"


@pytest.fixture(params=["sqlite", "postgres"])
def old_url(
    request: pytest.FixtureRequest, tmp_path: Path, postgres: PostgresServer
) -> Iterator[str]:
    """A database as it was before, with somebody who agreed to two things."""
    is_sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/old.db" if is_sqlite else postgres.create_database("funnel_old_6")
    command.upgrade(config_for(url), "0003")
    yield url
    if not is_sqlite:
        postgres.drop_database("funnel_old_6")


def test_old_consents_stay_and_the_new_one_may_be_given(old_url: str) -> None:
    values = {"handle": f"{1:032x}", "now": 1 if "sqlite" in old_url else "2026-11-23T10:00:00Z"}
    engine = make_engine(old_url)
    with engine.begin() as connection:
        connection.execute(text(PERSON), values)
        for purpose in ("series", "health"):
            connection.execute(text(CONSENT), values | {"purpose": purpose})
    engine.dispose()
    upgrade(old_url)
    engine = make_engine(old_url)
    with engine.begin() as connection:
        connection.execute(text(CONSENT), values | {"purpose": "clicks"})
        found = connection.execute(text("SELECT purpose FROM consent ORDER BY purpose")).all()
    assert [row[0] for row in found] == ["clicks", "health", "series"]
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text(CONSENT), values | {"purpose": "made up"})
    engine.dispose()
