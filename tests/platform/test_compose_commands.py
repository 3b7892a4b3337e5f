"""Each part of docker-compose.yml does its work with the very command written there."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from redis import Redis

from funnel.runtime import TASKS
from tests.support.repo import ROOT
from tests.support.servers import PostgresServer, RedisServer

SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
PROGRAMS = Path(sys.executable).parent
PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.1


def test_every_queue_is_consumed_by_one_part() -> None:
    commands = [service["command"] for service in SERVICES.values() if "command" in service]
    consumed = [command[command.index("-Q") + 1] for command in commands if "-Q" in command]
    assert sorted(consumed) == sorted(TASKS)


@dataclass(frozen=True)
class Part:
    """A running part and what it has said so far."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def words(self) -> str:
        """Everything it printed."""
        return self.log.read_text("utf-8")

    def wait_until(self, is_so: Callable[[], object]) -> None:
        """Wait until something is true; fails, with its words, when it ends or that never comes."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            assert self.process.poll() is None, self.words
            assert time.monotonic() < deadline, self.words
            time.sleep(PAUSE_SECONDS)


@pytest.fixture(scope="module")
def environment(
    postgres: PostgresServer, redis: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """The environment of a container: settings for production, a home that can be written."""
    home = tmp_path_factory.mktemp("container")
    shutil.copytree(ROOT / "templates", home / "templates")
    _fill_in(home / "templates" / "brand.yaml")
    return {
        "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "PRODUCTION": "on",
        "BASE_URL": "https://funnel.example",
        "TRUSTED_PROXIES": "1",
        "SECRET_KEY": "for-these-tests-only-and-long-enough",
        "DATABASE_URL": postgres.create_database("compose"),
        "BROKER_URL": redis.url(1),
        "MAIL_URL": "smtp://127.0.0.1:9",
        "DNS_SERVER": "127.0.0.1:9",
        "STORAGE_URL": f"file://{home}/guides",
        "TEMPLATES_PATH": f"{home}/templates",
    }


def _fill_in(brand: Path) -> None:
    """Give what production will not start without."""
    text = brand.read_text("utf-8")
    for name, value in (("from_address", "sam@example.org"), ("postal_address", "1 Test Lane")):
        text = re.sub(rf"^{name}: null", f"{name}: {value}", text, flags=re.MULTILINE)
    brand.write_text(text, "utf-8")


@pytest.fixture(scope="module")
def migrated(environment: dict[str, str]) -> dict[str, str]:
    """The same environment, once the `migrate` part is through."""
    done = _ask(SERVICES["migrate"]["command"], environment)
    assert done.returncode == 0, done.stderr
    return environment


@contextmanager
def _running(command: list[str], environment: dict[str, str], log: Path) -> Iterator[Part]:
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        yield Part(process, log)
    finally:
        process.kill()
        process.wait()


@pytest.mark.processes
@pytest.mark.parametrize("name", ["worker", "pdf"])
def test_a_worker_starts_and_ends_in_order_when_told(
    name: str, migrated: dict[str, str], tmp_path: Path
) -> None:
    with _running(SERVICES[name]["command"], migrated, tmp_path / "log") as part:
        part.wait_until(lambda: "ready." in part.words)
        part.process.send_signal(signal.SIGTERM)
        assert part.process.wait(PATIENCE_SECONDS) == 0, part.words
    assert "Traceback" not in part.words


@pytest.mark.processes
def test_beat_rings_for_every_queue_and_ends_when_told(
    redis: RedisServer, migrated: dict[str, str], tmp_path: Path
) -> None:
    command = [
        word.replace("/tmp/beat", f"{tmp_path}/beat") for word in SERVICES["beat"]["command"]
    ]
    broker = redis.url(2)
    with (
        Redis.from_url(broker) as queues,
        _running(command, {**migrated, "BROKER_URL": broker}, tmp_path / "log") as part,
    ):
        part.wait_until(lambda: all(queues.llen(queue) for queue in TASKS))
        part.process.send_signal(signal.SIGTERM)
        # It holds no work, so how it ends does not matter: Celery says 1 in the middle of a ring.
        part.process.wait(PATIENCE_SECONDS)


@pytest.mark.processes
def test_the_web_part_is_found_well_while_it_serves_and_only_then(
    migrated: dict[str, str], tmp_path: Path
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{probe.getsockname()[1]}"
    web = SERVICES["web"]
    command = [word.replace("*:8000", place) for word in web["command"]]
    question = [word.replace("127.0.0.1:8000", place) for word in web["healthcheck"]["test"][1:]]
    with _running(command, migrated, tmp_path / "log") as part:
        part.wait_until(lambda: "Serving on" in part.words)
        well = _ask(question, migrated)
        assert well.returncode == 0, well.stderr
    assert _ask(question, migrated).returncode != 0


@pytest.mark.processes
def test_the_doctor_is_content_while_the_database_answers_and_only_then(
    migrated: dict[str, str],
) -> None:
    question = SERVICES["worker"]["healthcheck"]["test"][1:]
    content = _ask(question, migrated)
    assert content.returncode == 0, content.stderr
    nobody_there = "postgresql://funnel@127.0.0.1:9/funnel"
    alarmed = _ask(question, {**migrated, "DATABASE_URL": nobody_there})
    assert alarmed.returncode == 1
    assert alarmed.stderr == "funnel: the database does not answer.\n"


def _ask(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, check=False, cwd=ROOT, env=environment, capture_output=True, text=True
    )
