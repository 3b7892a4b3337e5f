"""Houses for the tests of use cases."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.house import House, open_house


@pytest.fixture
def house(prepared_sqlite: Path, tmp_path: Path) -> Iterator[House]:
    """A house on SQLite."""
    file = tmp_path / "funnel.db"
    shutil.copy(prepared_sqlite, file)
    with open_house(f"sqlite:///{file}", tmp_path) as opened:
        yield opened


@pytest.fixture
def each_house(database_url: str, tmp_path: Path) -> Iterator[House]:
    """A house on SQLite, and one on Postgres."""
    with open_house(database_url, tmp_path) as opened:
        yield opened
