"""What happened in a run, in order: kept by the harness, read by the checker."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Event = dict[str, Any]


@dataclass
class History:
    """Append-only; every event has a kind and the machine's time in seconds since 1970."""

    events: list[Event] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def note(self, kind: str, *, at: float | None = None, **values: Any) -> None:
        """Write one event down."""
        with self._lock:
            self.events.append({"kind": kind, "at": time.time() if at is None else at, **values})

    def of(self, *kinds: str) -> list[Event]:
        """The events of these kinds, by their time."""
        with self._lock:
            found = [event for event in self.events if event["kind"] in kinds]
        return sorted(found, key=lambda event: float(event["at"]))

    def count(self, kind: str, by: str) -> Counter[str]:
        """How often each value of one field occurred."""
        return Counter(str(event[by]) for event in self.of(kind))

    def keep(self, path: Path) -> None:
        """Write everything to a file, a line an event."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8") as file:
            for event in sorted(self.events, key=lambda each: float(each["at"])):
                file.write(json.dumps(event, default=str) + "\n")


def lines_of(path: Path) -> Iterator[Event]:
    """The events that processes wrote to a file; a line cut by a kill is left out."""
    if not path.exists():
        return
    for line in path.read_text("utf-8", errors="replace").splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue
