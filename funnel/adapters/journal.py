"""The journal beside the database: one line for each entry, only ever added to."""

import json
import logging
import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from funnel.adapters.durable import settle_folder
from funnel.domain.journal import Done, Entry

log = logging.getLogger(__name__)

NAME = ".journal.jsonl"


class FileJournal:
    """Lines in a file of a folder. Every file named like it is read: one brought from elsewhere
    may lie beside it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def append(self, entries: Sequence[Entry]) -> None:
        """Add lines; they are on the disk when this returns. Raises OSError."""
        # A line break first: whoever was cut off in the middle of a line spoils only that one.
        lines = "".join(f"\n{_line(entry)}\n" for entry in entries).encode()
        path = self._folder / NAME
        is_new = not path.exists()
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            if os.write(handle, lines) < len(lines):
                raise OSError("only a part of the journal's lines could be written")
            os.fsync(handle)
        finally:
            os.close(handle)
        if is_new:
            settle_folder(self._folder)

    def entries(self) -> Iterator[Entry]:
        """Every entry; the log names the place of a line that cannot be read."""
        for path in sorted(self._folder.glob(".journal*.jsonl")):
            with path.open(encoding="utf-8", errors="replace") as file:
                for number, line in enumerate(file, start=1):
                    if line.strip() and (entry := _entry(line, path.name, number)) is not None:
                        yield entry


def _line(entry: Entry) -> str:
    return json.dumps(
        {
            "at": entry.at.isoformat(),
            "done": entry.done,
            "address": entry.address_hash,
            "about": entry.about,
        }
    )


def _entry(line: str, name: str, number: int) -> Entry | None:
    try:
        found = json.loads(line)
        return Entry(
            at=datetime.fromisoformat(found["at"]),
            done=Done(found["done"]),
            address_hash=str(found["address"]),
            about=str(found["about"]),
        )
    except (ValueError, KeyError, TypeError):
        log.error("line %d of %s cannot be read", number, name)
        return None
