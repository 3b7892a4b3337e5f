"""A real Chromium, and a whole funnel started as its owner starts it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from tests.support.chromium import running_chromium

FUNNEL = Path(sys.executable).with_name("funnel")
START_SECONDS = 30.0


@dataclass(frozen=True)
class Running:
    """A funnel that serves: where, where its mail lies, and the link of the first start."""

    base: str
    mailbox: Path
    set_up_path: str


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of this folder."""
    with running_chromium() as started:
        yield started


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """`funnel up` in an empty folder, for one test alone."""
    with _running(tmp_path) as started:
        yield started


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """`funnel up` for all tests of a module that leave nothing behind."""
    with _running(tmp_path_factory.mktemp("shared")) as started:
        yield started


@contextmanager
def _running(folder: Path) -> Iterator[Running]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{probe.getsockname()[1]}"
    base = f"http://{place}"
    printed = folder / "printed.txt"
    with printed.open("wb") as out:
        process = subprocess.Popen(
            [FUNNEL, "up"],
            cwd=folder,
            env={**os.environ, "LISTEN": place, "BASE_URL": base, "PYTHONUNBUFFERED": "1"},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_served(base, process, printed)
        link = next(line for line in printed.read_text().split() if "/desk/set-up/" in line)
        yield Running(base, folder / "var" / "mailbox", link.removeprefix(base))
    finally:
        process.terminate()
        assert process.wait(40) == 0, printed.read_text()
    assert "Traceback" not in printed.read_text(), printed.read_text()


def _wait_until_served(base: str, process: subprocess.Popen[bytes], printed: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{base}/health").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"funnel up did not start:\n{printed.read_text()}")
