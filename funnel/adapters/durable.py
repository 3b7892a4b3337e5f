"""Files that appear whole or not at all, and are still there after a power cut."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

ASIDE = ".aside-"


@contextmanager
def written_aside(folder: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """A hidden file in `folder`, to fill, `settle`, and then rename or link to its real name.

    Whatever still has the hidden name at the end is removed.
    """
    handle, name = tempfile.mkstemp(prefix=ASIDE, dir=folder)
    path = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file, path
    finally:
        path.unlink(missing_ok=True)


def settle(file: BinaryIO) -> None:
    """Return when the content is on the disk."""
    file.flush()
    os.fsync(file.fileno())


def settle_folder(folder: Path) -> None:
    """Return when the names in the folder are on the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
