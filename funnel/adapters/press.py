"""Has guides printed by a child process that has no secrets, no network and little memory."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import IO, cast

from blueprint.model import BlueprintInput
from funnel.domain.errors import GuideFailed
from funnel.domain.ports import PressedGuide

CODE = Path(__file__).parents[2]  # where the packages funnel and blueprint lie side by side
SERVE = (sys.executable, "-m", "blueprint", "--serve")
REQUEST_BYTES = 60_000  # fits in one pipe buffer, so that handing it over cannot block
ANSWER_BYTES = 10_000


@dataclass
class _Child:
    """The running process, its folder for scraps, and what it has printed so far."""

    process: subprocess.Popen[bytes]
    scraps: tempfile.TemporaryDirectory[str]
    complaints: IO[bytes]
    requests: IO[bytes]
    answers: IO[bytes]
    printed: int = 0

    @classmethod
    def start(cls, command: Sequence[str]) -> _Child:
        scraps = tempfile.TemporaryDirectory(prefix="press-")
        complaints = tempfile.TemporaryFile()  # noqa: SIM115  # closed in kill()
        process = subprocess.Popen(  # noqa: S603  # our own command, nothing typed in it
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=_bare_environment(scraps.name),
            start_new_session=True,
        )
        requests, answers = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        return cls(process, scraps, complaints, requests, answers)

    def ask(self, request: bytes, limit_seconds: float) -> bytes:
        """One line to the child, one line back. Raises GuideFailed."""
        try:
            self.requests.write(request)
            self.requests.flush()
        except OSError:
            raise GuideFailed(f"The press stopped. {self.last_words()}") from None
        return self._answer(self.answers.fileno(), monotonic() + limit_seconds)

    def _answer(self, pipe: int, deadline: float) -> bytes:
        answer = b""
        while not answer.endswith(b"\n"):
            ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - monotonic()))
            if not ready:
                raise GuideFailed("The press took too long.")
            piece = os.read(pipe, ANSWER_BYTES)
            if not piece or len(answer) > ANSWER_BYTES:
                raise GuideFailed(f"The press stopped. {self.last_words()}")
            answer += piece
        return answer

    def last_words(self) -> str:
        """The last line on the child's standard error: a reason, never a reader's data."""
        self.complaints.seek(0)
        lines = self.complaints.read().decode(errors="replace").splitlines()
        return lines[-1][:200] if lines else ""

    def kill(self) -> None:
        """End the whole process group and clear away what it left."""
        with suppress(ProcessLookupError):  # it may have gone by itself
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()
        self.complaints.close()
        self.scraps.cleanup()


class PdfPress:
    """Prints one guide at a time. Safe to share between threads; the child starts when needed."""

    def __init__(
        self,
        *,
        limit_seconds: float = 20.0,
        guides_per_child: int = 1000,
        command: Sequence[str] = SERVE,
    ) -> None:
        self._limit_seconds = limit_seconds
        self._guides_per_child = guides_per_child
        self._command = command
        self._child: _Child | None = None
        self._lock = threading.Lock()

    def press(
        self, document: Mapping[str, object], out: Path, edition: str = "guide"
    ) -> PressedGuide:
        """Print one edition to `out`, which appears whole or not at all. Raises GuideFailed.

        Pressing the same document again gives the same bytes. After a crash or a guide that
        took too long, the next one gets a fresh child; so it does if the child died idle.
        """
        wanted = {"document": dict(document), "out": str(out.absolute()), "edition": edition}
        request = json.dumps(wanted).encode()
        if len(request) >= REQUEST_BYTES:
            raise GuideFailed("The guide's document is too long.")
        with self._lock:
            return _result(self._ask(request + b"\n"))

    def warm(self) -> None:
        """Start the child now, so that the first reader does not wait for it."""
        with self._lock:
            self._living()

    def close(self) -> None:
        """End the child, if there is one."""
        with self._lock:
            self._drop()

    def _ask(self, request: bytes) -> bytes:
        child = self._living()
        try:
            answer = child.ask(request, self._limit_seconds)
        except GuideFailed:
            self._drop()
            raise
        child.printed += 1
        if child.printed >= self._guides_per_child:
            self._drop()
        return answer

    def _living(self) -> _Child:
        """The child; a fresh one if it ended while nobody asked anything of it."""
        if self._child and self._child.process.poll() is not None:
            self._drop()
        self._child = self._child or _Child.start(self._command)
        return self._child

    def _drop(self) -> None:
        if self._child:
            self._child.kill()
            self._child = None


def refusal_of(document: Mapping[str, object]) -> str | None:
    """Why the press would refuse a document, naming the field; None where it would print it."""
    try:
        BlueprintInput.from_mapping(document)
    except ValueError as fault:
        return str(fault)
    return None


def _result(line: bytes) -> PressedGuide:
    try:
        answer = json.loads(line)
        if answer["ok"]:
            return PressedGuide(answer["pages"], answer["bytes"], answer["sha256"])
        fault = str(answer["error"])
    except (ValueError, TypeError, KeyError):
        fault = "The press gave an answer that makes no sense."
    raise GuideFailed(fault)


def _bare_environment(scraps: str) -> dict[str, str]:
    """Nothing of ours: no settings, no keys. A fixed hash seed keeps the bytes the same."""
    return {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(CODE),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": scraps,
        "XDG_CACHE_HOME": scraps,
    }
