"""Real Postgres and Redis servers for tests: a free port, a temporary folder, gone afterwards."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import psycopg
from psycopg import sql

START_SECONDS = 30.0
STOP_SECONDS = 20.0
PAUSE_SECONDS = 0.02

POSTGRES_FLAGS = {
    "fsync": "off",  # the folder does not outlive the tests; transactions behave as ever
    "full_page_writes": "off",
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "unix_socket_directories": "",
}
REDIS_FLAGS = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]


class ServerMissing(Exception):
    """A server the tests need is not installed."""

    def __init__(self, binary: str, package: str) -> None:
        super().__init__(
            f"The tests need {binary}, and it is not installed. Run `make test`, which installs "
            f"it, or `apt-get install {package}` as root."
        )


class ServerBroken(Exception):
    """A server did not start."""


@dataclass
class Server:
    """One server that can be stopped, killed and started again on the same port."""

    command: list[str]
    folder: Path
    port: int
    answers: Callable[[int], bool] = field(repr=False)
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it and wait until it answers; ServerBroken with its log when it does not."""
        log = self.folder / "server.log"
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [*_unprivileged(), *self.command],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.answers(self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise ServerBroken(f"{self.command[0]} did not start:\n{log.read_text()}")
            time.sleep(PAUSE_SECONDS)

    def stop(self) -> None:
        """End it in order, cutting its connections; harmless when it is gone."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End it without warning, as a power cut would; harmless when it is gone."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(STOP_SECONDS)
            self.process = None


@dataclass
class PostgresServer(Server):
    """A Postgres server and its databases."""

    def url(self, database: str = "postgres") -> str:
        """The address of one of its databases."""
        return f"postgresql://funnel@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str, template: str = "template1") -> str:
        """Make a database as a copy of a template nobody is connected to; returns its address."""
        self._run("CREATE DATABASE {} TEMPLATE {}", name, template)
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is connected to it."""
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def _run(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@dataclass
class RedisServer(Server):
    """A Redis server that keeps nothing."""

    def url(self, database: int = 0) -> str:
        """The address of one of its numbered databases."""
        return f"redis://127.0.0.1:{self.port}/{database}"


S = TypeVar("S", bound=Server)


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """A fresh Postgres cluster that trusts `funnel`, stopped and removed afterwards."""
    with _folder() as folder:
        data = str(folder / "data")
        initdb = [find_binary("initdb", "postgresql"), "-D", data, "-U", "funnel", "--no-sync"]
        subprocess.run(
            [*_unprivileged(), *initdb, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"],
            cwd=folder,
            check=True,
            capture_output=True,
        )
        port = _free_port()
        flags = [f"-c{name}={value}" for name, value in POSTGRES_FLAGS.items()]
        command = [find_binary("postgres", "postgresql"), "-D", data, f"-p{port}", *flags]
        yield from _running(PostgresServer(command, folder, port, _postgres_answers))


@contextmanager
def running_redis() -> Iterator[RedisServer]:
    """A fresh Redis server, stopped and removed afterwards."""
    with _folder() as folder:
        port = _free_port()
        command = [find_binary("redis-server", "redis-server"), "--port", str(port), *REDIS_FLAGS]
        yield from _running(RedisServer(command, folder, port, _redis_answers))


def find_binary(name: str, package: str) -> str:
    """The path of a program, also where Debian keeps Postgres; ServerMissing when there is none."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=_version, reverse=True)
    found = shutil.which(name) or next(map(str, debian), None)
    if found is None:
        raise ServerMissing(name, package)
    return found


def _version(binary: Path) -> int:
    return int(binary.parent.parent.name)


def _running(server: S) -> Iterator[S]:
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="funnel-", ignore_cleanup_errors=True) as name:
        if os.geteuid() == 0:
            shutil.chown(name, _server_user().pw_uid, _server_user().pw_gid)
        yield Path(name)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _unprivileged() -> list[str]:
    """A prefix that drops root, which Postgres refuses, and ends the server with the tests."""
    prefix = [find_binary("setpriv", "util-linux"), "--pdeathsig=INT"]
    if os.geteuid() == 0:
        user = _server_user()
        prefix += [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return prefix


def _server_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _postgres_answers(port: int) -> bool:
    try:
        psycopg.connect(f"postgresql://funnel@127.0.0.1:{port}/postgres").close()
    except psycopg.OperationalError:
        return False
    return True


def _redis_answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
