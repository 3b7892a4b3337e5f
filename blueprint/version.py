"""Which code prints a guide: a mark of our files and of the Python packages that print them.

It does not tell which Pango, HarfBuzz and Fontconfig the machine has, nor which Python: an upgrade
of these may break a line elsewhere, and guides that are printed already stay as they are.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

PACKAGE = Path(__file__).parent
PRINTS = frozenset({".py", ".html", ".css", ".yaml", ".woff2"})
DIRECT = ("weasyprint", "pydyf", "segno", "jinja2", "markupsafe", "pyyaml", "fonttools")
NEED = re.compile(r"([\w.-]+)\s*(?:\[([^\]]*)\])?")  # a package and the extras asked of it
EXTRA = re.compile(r"""extra == ["']([\w-]+)["']""")


@cache
def code_version() -> str:
    """The mark of what is installed here, a SHA-256 in hex."""
    return mark_of(PACKAGE, libraries())


def mark_of(package: Path, versions: Mapping[str, str]) -> str:
    """A SHA-256, in hex, of every file that has a part in a print, and of the libraries."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*")):
        if path.suffix in PRINTS and path.is_file():
            content = path.read_bytes()
            digest.update(f"{path.relative_to(package)} {len(content)}\n".encode() + content)
    for name, installed in sorted(versions.items()):
        digest.update(f"{name} {installed}\n".encode())
    return digest.hexdigest()


def libraries() -> dict[str, str]:
    """The version of each package that has a part in a print, with all that it needs in turn."""
    found: dict[str, str] = {}
    waiting = [(name, frozenset[str]()) for name in DIRECT]
    seen = set(waiting)
    while waiting:
        name, extras = waiting.pop()
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # needed on other machines only
        new = set(_needs(name, extras)) - seen
        seen |= new
        waiting.extend(new)
    return found


def _needs(name: str, extras: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    for line in requires(name) or ():
        need, _, condition = line.partition(";")
        only_for = set(EXTRA.findall(condition))
        parts = NEED.match(need)
        if parts and (not only_for or only_for & extras):
            asked = (part.strip() for part in (parts[2] or "").split(","))
            yield parts[1].lower().replace("_", "-"), frozenset(filter(None, asked))
