"""SendGrid's API on loopback: checks every request against the official description.

It keeps what it accepts and misbehaves when told to:

    with FakeSendGrid() as fake:
        fake.faults.append(ACCEPTED_THEN_DROPPED)
        SendGridMailer(fake.api_key, fake.url).send([email])
"""

import json
import re
import socket
import struct
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.support.fake_sendgrid_logs import details, search

DESCRIPTION = Path(__file__).parent / "data" / "sendgrid-mail-v3.json"
SCHEMA_PATH = "#/components/requestBodies/PostMailSend/content/application~1json/schema"
MUST_BE_OFF = ("click_tracking", "open_tracking", "subscription_tracking", "ganalytics")
NOT_OURS_TO_SET = {
    "x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type",
    "content-transfer-encoding", "to", "from", "subject", "reply-to", "cc", "bcc",
}  # fmt: skip
READERS_OWN = {"Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post"}
TRICKLE_SECONDS = 0.02
TAG = re.compile(r"\[%[0-9]+%\]")


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


def problems_of(payload: Any) -> list[str]:
    """Everything wrong with a request: against SendGrid's description, then our own promises."""
    problems = [error.message for error in _validator().iter_errors(payload)]
    return problems or [*_unknown_fields(payload), *_broken_promises(payload)]


@cache
def _validator() -> Draft202012Validator:
    description = json.loads(DESCRIPTION.read_text())
    resource = Resource.from_contents(description, default_specification=DRAFT202012)
    registry: Registry[Any] = Registry().with_resource("urn:sendgrid", resource)
    return Draft202012Validator({"$ref": f"urn:sendgrid{SCHEMA_PATH}"}, registry=registry)


@cache
def _known_fields() -> frozenset[str]:
    description = json.loads(DESCRIPTION.read_text())
    body = description["components"]["requestBodies"]["PostMailSend"]
    return frozenset(body["content"]["application/json"]["schema"]["properties"])


def _unknown_fields(payload: dict[str, Any]) -> list[str]:
    return [f"{name} is not a field" for name in payload if name not in _known_fields()]


def _broken_promises(payload: dict[str, Any]) -> list[str]:
    personalizations = payload["personalizations"]
    tracking = payload.get("tracking_settings", {})
    settings = payload.get("mail_settings", {})
    checks = {
        "nobody, or more readers than allowed": 1 <= len(personalizations) <= 1000,
        "a suppression is bypassed": not any(name.startswith("bypass") for name in settings),
        "something is tracked": all(
            tracking.get(name, {}).get("enable") is False for name in MUST_BE_OFF
        ),
        "a footer is left to the account": settings.get("footer", {}).get("enable") is False,
        "categories": "categories" not in payload,
        "custom_args for all": "custom_args" not in payload,
        "no subject": bool(payload.get("subject")),
        "text is not before html": [part["type"] for part in payload.get("content", [])]
        == ["text/plain", "text/html"],
        "a shared header is not ours to set": _are_lawful(payload.get("headers", {})),
        "a reader's header is shared": not READERS_OWN & set(payload.get("headers", {})),
        "two mails of one id": len({str(p.get("custom_args")) for p in personalizations})
        == len(personalizations),
    }
    readers = [problem for each in personalizations for problem in _broken_to_reader(each)]
    tags = _loose_tags(payload)
    return [name for name, is_kept in checks.items() if not is_kept] + readers + tags


def _broken_to_reader(personalization: dict[str, Any]) -> list[str]:
    headers = personalization.get("headers", {})
    substitutions = personalization.get("substitutions", {})
    octets = sum(len(f"{tag}{value}".encode()) for tag, value in substitutions.items())
    checks = {
        "not exactly one recipient": len(personalization["to"]) == 1,
        "a recipient has more than an address": all(
            set(to) == {"email"} for to in personalization["to"]
        ),
        "cc or bcc": not {"cc", "bcc"} & set(personalization),
        "more than the send id in custom_args": set(personalization.get("custom_args", {}))
        == {"send_id"},
        "more than 10,000 bytes of substitutions": octets <= 10_000,
        "a header is not ours to set": _are_lawful(headers),
        "no message id": "Message-ID" in headers,
        "only half of the pair for leaving": ("List-Unsubscribe" in headers)
        == ("List-Unsubscribe-Post" in headers),
    }
    return [name for name, is_kept in checks.items() if not is_kept]


def _are_lawful(headers: Any) -> bool:
    """Whether these are headers we may set, each one line of ASCII."""
    return not any(name.lower() in NOT_OURS_TO_SET for name in headers) and all(
        isinstance(value, str) and value.isascii() and value.isprintable()
        for value in headers.values()
    )


def _loose_tags(payload: dict[str, Any]) -> list[str]:
    """Tags of the words that some reader has no value for."""
    parts = [part["value"] for part in payload.get("content", [])]
    words = "".join([payload.get("subject", ""), *parts])
    tags = set(TAG.findall(words))
    readers = [p for p in payload["personalizations"] if "substitutions" in p]
    return [f"{len(tags - set(p['substitutions']))} tags without a value" for p in readers
            if tags - set(p["substitutions"])]  # fmt: skip


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
        if self.path == "/v3/logs":
            self._reply(self.server.fake.answer_about(self._authorization, self.path, body))
        elif self.path != "/v3/mail/send":
            self._reply(Fault(404))
        elif self.headers["Content-Type"] != "application/json":
            self._reply(Fault(415))
        else:
            self._reply(self.server.fake.answer(self._authorization, body))

    def do_GET(self) -> None:
        self._reply(self.server.fake.answer_about(self._authorization, self.path, None))

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
