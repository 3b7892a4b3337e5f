"""The mark of the code changes with everything that it says it covers."""

import ast
import re
import shutil
from importlib.metadata import packages_distributions, requires, version
from pathlib import Path

import pytest

from blueprint.version import PACKAGE, PRINTS, code_version, libraries, mark_of


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(PACKAGE, tmp_path_factory.mktemp("code") / "blueprint"))


def test_any_file_that_has_a_part_in_a_print_changes_it(package: Path) -> None:
    versions = libraries()
    before = mark_of(package, versions)
    paths = [path for path in package.rglob("*") if path.suffix in PRINTS]
    assert {path.suffix for path in paths} == PRINTS
    for kind in sorted(PRINTS):
        path = next(path for path in paths if path.suffix == kind)
        kept = path.read_bytes()
        path.write_bytes(kept + b" ")
        assert mark_of(package, versions) != before, kind
        path.write_bytes(kept)
    assert mark_of(package, versions) == before


def test_a_file_that_is_renamed_changes_it(package: Path) -> None:
    before = mark_of(package, {})
    (package / "plan.py").rename(package / "scheme.py")
    try:
        assert mark_of(package, {}) != before
    finally:
        (package / "scheme.py").rename(package / "plan.py")


def test_the_version_of_any_library_changes_it(tmp_path: Path) -> None:
    versions = libraries()
    before = mark_of(tmp_path, versions)
    for name in versions:
        assert mark_of(tmp_path, versions | {name: "0"}) != before, name


def test_it_covers_all_that_weasyprint_needs_and_what_that_needs() -> None:
    needs = [line for line in requires("weasyprint") or () if "extra ==" not in line]
    named = {str(re.split(r"[\s\[<>=]", line)[0]).lower() for line in needs}
    assert named >= {"pydyf", "tinycss2", "cssselect2", "pillow", "pyphen", "cffi"}
    assert named | {"webencodings", "brotli", "zopfli"} <= set(libraries())
    assert libraries()["pyphen"] == version("pyphen")


def test_it_covers_every_package_that_the_code_imports() -> None:
    trees = [ast.parse(path.read_text("utf-8")) for path in PACKAGE.rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    installed = packages_distributions()
    tops = {name.partition(".")[0] for name in names} - {"blueprint"}
    used = {installed[top][0].lower() for top in tops if top in installed}
    assert "weasyprint" in used
    assert used <= set(libraries())


def test_what_tests_need_has_no_part_in_it() -> None:
    assert not {"pytest", "ruff", "mypy", "pypdf"} & set(libraries())
    assert re.fullmatch("[0-9a-f]{64}", code_version())
