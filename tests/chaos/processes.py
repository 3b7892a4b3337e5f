"""The processes of a run: started, killed, paused, and started again when they died."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.chaos.history import History
from tests.chaos.nursery import READY
from tests.chaos.site import Mode, Site
from tests.support.servers import find_binary

ROOT = Path(__file__).parents[2]
WATCH_SECONDS = 0.1
START_SECONDS = 90.0
STOP_SECONDS = 15.0

POSTGRES_PARTS = {
    "web": "web", "worker1": "worker", "worker2": "worker", "beat1": "beat", "beat2": "beat"
}  # fmt: skip
SQLITE_PARTS = {"web": "web", "hand1": "hand", "hand2": "hand", "hand3": "hand"}


@dataclass
class Part:
    """One process with a place in the fleet; `number` counts its lives. No `pid`: it is dead."""

    name: str
    kind: str
    pid: int | None = None
    number: int = 0


@dataclass
class Fleet:
    """All processes of a site. Whoever is found dead is started anew, as a supervisor would."""

    site: Site
    site_file: Path
    history: History
    code: Path | None = None  # a folder with another `funnel` package, for the mutants
    parts: dict[str, Part] = field(default_factory=dict)
    _closing: threading.Event = field(default_factory=threading.Event, repr=False)
    _ready: threading.Event = field(default_factory=threading.Event, repr=False)

    def start(self) -> None:
        """Start every process and the supervisor; returns when the web answers."""
        names = POSTGRES_PARTS if self.site.mode is not Mode.SQLITE else SQLITE_PARTS
        self.parts = {name: Part(name, kind) for name, kind in names.items()}
        # Linux ends a child with the thread that started it, and this thread is the run's own.
        self._nursery = subprocess.Popen(
            [*_end_with_us(), sys.executable, "-m", "tests.chaos.nursery"],
            cwd=self.site.folder,
            env=self._environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._news = threading.Thread(target=self._hear, name="news", daemon=True)
        self._news.start()
        if not self._ready.wait(START_SECONDS):
            raise AssertionError("the processes could not be started at all")
        for part in self.parts.values():
            self._order(part)
        self.wait_until_served()

    def wait_until_served(self) -> None:
        """Wait until the web side answers; AssertionError with its log when it does not."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                if httpx.get(f"{self.site.base_url}/health", timeout=5).status_code == 200:
                    return
            time.sleep(WATCH_SECONDS)
        raise AssertionError(f"the web does not answer:\n{self.log('web')[-4000:]}")

    def names(self, *kinds: str) -> list[str]:
        """The names of the processes of these kinds."""
        return [part.name for part in self.parts.values() if part.kind in kinds]

    def working_kinds(self) -> tuple[str, ...]:
        """The kinds that send mail."""
        return ("worker", "hand")

    def signal(self, name: str, how: signal.Signals) -> None:
        """Send a signal; harmless when the process is gone."""
        _signal(self.parts[name].pid, how)

    def freeze(self, name: str) -> int | None:
        """Stop a process in its tracks, as a suspended machine would; its pid."""
        pid = self.parts[name].pid
        _signal(pid, signal.SIGSTOP)
        return pid

    def thaw(self, name: str, pid: int | None) -> None:
        """Let it go on, if it is still there."""
        if self.parts[name].pid == pid:
            _signal(pid, signal.SIGCONT)

    def log(self, name: str) -> str:
        path = Path(self.site.folder) / f"{name}.log"
        return path.read_text("utf-8", errors="replace") if path.exists() else ""

    def close(self) -> None:
        """End everything: in order at first, without mercy after a while."""
        self._closing.set()
        for how in (signal.SIGCONT, signal.SIGTERM):
            for part in self.parts.values():
                _signal(part.pid, how)
        deadline = time.monotonic() + STOP_SECONDS
        while any(part.pid for part in self.parts.values()) and time.monotonic() < deadline:
            time.sleep(WATCH_SECONDS)
        assert self._nursery.stdin is not None
        self._nursery.stdin.close()  # it ends what is left, and itself
        self._nursery.wait(STOP_SECONDS)
        self._news.join()

    def _hear(self) -> None:
        """Keep up with births and deaths, and give every death another birth."""
        assert self._nursery.stdout is not None
        for line in self._nursery.stdout:
            self._take(json.loads(line))
        self._nursery.stdout.close()

    def _take(self, news: dict[str, Any]) -> None:
        if READY in news:
            self._ready.set()
        elif "born" in news:
            self.parts[news["name"]].pid = news["born"]
        else:
            part = next(part for part in self.parts.values() if part.pid == news["died"])
            part.pid = None
            if not self._closing.is_set():
                self.history.note("died", part=part.name, code=news["code"])
                self._order(part)

    def _order(self, part: Part) -> None:
        part.number += 1
        order = {
            "site": str(self.site_file),
            "kind": part.kind,
            "name": part.name,
            "number": str(part.number),
            "log": str(Path(self.site.folder) / f"{part.name}.log"),
        }
        assert self._nursery.stdin is not None
        self._nursery.stdin.write(json.dumps(order).encode() + b"\n")
        self._nursery.stdin.flush()

    def _environment(self) -> dict[str, str]:
        first = [str(self.code)] if self.code is not None else []
        path = os.pathsep.join([*first, str(ROOT)])
        return {
            **os.environ,
            "BROKER_URL": self.site.broker_url,
            "PYTHONPATH": path,
            "PYTHONDONTWRITEBYTECODE": "1",
        }


def _signal(pid: int | None, how: signal.Signals) -> None:
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, how)


def _end_with_us() -> list[str]:
    """A command prefix: the process ends when the thread that started it does."""
    return [find_binary("setpriv", "util-linux"), "--pdeathsig=KILL"]
