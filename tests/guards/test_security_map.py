"""docs/security.md: every line is there, and every test it names exists."""

import ast
import re

from tests.support import repo

LINES = [f"S{number}" for number in range(1, 36)]
ROW = re.compile(r"^\| (S\d+) \| (.+) \|(.*)\|$", re.MULTILINE)
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def _rows() -> list[tuple[str, str, str]]:
    return ROW.findall((repo.ROOT / "docs" / "security.md").read_text(encoding="utf-8"))


def test_every_line_of_the_checklist_is_answered_once() -> None:
    assert [line for line, _, _ in _rows()] == LINES


def test_a_line_without_a_test_says_what_is_not_here() -> None:
    bare = [line for line, said, tests in _rows() if not NAMED.search(tests) and "Not" not in said]
    assert not bare


def test_every_test_that_a_line_names_exists() -> None:
    missing = [
        f"{line}: {path}::{name}"
        for line, _, tests in _rows()
        for path, name in NAMED.findall(tests)
        if name not in _tests_of(path)
    ]
    assert not missing


def _tests_of(path: str) -> set[str]:
    file = repo.ROOT / path
    if not file.is_file():
        return set()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}
