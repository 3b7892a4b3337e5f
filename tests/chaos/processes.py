"""The processes of a run: started, killed, paused, and started again when they died."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.chaos.history import History
from tests.chaos.site import Mode, Site
from tests.support.servers import find_binary

ROOT = Path(__file__).parents[2]
WATCH_SECONDS = 0.2
START_SECONDS = 90.0
STOP_SECONDS = 15.0

POSTGRES_PARTS = {
    "web": "web", "worker1": "worker", "worker2": "worker", "beat1": "beat", "beat2": "beat"
}  # fmt: skip
SQLITE_PARTS = {"web": "web", "hand1": "hand", "hand2": "hand", "hand3": "hand"}


@dataclass
class Part:
    """One process with a place in the fleet; `number` counts its lives."""

    name: str
    kind: str
    process: subprocess.Popen[bytes] | None = None
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
    _has_served: bool = False
    _watch: threading.Thread | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start every process and the supervisor; returns when the web answers."""
        names = POSTGRES_PARTS if self.site.mode is not Mode.SQLITE else SQLITE_PARTS
        self.parts = {name: Part(name, kind) for name, kind in names.items()}
        self._watch = threading.Thread(target=self._supervise, name="supervisor", daemon=True)
        self._watch.start()
        self.wait_until_served()

    def wait_until_served(self) -> None:
        """Wait until the web side answers; AssertionError with its log when it does not."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                if httpx.get(f"{self.site.base_url}/health", timeout=5).status_code == 200:
                    self._has_served = True
                    return
            if not self.history.of("died") or self._has_served:
                time.sleep(0.1)
                continue
            break
        raise AssertionError(f"the web did not start:\n{self.log('web')[-4000:]}")

    def names(self, *kinds: str) -> list[str]:
        """The names of the processes of these kinds."""
        return [part.name for part in self.parts.values() if part.kind in kinds]

    def working_kinds(self) -> tuple[str, ...]:
        """The kinds that send mail."""
        return ("worker", "hand")

    def signal(self, name: str, how: signal.Signals) -> None:
        """Send a signal; harmless when the process is gone."""
        process = self.parts[name].process
        if process is not None and process.poll() is None:
            process.send_signal(how)

    def freeze(self, name: str, seconds: float) -> None:
        """Stop a process in its tracks for a while, as a suspended machine would."""
        process = self.parts[name].process
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGSTOP)
            self._closing.wait(seconds)
            process.send_signal(signal.SIGCONT)

    def log(self, name: str) -> str:
        path = Path(self.site.folder) / f"{name}.log"
        return path.read_text("utf-8", errors="replace") if path.exists() else ""

    def close(self) -> None:
        """End everything: in order at first, without mercy after a while."""
        self._closing.set()
        if self._watch is not None:
            self._watch.join()

    def _supervise(self) -> None:
        # Processes are started and ended by this one thread: Linux ends them with it.
        while not self._closing.wait(WATCH_SECONDS):
            for part in self.parts.values():
                if part.process is None or part.process.poll() is not None:
                    self._revive(part)
        self._end([part.process for part in self.parts.values() if part.process is not None])

    def _end(self, running: list[subprocess.Popen[bytes]]) -> None:
        for process in running:
            process.send_signal(signal.SIGCONT)
            process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _revive(self, part: Part) -> None:
        if part.process is not None:
            self.history.note("died", part=part.name, code=part.process.returncode)
        part.number += 1
        command = [*end_with_us(), sys.executable, "-m", "tests.chaos.parts", str(self.site_file)]
        with (Path(self.site.folder) / f"{part.name}.log").open("ab") as log:
            part.process = subprocess.Popen(
                [*command, part.kind, part.name, str(part.number)],
                cwd=self.site.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _environment(self) -> dict[str, str]:
        first = [str(self.code)] if self.code is not None else []
        path = os.pathsep.join([*first, str(ROOT)])
        return {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


def end_with_us() -> list[str]:
    """A command prefix: the process ends when the thread that started it does."""
    return [find_binary("setpriv", "util-linux"), "--pdeathsig=KILL"]
