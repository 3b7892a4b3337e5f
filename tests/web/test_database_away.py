"""What visitors meet while the database is away, full or slow."""

import logging
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import NoReturn

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

from funnel.db.people import VisitCount
from funnel.web.tally import FLUSH_SECONDS, MAX_SOURCES, OTHER
from tests.support.front_door import Door, Outline, open_door, words_of
from tests.support.visitor import hidden_fields

AWAY = [
    PoolTimeout("QueuePool limit reached"),
    *(kind("SELECT 1", {}, Exception()) for kind in (OperationalError, InterfaceError)),
    InternalError("SELECT 1", {}, Exception()),
]
LONG_BEFORE_THE_LOCK_GIVES_UP = 5.0


class Broken(sessionmaker[Session]):
    """Sessions that fail at once, each with the same error."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def begin(self) -> NoReturn:
        raise self.error


def without_database(door: Door, error: Exception) -> Door:
    broken = Broken(error)
    return open_door(door.house, replace(door.rt, sessions=broken, reading=broken))


@pytest.mark.parametrize("error", AWAY, ids=lambda error: type(error).__name__)
def test_a_page_says_kindly_that_it_will_do_in_a_minute(
    door: Door, error: DBAPIError, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "funnel")
    page = words_of(without_database(door, error).get("/desk/sign-in", 503))
    assert "Please try again in a minute" in page
    found = re.search(r"has the number ([0-9a-f]{8})", page)
    assert found
    assert f"{type(error).__name__}: {found[1]}" in caplog.text


@pytest.mark.parametrize("error", AWAY, ids=lambda error: type(error).__name__)
def test_a_form_keeps_what_was_typed_while_the_database_is_away(
    door: Door, error: DBAPIError
) -> None:
    away = without_database(door, error)
    answer = away.ask("ada@example.org", name="Ada", series="yes")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 503
    assert "Please try again in a minute" in words_of(page)
    inputs = {field.get("name"): field for field in Outline(page).all("input")}
    assert inputs["email"]["value"] == "ada@example.org"
    assert inputs["name"]["value"] == "Ada"
    assert "checked" in inputs["series"]
    again = hidden_fields(page) | {"email": "ada@example.org", "name": "Ada"}
    assert door.client.post("/signup", data=again).status_code == 303


@contextmanager
def a_busy_writer(door: Door) -> Iterator[None]:
    file = door.rt.engine.url.database or ""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def visits(door: Door) -> dict[str, int]:
    door.client.application.extensions["tally"].flush()
    with door.rt.reading.begin() as session:
        rows = session.scalars(select(VisitCount).where(VisitCount.page == "landing"))
        return {row.source: row.visits for row in rows}


def test_no_visitor_waits_until_her_visit_is_written(door: Door) -> None:
    door.get("/")
    door.house.clock.advance(timedelta(seconds=FLUSH_SECONDS))
    with a_busy_writer(door):
        began = time.monotonic()
        door.get("/")
        assert time.monotonic() - began < LONG_BEFORE_THE_LOCK_GIVES_UP
    assert visits(door) == {"direct": 2}


def test_made_up_sources_of_a_day_end_as_one(door: Door) -> None:
    for number in range(MAX_SOURCES + 5):
        door.get(f"/?utm_source=made-up-{number}")
    door.get("/?utm_source=made-up-0")
    counted = visits(door)
    assert len(counted) == MAX_SOURCES + 1
    assert (counted["made-up-0"], counted[OTHER]) == (2, 5)
    door.house.clock.advance(timedelta(days=1))
    door.get("/?utm_source=poster")
    assert visits(door)["poster"] == 1
