"""Reads text files and names them the way findings show them."""

from pathlib import Path

from funnel.content.findings import Findings

MAX_BYTES = 256 * 1024


def shown_path(root: Path, path: Path) -> str:
    """The path as people know it: from the templates folder on, with forward slashes."""
    return (Path(root.name) / path.relative_to(root)).as_posix()


def read_text(path: Path, found: Findings) -> str | None:
    """The text of a file; None with a finding when it is absent, too large or not UTF-8."""
    try:
        if path.stat().st_size > MAX_BYTES:
            found.add(1, f"the file is over {MAX_BYTES // 1024} KB: make it shorter")
            return None
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        found.add(1, "the file is missing: put it back")
    except UnicodeDecodeError:
        found.add(1, "the file is not UTF-8 text: save it again as UTF-8")
    except OSError as error:
        found.add(1, f"the file cannot be read: {error.strerror}")
    return None
