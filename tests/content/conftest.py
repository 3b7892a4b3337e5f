"""The shipped words, loaded once for the tests of this folder."""

from pathlib import Path

import pytest

from funnel.content.catalog import Catalog, load_catalog
from funnel.content.render import Renderer
from tests.content.samples import TEMPLATES


@pytest.fixture(scope="session")
def templates() -> Path:
    return TEMPLATES


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return load_catalog(TEMPLATES)


@pytest.fixture(scope="session")
def renderer(catalog: Catalog) -> Renderer:
    return Renderer(TEMPLATES, catalog)
