"""The marks beside the database: one small file for each installation, whole or not there."""

import json
from datetime import datetime
from pathlib import Path

from funnel.adapters.durable import settle, settle_folder, written_aside
from funnel.domain.lineage import Mark


class FileMarks:
    """Marks in a folder. Their names begin with a dot: they are none of the stored files."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def read(self, installation: str) -> Mark | None:
        """The mark of an installation; None where there is none, or none that can be read."""
        try:
            found = json.loads(self._file(installation).read_text(encoding="utf-8"))
            return Mark(
                installation=installation,
                generation=int(found["generation"]),
                now=datetime.fromisoformat(found["now"]),
                place=str(found["place"]),
            )
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def newest(self) -> Mark | None:
        """The mark of any installation that was here, the last one first."""
        names = (file.name for file in self._folder.glob(".lineage-*.json"))
        marks = (self.read(name[len(".lineage-") : -len(".json")]) for name in names)
        return max((mark for mark in marks if mark), key=lambda mark: mark.now, default=None)

    def write(self, mark: Mark) -> None:
        """Keep a mark in place of the last one. Raises OSError where it cannot be written."""
        found = {
            "generation": mark.generation,
            "now": mark.now.isoformat(),
            "place": mark.place,
        }
        with written_aside(self._folder) as (file, path):
            file.write(json.dumps(found).encode())
            settle(file)
            path.replace(self._file(mark.installation))
        settle_folder(self._folder)

    def _file(self, installation: str) -> Path:
        return self._folder / f".lineage-{installation}.json"
