"""Every page template compiles, and nothing that people typed goes into a page unescaped."""

import re
from pathlib import Path

import pytest
from jinja2 import Environment

from funnel.runtime import build_runtime
from funnel.settings import Settings
from funnel.web.app import create_app
from tests.support import repo

UNESCAPED = re.compile(r"\|\s*safe\b|\{%-?\s*autoescape\s+false|\bMarkup\(")

# What our own code draws or writes, never people: "path: the line as it stands".
OUR_OWN: frozenset[str] = frozenset()

PAGES = [(path, text) for path, text in repo.texts("templates/web/") if path.endswith(".html")]
GUIDE = [(path, text) for path, text in repo.texts("blueprint/document/") if path.endswith(".html")]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The templates' surroundings as the running application has them."""
    home = tmp_path_factory.mktemp("home")
    settings = Settings(
        database_url=f"sqlite:///{home}/funnel.db",
        mail_url=f"mailbox://{home}/mailbox",
        storage_url=f"file://{home}/guides",
        secret_keys=("a key of more than thirty-two characters",),
    )
    runtime = build_runtime(settings)
    found: Environment = create_app(runtime).jinja_env
    runtime.close()
    return found


@pytest.mark.parametrize("path", [path for path, _ in PAGES])
def test_the_page_compiles_with_the_filters_it_uses(path: str, environment: Environment) -> None:
    name = Path(path).relative_to("templates/web").as_posix()
    assert environment.get_template(name).name == name


@pytest.mark.parametrize(("path", "text"), PAGES + GUIDE, ids=[p for p, _ in PAGES + GUIDE])
def test_no_data_goes_into_a_page_unescaped(path: str, text: str) -> None:
    unescaped = {f"{path}: {line.strip()}" for line in text.splitlines() if UNESCAPED.search(line)}
    assert unescaped <= OUR_OWN


def test_every_exception_to_escaping_is_still_needed() -> None:
    lines = {
        f"{path}: {line.strip()}" for path, text in PAGES + GUIDE for line in text.splitlines()
    }
    assert lines >= OUR_OWN
