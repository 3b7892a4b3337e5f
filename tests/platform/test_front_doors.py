"""Every way to start the product refuses settings that production must not run with."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse

import httpx
import pytest

from funnel.cli.up import listen
from funnel.domain.errors import SettingInvalid
from funnel.settings import Settings

ROOT = Path(__file__).parents[2]
MIGRATE = "from funnel.cli import main; import sys; sys.argv = ['funnel', 'migrate']; main()"
SET_UP = MIGRATE.replace("migrate", "set-up")
UP = MIGRATE.replace("migrate", "up")


@pytest.mark.parametrize("door", ["import wsgi", "import worker", MIGRATE, SET_UP, UP])
def test_production_does_not_start_without_a_key(door: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", door],
        env={
            "PATH": os.defpath,
            "PYTHONPATH": str(ROOT),
            "PRODUCTION": "on",
            "SECRET_KEY": "",
            "DATABASE_URL": f"sqlite:///{tmp_path}/funnel.db",
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "S01 error: SECRET_KEY is missing" in done.stderr
    assert list(tmp_path.iterdir()) == []


def echo(environ: dict[str, Any], answer: StartResponse) -> Iterable[bytes]:
    """Answers with the address that a proxy named, if it came through."""
    answer("200 OK", [("Content-Type", "text/plain")])
    return [str(environ.get("HTTP_X_FORWARDED_FOR", "nobody")).encode()]


@pytest.mark.parametrize(("proxies", "seen"), [(0, "nobody"), (1, "192.0.2.7")])
def test_the_server_lets_through_what_a_trusted_proxy_forwards(proxies: int, seen: str) -> None:
    server = listen(echo, Settings(listen="127.0.0.1:0", trusted_proxies=proxies))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        place = f"http://127.0.0.1:{server.effective_port}"
        assert httpx.get(place, headers={"X-Forwarded-For": "192.0.2.7"}).text == seen
    finally:
        server.trigger.pull_trigger(server.asyncore.close_all)
        thread.join(10)
        server.task_dispatcher.shutdown()


def test_a_place_that_is_taken_is_told_in_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        place = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(SettingInvalid, match=f"something else already listens on {place}"):
            listen(echo, Settings(listen=place))


def test_a_host_that_nobody_knows_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(SettingInvalid, match="LISTEN=nowhere:8000 is no place here"):
        listen(echo, Settings(listen="nowhere:8000"))
