"""Which code prints a guide: a mark that changes whenever the same input could look different."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

PACKAGE = Path(__file__).parent
PRINTS = frozenset({".py", ".html", ".css", ".yaml", ".woff2"})
LIBRARIES = ("weasyprint", "pydyf", "segno", "jinja2", "fonttools")


@cache
def code_version() -> str:
    """A SHA-256, in hex, of every file that has a part in a print, and of the libraries."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*")):
        if path.suffix in PRINTS and path.is_file():
            digest.update(str(path.relative_to(PACKAGE)).encode() + path.read_bytes())
    for library in LIBRARIES:
        digest.update(f"{library} {version(library)}".encode())
    return digest.hexdigest()
