"""A person's rights in a test: erasing somebody, and looking for what is left of them."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from sqlalchemy import text

from funnel.db.base import Base
from funnel.services.rights.export import PersonalData, personal_data
from funnel.services.rights.receipt import Receipt, receipt
from tests.support import make
from tests.support.house import House


def erase(house: House, email: str = "ada@example.org") -> None:
    """Erase a person, as the button does."""
    whose = make.person(house, email).id
    with house.rt.sessions.begin() as session:
        house.rt.rights.eraser.erase(session, whose, now=house.clock.now())


def receipt_of(house: House, email: str = "ada@example.org") -> Receipt:
    """The consent receipt of a person."""
    whose = make.person(house, email).id
    with house.rt.reading.begin() as session:
        return receipt(session, whose, now=house.clock.now())


def data_of(house: House, email: str = "ada@example.org", *, for_her: bool = True) -> PersonalData:
    """Everything that is held about a person."""
    whose = make.person(house, email).id
    with house.rt.reading.begin() as session:
        return personal_data(
            session,
            whose,
            links=house.rt.links,
            brand=house.rt.catalog.brand,
            keeper=house.rt.keeper if for_her else None,
            now=house.clock.now(),
        )


def listed(data: PersonalData, key: str) -> list[dict[str, object]]:
    """The records of one list of an export."""
    (part,) = [part for part in data.parts if part.key == key]
    return list(part.rows)


def dump(house: House) -> Iterator[tuple[str, str]]:
    """Every row of the database as text, whatever its columns are, with the table's name."""
    with house.rt.reading.begin() as session:
        for table in Base.metadata.tables:
            # By plain SQL: what the columns' own types hide must show here.
            for row in session.execute(text(f"SELECT * FROM {table}")):  # noqa: S608 - our tables
                yield table, json.dumps([_shown(value) for value in row], default=str)


def _shown(value: object) -> object:
    return bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else value


def files(folder: Path) -> Iterator[tuple[str, str]]:
    """Every file below a folder, its name and what is in it, as text."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.name, path.name + path.read_bytes().decode("latin-1")


def hits(places: Iterable[tuple[str, str]], *needles: str) -> list[tuple[str, str]]:
    """Where one of these occurs, in whatever case: the place, and what was found."""
    return [
        (place, needle)
        for place, held in places
        for needle in needles
        if needle.lower() in held.lower()
    ]
