"""The shipped mails, and the practice that sends them."""

import pytest

from funnel.content.catalog import Catalog
from tests.content.samples import TEMPLATES
from tests.mails.post import PostOffice, shipped_brand


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return PostOffice(TEMPLATES, shipped_brand()).catalog
