"""The product as it runs in production: real web, Celery workers, beat, Postgres and Redis."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.support.house import SECRET
from tests.support.servers import RedisServer
from tests.support.visitor import Visitor

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
CELERY = (str(BIN / "celery"), "-A", "worker.celery")
WORKER = (*CELERY, "worker", "--pool", "threads", "--loglevel", "warning", "--without-gossip")
PATIENCE_SECONDS = 60.0


@dataclass
class Cluster:
    """The processes of one installation, each with its own log."""

    folder: Path
    env: dict[str, str]
    base: str
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, *command: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                command, cwd=ROOT, env=self.env, stdout=log, stderr=subprocess.STDOUT
            )

    def start_all(self) -> None:
        port = self.base.rpartition(":")[2]
        self.start("web", str(BIN / "waitress-serve"), f"--listen=127.0.0.1:{port}", "wsgi:app")
        self.start("mail", *WORKER, "-Q", "mail", "-c", "2", "-n", "mail@%h")
        self.start("pdf", *WORKER, "-Q", "pdf", "-c", "1", "-n", "pdf@%h")
        self.start("beat", *CELERY, "beat", "-s", str(self.folder / "beat"), "--pidfile=")
        self.wait_until_served()

    def wait_until_served(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.base}/health").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError(f"the web did not start:\n{self.log('web')}")

    def kill(self, *names: str) -> None:
        """End processes without warning."""
        for name in names:
            process = self.running.pop(name)
            process.kill()
            process.wait(10)

    def stop_all(self) -> dict[str, int]:
        """Ask every process to stop; their exit codes."""
        for process in self.running.values():
            process.send_signal(signal.SIGTERM)
        return {name: process.wait(40) for name, process in self.running.items()}

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()


@contextmanager
def running_cluster(database_url: str, redis_url: str, folder: Path) -> Iterator[Cluster]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{probe.getsockname()[1]}"
    env = {
        **os.environ,
        "DATABASE_URL": database_url,
        "BROKER_URL": redis_url,
        "MAIL_URL": f"mailbox://{folder}/mailbox",
        "STORAGE_URL": f"file://{folder}/guides",
        "SECRET_KEY": SECRET,
        "BASE_URL": base,
    }
    subprocess.run([BIN / "funnel", "migrate"], cwd=ROOT, env=env, check=True)
    cluster = Cluster(folder, env, base)
    try:
        cluster.start_all()
        yield cluster
    finally:
        for process in cluster.running.values():
            process.kill()
            process.wait(10)


def walk_to_the_guide(visitor: Visitor, address: str, name: str) -> bytes:
    """Ask, confirm from the mail, follow the second mail, press the button: the PDF's bytes."""
    assert visitor.ask(address, name, series=True).status_code == 200
    visitor.press(visitor.wait_for_link(address, "/confirm/"))
    guide = visitor.wait_for_link(address, "/guide/")
    answer = visitor.press(f"{guide}/download", page=guide)
    assert answer.headers["content-type"] == "application/pdf"
    return answer.content


@pytest.mark.processes
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_visitor_gets_her_guide_with_and_without_redis_and_after_a_kill(
    database_url: str, redis: RedisServer, tmp_path: Path
) -> None:
    with running_cluster(database_url, redis.url(3), tmp_path) as cluster:
        visitor = Visitor(cluster.base, tmp_path / "mailbox")
        assert walk_to_the_guide(visitor, "ada@example.org", "Ada").endswith(b"%%EOF\n")

        redis.kill()
        assert walk_to_the_guide(visitor, "ben@example.org", "Ben").startswith(b"%PDF")

        redis.start()
        cluster.kill("mail", "pdf")
        assert visitor.ask("cleo@example.org", "Cleo", series=False).status_code == 200
        cluster.start("mail", *WORKER, "-Q", "mail", "-c", "2", "-n", "mail@%h")
        cluster.start("pdf", *WORKER, "-Q", "pdf", "-c", "1", "-n", "pdf@%h")
        visitor.press(visitor.wait_for_link("cleo@example.org", "/confirm/"))
        visitor.wait_for_link("cleo@example.org", "/guide/")

        subjects = [str(mail["Subject"]) for mail in visitor.mails("@example.org")]
        visitor.close()
        assert len(subjects) == 6
        assert set(cluster.stop_all().values()) <= {0, -signal.SIGTERM}
        assert "Traceback" not in cluster.log("web"), cluster.log("web")
        for name in ("mail", "pdf"):
            # Celery tells of the broker that was cut off; of our own work nothing may have failed.
            assert "a part of the work failed" not in cluster.log(name), cluster.log(name)
