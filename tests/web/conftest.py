"""A house and its front door, on SQLite."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.front_door import Door, copy_database, open_door
from tests.support.house import House, open_house


@pytest.fixture
def house(prepared_sqlite: Path, tmp_path: Path) -> Iterator[House]:
    with open_house(copy_database(prepared_sqlite, tmp_path), tmp_path) as opened:
        yield opened


@pytest.fixture
def door(house: House) -> Door:
    return open_door(house)
