"""What the product imports is declared, and what is declared is imported."""

import re
import sys
import tomllib
from importlib.metadata import packages_distributions

from tests.support import repo

OWN = {"blueprint", "funnel", "tests", "worker", "wsgi"}

# These come with a package that is declared, as parts of it.
PARTS = {
    "kombu": "celery",
    "markupsafe": "jinja2",
    "pydantic-core": "pydantic",
    "redis": "celery",
    "werkzeug": "flask",
}

# Never imported by name, and needed all the same.
UNSEEN = {
    "tzdata",  # zoneinfo reads it where the machine has no zones of its own
}


def test_every_package_the_product_imports_is_declared() -> None:
    assert _imported() <= _declared()


def test_every_package_that_is_declared_is_used() -> None:
    assert _declared() - _imported() == UNSEEN


def _declared() -> set[str]:
    project = tomllib.loads((repo.ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return {_plain(re.split(r"[\[<>=~! ]", line)[0]) for line in project["dependencies"]}


def _imported() -> set[str]:
    found = packages_distributions()
    names = {name.partition(".")[0] for m in repo.modules() for name in m.imports()}
    outside = names - OWN - set(sys.stdlib_module_names)
    packages = {_plain(found.get(name, [name])[0]) for name in outside}
    return {PARTS.get(package, package) for package in packages}


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")
