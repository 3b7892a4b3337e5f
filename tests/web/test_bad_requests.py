"""Corpus S-bad-9: bytes on the wire, sent to the very server that `funnel up` starts."""

import re
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from waitress import wasyncore

from funnel.cli.up import listen
from funnel.links import LinkPurpose
from funnel.web.app import create_app
from tests.support import make
from tests.support.corpora import wire
from tests.support.corpora.wire import Wire
from tests.support.hostile import Siege, changed, rows, under_siege

PATIENCE_SECONDS = 5.0
# The server leaves the file of a body it cut off for the collector to close.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


@dataclass(frozen=True)
class Wired:
    """A server, what reached the application, and a guide that may be downloaded."""

    siege: Siege
    port: int
    seen: list[str]
    pdf: str

    def send(self, sent: Wire) -> list[int]:
        """The statuses that came back on one connection; none where it was hung up on."""
        raw = sent.raw.replace(b"{host}", b"127.0.0.1:%d" % self.port)
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE_SECONDS) as line:
            answer = _exchange(line, raw.replace(b"{pdf}", self.pdf.encode()))
        assert b"Traceback" not in answer, sent.raw[:100]
        assert b"waitress" not in answer.lower() or b"\r\nServer:" not in answer, sent.raw[:100]
        return [int(status) for status in STATUS.findall(answer)]


def _exchange(line: socket.socket, raw: bytes) -> bytes:
    """All that comes back. A server that has seen enough may hang up while we still talk."""
    answer = b""
    try:
        line.sendall(raw)
        line.shutdown(socket.SHUT_WR)
        while part := line.recv(65_536):
            answer += part
    except OSError:
        pass
    return answer


@contextmanager
def wired(siege: Siege) -> Iterator[Wired]:
    """The application behind the product's own server, on a port of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    place = f"127.0.0.1:{port}"
    settings = replace(siege.house.rt.settings, listen=place, base_url=f"http://{place}")
    rt, seen = replace(siege.house.rt, settings=settings), list[str]()
    app = create_app(rt)

    def watched(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        seen.append(environ["PATH_INFO"])
        return app(environ, start_response)

    server, over = listen(watched, settings), threading.Event()

    def run() -> None:
        while not over.is_set():
            wasyncore.loop(timeout=0.05, map=server._map, count=1)
        server.close()
        server.task_dispatcher.shutdown()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield Wired(siege, port, seen, _pdf(siege))
    finally:
        over.set()
        thread.join()


def _pdf(siege: Siege) -> str:
    """Ben's guide, which is there."""
    ben = make.confirmed(siege.house, "ben@example.org", name="Ben")
    siege.house.work()
    token = siege.house.rt.links.token(LinkPurpose.GUIDE, ben.guide_handle)
    return f"/guide/{token}/pain-relief-blueprint.pdf"


@pytest.fixture
def server(
    prepared_sqlite: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> Iterator[Wired]:
    with under_siege(prepared_sqlite, tmp_path, caplog) as siege, wired(siege) as running:
        yield running


def test_no_bytes_make_the_server_fail_or_anything_be_kept(server: Wired) -> None:
    house = server.siege.house
    before = rows(house)
    for sent in wire.ALL:
        statuses = server.send(sent)
        assert [status for status in statuses if status >= 500 and status != 501] == [], sent.raw[
            :200
        ]
    assert changed(before, rows(house)) == {}
    assert server.send(wire.get(b"/health")) == [200]


def test_no_request_hides_another(server: Wired) -> None:
    for sent in wire.SMUGGLED:
        server.send(sent)
        assert "/smuggled" not in server.seen, sent.raw[:200]


def test_an_endless_body_is_cut_off_soon(server: Wired) -> None:
    statuses = [server.send(sent) for sent in wire.BODIES[:3]]
    assert all(found in ([413], [400], []) for found in statuses)


def test_slow_visitors_keep_nobody_else_waiting(server: Wired) -> None:
    head = b"POST /signup HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 9999\r\n\r\nemail="
    slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(40)]
    for line in slow:
        line.sendall(head % server.port)
    assert server.send(wire.get(b"/health")) == [200]
    for line in slow:
        line.close()


def test_a_strange_method_or_an_override_never_acts(server: Wired) -> None:
    for sent in wire.METHODS:
        assert all(status >= 300 for status in server.send(sent)), sent.raw[:100]


def test_files_outside_the_static_folder_are_never_served(server: Wired) -> None:
    for sent in wire.REQUEST_LINES:
        if b"/static/" in sent.raw:
            assert server.send(sent) in ([404], [400], [308]), sent.raw[:100]


@pytest.mark.parametrize("prefix", [b"Range: bytes=0-"])
def test_a_part_of_a_guide_is_a_part_and_no_more(server: Wired, prefix: bytes) -> None:
    assert server.send(wire.get(b"{pdf}", prefix)) in ([206], [200])
    for sent in wire.RANGES:
        assert set(server.send(sent)) <= {200, 206, 304, 400, 416, 431}, sent.raw[:200]
