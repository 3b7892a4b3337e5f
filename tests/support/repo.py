"""The repository as the guards read it: files, syntax trees, modules."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ("funnel/", "blueprint/", "wsgi.py", "worker.py")


@dataclass(frozen=True)
class Module:
    """One Python file: its path from the root of the repository, and its parsed code."""

    path: str
    tree: ast.Module

    @property
    def lines(self) -> int:
        """How many lines the file has."""
        return len((ROOT / self.path).read_text(encoding="utf-8").splitlines())

    def imports(self) -> Iterator[str]:
        """Every module it imports, by its full name; relative imports count as the product's."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield node.module if node.module and not node.level else "funnel"

    def calls(self) -> Iterator[tuple[str, int]]:
        """Every call as it is written, `datetime.now` for example, with its line."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield ast.unparse(node.func), node.lineno


@cache
def files() -> tuple[str, ...]:
    """Every file below the root except what .gitignore names; needs no git."""
    ignored = (ROOT / ".gitignore").read_text("utf-8").splitlines()
    return tuple(sorted(_below(ROOT, [".git/", *ignored])))


def _below(folder: Path, ignored: list[str]) -> Iterator[str]:
    for entry in folder.iterdir():
        is_folder = entry.is_dir()
        name = f"{entry.name}/" if is_folder else entry.name
        if any(fnmatch(name, pattern) for pattern in ignored):
            continue
        if is_folder:
            yield from _below(entry, ignored)
        else:
            yield str(entry.relative_to(ROOT))


@cache
def modules(*prefixes: str) -> tuple[Module, ...]:
    """The Python files under these prefixes, parsed; without prefixes, the whole product."""
    wanted = prefixes or PRODUCT
    chosen = [path for path in files() if path.endswith(".py") and path.startswith(wanted)]
    return tuple(Module(path, ast.parse((ROOT / path).read_text("utf-8"))) for path in chosen)


def texts(*prefixes: str) -> Iterator[tuple[str, str]]:
    """Path and content of every text file under these prefixes, or of all."""
    for path in files():
        if path.startswith(prefixes or ("",)):
            raw = (ROOT / path).read_bytes()
            if b"\0" not in raw:
                yield path, raw.decode("utf-8", errors="replace")
