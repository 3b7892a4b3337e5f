"""Guides made before editions existed are all still there afterwards."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from alembic import command
from sqlalchemy import text

from funnel.db.engine import make_engine
from funnel.db.migrate import config_for, upgrade
from funnel.services.printing import ROUGHLY
from tests.support.house import open_house
from tests.support.prints import file_of, press_button, view
from tests.support.servers import PostgresServer

OLD_FILE = "ab" * 16 + ".pdf"
PERSON = (
    "INSERT INTO subscriber (id, public_id, email, email_key, state, created_at, source, is_test)"
    " VALUES (:n, :handle, :mail, :mail, 'confirmed', :now, 'direct', false)"
)
GUIDE = (
    "INSERT INTO guide (id, public_id, subscriber_id, document, state, requested_at, not_before,"
    " fence, attempt, ready_at, storage_key, pages, downloads, why)"
    " VALUES (:n, :handle, :n, '{}', :state, :now, :now, 1, 1, :now, :file, 16, 3, 'Made.')"
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
                "file": OLD_FILE,
                "now": 1_795_428_000_000_000 if is_sqlite else "2026-11-23T10:00:00Z",
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
        (1, "guide", "ready", 16, OLD_FILE),
        (2, "guide", "requested", 16, OLD_FILE),
    ]


def test_an_old_guide_is_looked_at_and_made_again_when_it_is_wanted(
    old_url: str, tmp_path: Path
) -> None:
    handle = UUID(f"{1:032x}")
    (tmp_path / "guides").mkdir()
    old = tmp_path / "guides" / OLD_FILE
    old.write_bytes(b"%PDF readable by anybody")
    with open_house(old_url, tmp_path) as house:
        seen = view(house, handle)
        assert (seen.guide.is_ready, seen.guide.pages, seen.guide.size_bytes) == (True, 16, None)
        assert not view(house, UUID(f"{2:032x}")).guide.is_ready
        house.rt.worker.printer.sweep()
        assert not old.exists(), "it lay there readable"
        assert file_of(house, handle) is None
        assert not press_button(house, handle)
        assert view(house, handle).is_waiting
        house.work()
        assert press_button(house, handle)
        assert view(house, handle).guide.size_bytes == ROUGHLY
        assert file_of(house, handle) is not None
