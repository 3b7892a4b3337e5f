"""One guide, printed once, for every test that only reads it."""

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

import blueprint
from blueprint.model import BlueprintInput
from blueprint.render import Printed, press
from tests.blueprint.reading import Listener, listening, page_texts

SAMPLES = Path(blueprint.__file__).parent / "samples"


def sample(name: str) -> dict[str, object]:
    """A shipped sample as plain data; every call gives a fresh copy."""
    data: dict[str, object] = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return data


@pytest.fixture
def document() -> dict[str, object]:
    """The typical guide's document, as the funnel would pass it."""
    return sample("typical")


@pytest.fixture(scope="session")
def typical() -> BlueprintInput:
    return BlueprintInput.from_mapping(sample("typical"))


@pytest.fixture(scope="session")
def printed(typical: BlueprintInput) -> Printed:
    return press(typical)


@pytest.fixture(scope="session")
def reader(printed: Printed) -> PdfReader:
    return PdfReader(BytesIO(printed.pdf))


@pytest.fixture(scope="session")
def pages(reader: PdfReader) -> list[str]:
    """The text of each page, as a search box or a screen reader gets it."""
    return page_texts(reader)


@pytest.fixture
def listener() -> Iterator[Listener]:
    """An HTTP server on loopback that counts who calls."""
    with listening() as server:
        yield server
