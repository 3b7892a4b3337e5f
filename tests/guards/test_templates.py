"""Every page template parses, and nothing that people typed goes into a page unescaped."""

import re

import pytest
from jinja2 import Environment

from tests.support import repo

PLACES = ("templates/web/", "blueprint/document/")
UNESCAPED = re.compile(r"\|\s*safe\b|\{%-?\s*autoescape\s+false|\bMarkup\(")

# What is drawn or written by our own code, never by people: "path: the expression as it stands".
OUR_OWN: frozenset[str] = frozenset()

TEMPLATES = [(path, text) for path, text in repo.texts(*PLACES) if path.endswith(".html")]


@pytest.mark.parametrize(("path", "text"), TEMPLATES, ids=[path for path, _ in TEMPLATES])
def test_the_template_parses(path: str, text: str) -> None:
    assert Environment(autoescape=True).parse(text, filename=path).body


def test_no_data_goes_into_a_page_unescaped() -> None:
    found = {
        f"{path}: {line.strip()}"
        for path, text in TEMPLATES
        for line in text.splitlines()
        if UNESCAPED.search(line)
    }
    assert found == OUR_OWN
