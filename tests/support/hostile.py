"""A house under attack: every visitor comes from elsewhere, and nobody waits for the form."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from funnel.db.tables import Base
from funnel.domain.proof_of_work import ProofMode
from funnel.services import front_gate
from tests.support import make
from tests.support.front_door import Door, copy_database, open_door
from tests.support.house import House, open_house
from tests.support.visitor import hidden_fields

# What is counted of everybody, and of nobody in particular.
COUNTS = frozenset({"visit_count", "rate_window", "tick", "control"})
Rows = dict[str, list[tuple[object, ...]]]


@dataclass(frozen=True)
class Siege:
    """The front door of a house in which Ada lives, confirmed and on the series."""

    door: Door
    stamp: str
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def house(self) -> House:
        return self.door.house

    def post(self, path: str, data: object, kind: str | None = None) -> TestResponse:
        """Send something from an address that was never seen before; it must be met kindly."""
        return self.open("POST", path, data=data, content_type=kind)

    def open_as_sent(self, path: str) -> TestResponse:
        """Ask for a path that no client would send in this way; a server hands it on so."""
        return self.open("GET", "/", there={"PATH_INFO": path.encode().decode("latin-1")})

    def open(
        self, method: str, path: str, *, there: Mapping[str, str] | None = None, **more: Any
    ) -> TestResponse:
        number = next(self.numbers)
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        answer = self.door.client.open(
            path,
            method=method,
            environ_overrides={"REMOTE_ADDR": address, **(there or {})},
            buffered=True,
            **more,
        )
        assert answer.status_code < 500, (method, path[:200], more)
        assert b"Traceback" not in answer.data, (method, path[:200], more)
        return answer


@contextmanager
def under_siege(
    prepared_sqlite: Path, folder: Path, caplog: pytest.LogCaptureFixture
) -> Iterator[Siege]:
    """Afterwards nothing was logged as an error of ours, and Ada is as she was."""
    caplog.set_level(logging.WARNING)
    with open_house(copy_database(prepared_sqlite, folder), folder) as house:
        make.confirmed(house)
        with house.rt.sessions.begin() as session:  # or it would soon see nothing else
            front_gate.set_mode(session, ProofMode.OFF, by="Dr Reyes")
        door = open_door(house)
        before = ada(house)
        yield Siege(door, hidden_fields(door.get("/"))["stamp"])
        assert ada(house) == before, "somebody else's row was touched"
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []


def ada(house: House) -> dict[str, object]:
    """All that is known of Ada."""
    person = make.person(house)
    return {
        "row": {name: value for name, value in vars(person).items() if not name.startswith("_")}
        | {"consents": len(person.consents)},
        "mails": len(house.mailer.to("ada@example.org")),
    }


def rows(house: House, but: frozenset[str] = COUNTS) -> Rows:
    """Every row of every table, but what counts strangers."""
    with house.rt.reading.begin() as session:
        return {
            name: sorted(map(tuple, session.execute(select(table)).all()), key=repr)
            for name, table in Base.metadata.tables.items()
            if name not in but
        }


def changed(before: Rows, after: Rows) -> Mapping[str, int]:
    """In which tables rows came, went or changed, and how many."""
    return {
        name: len(set(map(repr, before[name])) ^ set(map(repr, after[name])))
        for name in before
        if before[name] != after[name]
    }
