"""Postfix's own load tools, without Postfix: the programs alone, taken out of Debian's package."""

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 10.0


@dataclass(frozen=True)
class Tools:
    """Where smtp-sink and smtp-source are, and where their libraries lie."""

    folder: Path

    def command(self, name: str, *arguments: str) -> list[str]:
        return [str(self.folder / "usr/sbin" / name), *arguments]

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "LD_LIBRARY_PATH": str(self.folder / "usr/lib/postfix")}


def fetch_tools() -> Tools:
    """Unpack the package into a scratch folder; nothing is installed and no service runs."""
    folder = Path(tempfile.gettempdir()) / "funnel-bench-postfix"
    if not (folder / "usr/sbin/smtp-sink").exists():
        with tempfile.TemporaryDirectory() as name:
            subprocess.run(["apt-get", "download", "postfix"], cwd=name, check=True, stdout=2)
            (package,) = Path(name).glob("postfix_*.deb")
            subprocess.run(["dpkg", "-x", str(package), str(folder)], check=True)
    return Tools(folder)


@contextmanager
def running_sink(tools: Tools) -> Iterator[int]:
    """A server that takes every mail and throws it away; gives its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    # As root it insists on an unprivileged user of its own.
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    command = tools.command("smtp-sink", *user, f"127.0.0.1:{port}", "1000")
    process = subprocess.Popen(command, env=tools.environment)
    try:
        _wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)  # it does not say when it listens
        else:
            return
    raise RuntimeError("smtp-sink did not start")


def ceiling(tools: Tools, port: int, *, mails: int, octets: int, sessions: int) -> float:
    """Mails a second that Postfix's own smtp-source gets into this sink."""
    command = tools.command(
        "smtp-source", "-d", f"-s{sessions}", f"-m{mails}", f"-l{octets}", f"127.0.0.1:{port}"
    )
    start = time.perf_counter()
    subprocess.run(command, env=tools.environment, check=True)
    return mails / (time.perf_counter() - start)
