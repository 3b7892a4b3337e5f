"""SendGrid's API on loopback: checks every request against the official description.

It keeps what it accepts and misbehaves when told to:

    with FakeSendGrid() as fake:
        fake.faults.append(ACCEPTED_THEN_DROPPED)
        SendGridMailer(fake.api_key, fake.url).send([email])
"""

import json
import socket
import struct
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.support.fake_sendgrid_account import FakeAccount
from tests.support.fake_sendgrid_logs import details, search
from tests.support.fake_sendgrid_rules import problems_of

TRICKLE_SECONDS = 0.02


class Manner(StrEnum):
    """How an answer reaches the client, if at all."""

    WHOLE = "whole"
    NOTHING = "nothing"
    RESET = "reset"
    SHORT = "short"
    TRICKLE = "trickle"


@dataclass(frozen=True)
class Fault:
    """One misbehaviour. `accepts` keeps the mail, whatever the client is told."""

    status: int = 202
    accepts: bool = False
    manner: Manner = Manner.WHOLE
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


THROTTLED = Fault(429, headers=(("Retry-After", "3"),), body=b'{"errors":[]}')
BROKEN = Fault(503, body=b"<html>upstream</html>")
BROKEN_BUT_ACCEPTED = Fault(503, accepts=True)
ACCEPTED_THEN_DROPPED = Fault(accepts=True, manner=Manner.NOTHING)
ACCEPTED_THEN_RESET = Fault(accepts=True, manner=Manner.RESET)
RESET = Fault(manner=Manner.RESET)
CUT_SHORT = Fault(accepts=True, manner=Manner.SHORT, body=b"{}")
TRICKLING = Fault(accepts=True, manner=Manner.TRICKLE, headers=(("X-Long", "x" * 9999),))
WITHOUT_ID = Fault(accepts=True)
WRONG_JSON = Fault(400, body=b'{"errors": [')


@dataclass(frozen=True)
class AcceptedMail:
    """What one reader gets: the id SendGrid gave the request, the request, and whose it is."""

    x_message_id: str
    payload: dict[str, Any]
    place: int = 0
    taken_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def personalization(self) -> dict[str, Any]:
        own: dict[str, Any] = self.payload["personalizations"][self.place]
        return own

    @property
    def to_address(self) -> str:
        return str(self.personalization["to"][0]["email"])

    @property
    def send_id(self) -> str:
        return str(self.personalization["custom_args"]["send_id"])

    @property
    def headers(self) -> dict[str, str]:
        return {**self.payload.get("headers", {}), **self.personalization.get("headers", {})}

    @property
    def subject(self) -> str:
        return self._filled(self.payload["subject"])

    @property
    def text(self) -> str:
        return self._filled(self.payload["content"][0]["value"])

    @property
    def html(self) -> str:
        return self._filled(self.payload["content"][1]["value"])

    def _filled(self, part: str) -> str:
        """One tag after the other, each wherever it stands by then, as SendGrid may do it."""
        for tag, value in self.personalization.get("substitutions", {}).items():
            part = part.replace(tag, value)
        return part


@dataclass
class FakeSendGrid:
    """Each fault answers one request, in order; None lets one request through."""

    api_key: str = "SG.a-key-for-tests.never-shown"
    accepted: list[AcceptedMail] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    faults: deque[Fault | None] = field(default_factory=deque)
    log_faults: deque[Fault | None] = field(default_factory=deque)
    log_lag: timedelta = timedelta()
    account: FakeAccount = field(default_factory=FakeAccount)
    account_faults: deque[Fault | None] = field(default_factory=deque)
    bodies: list[bytes] = field(default_factory=list)
    requests: int = 0
    log_questions: int = 0
    connections: int = 0

    def __enter__(self) -> Self:
        self._lock = threading.Lock()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.stop()
        self._thread.join()

    @property
    def url(self) -> str:
        """The base_url for the mailer."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def drop_connections(self) -> None:
        """Cut every kept connection, as a server does that restarts."""
        self._server.cut_connections()

    def next_fault(self) -> Fault | None:
        """What to do with the next valid request; override it to misbehave at random."""
        return self.faults.popleft() if self.faults else None

    def answer(self, authorization: str, body: bytes) -> Fault:
        """Judge one request and keep it if it is accepted; what to answer, as a fault or not."""
        with self._lock:
            self.requests += 1
            self.bodies.append(body)
            if authorization != f"Bearer {self.api_key}":
                return _error(401, "The provided authorization grant is invalid", None)
            payload = json.loads(body)
            problems = problems_of(payload)
            if problems:
                self.complaints += problems
                return _error(400, problems[0], "personalizations")
            fault = self.next_fault()
            if fault is not None and not fault.accepts:
                return fault
            x_message_id = f"fake-{len(self.accepted) + 1}"
            places = range(len(payload["personalizations"]))
            self.accepted += [AcceptedMail(x_message_id, payload, place) for place in places]
            return fault or Fault(headers=(("X-Message-Id", x_message_id),))

    def answer_about(self, authorization: str, path: str, body: bytes | None) -> Fault:
        """Answer a question to the logs: a search with a body, one message without."""
        with self._lock:
            self.log_questions += 1
            if authorization != f"Bearer {self.api_key}":
                return _error(401, "The provided authorization grant is invalid", None)
            fault = self.log_faults.popleft() if self.log_faults else None
            if fault is not None:
                return fault
            if body is None:
                status, found = details(path, self.accepted, self.log_lag)
            else:
                status, found = search(body, self.accepted, self.log_lag)
            return Fault(status, body=found)

    def answer_for_account(self, authorization: str, path: str, body: bytes | None) -> Fault:
        """Answer a question to the account, or an erase job with a body."""
        with self._lock:
            if authorization != f"Bearer {self.api_key}":
                return _error(401, "The provided authorization grant is invalid", None)
            fault = self.account_faults.popleft() if self.account_faults else None
            if fault is not None:
                return fault
            status, found = self.account.get(path) if body is None else self.account.erase(body)
            self.complaints += self.account.complaints
            self.account.complaints.clear()
            return Fault(status, body=found)


def _error(status: int, message: str, name: str | None) -> Fault:
    body = {"errors": [{"message": message, "field": name, "help": None}]}
    return Fault(status, body=json.dumps(body).encode())


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that closing waits for them

    def __init__(self, fake: FakeSendGrid) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.fake = fake
        self.stopping = threading.Event()
        self.open: set[socket.socket] = set()
        self.to_reset: set[socket.socket] = set()

    def stop(self) -> None:
        self.stopping.set()
        self.shutdown()
        self.cut_connections()
        self.server_close()

    def cut_connections(self) -> None:
        for connection in list(self.open):
            with suppress(OSError):  # the other side was first
                connection.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.fake.connections += 1
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        if request in self.to_reset:
            self.to_reset.discard(request)
            request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            request.close()
        else:
            super().shutdown_request(request)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.open.add(self.connection)

    def finish(self) -> None:
        self.server.open.discard(self.connection)
        super().finish()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        fake = self.server.fake
        if self.path == "/v3/logs":
            self._reply(fake.answer_about(self._authorization, self.path, body))
        elif self.path == "/v3/recipients/erasejob":
            self._reply(fake.answer_for_account(self._authorization, self.path, body))
        elif self.path != "/v3/mail/send":
            self._reply(Fault(404))
        elif self.headers["Content-Type"] != "application/json":
            self._reply(Fault(415))
        else:
            self._reply(fake.answer(self._authorization, body))

    def do_GET(self) -> None:
        fake = self.server.fake
        ask = fake.answer_about if self.path.startswith("/v3/logs/") else fake.answer_for_account
        self._reply(ask(self._authorization, self.path, None))

    @property
    def _authorization(self) -> str:
        return self.headers["Authorization"] or ""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name
        """Keep quiet."""

    def _reply(self, answer: Fault) -> None:
        whole = _as_bytes(answer)
        self.close_connection = answer.manner is not Manner.WHOLE
        if answer.manner is Manner.RESET:
            self.server.to_reset.add(self.connection)
        elif answer.manner is Manner.TRICKLE:
            self._trickle(whole, len(answer.body))
        elif answer.manner is Manner.SHORT:
            self.wfile.write(whole[:-1])
        elif answer.manner is Manner.WHOLE:
            self.wfile.write(whole)

    def _trickle(self, whole: bytes, body_octets: int) -> None:
        """The body, or without one the whole answer, byte by byte until the client gives up."""
        head_octets = len(whole) - body_octets if body_octets else 0
        try:
            self.wfile.write(whole[:head_octets])
            for octet in whole[head_octets:]:
                self.wfile.write(bytes([octet]))
                if self.server.stopping.wait(TRICKLE_SECONDS):
                    return
        except OSError:
            self.close_connection = True


def _as_bytes(answer: Fault) -> bytes:
    headers = [("Content-Length", str(len(answer.body))), *answer.headers]
    lines = [f"HTTP/1.1 {answer.status} Answer", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode() + answer.body
