"""A real SMTP server on loopback that keeps what it accepts and misbehaves when told to."""

import asyncio
import ssl
import threading
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Self
from urllib.parse import quote

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class Stage(StrEnum):
    """Where in a delivery a fault strikes."""

    SENDER = "sender"
    RECIPIENT = "recipient"
    FINAL = "final"


class Silence(StrEnum):
    """What happens instead of a reply."""

    DROP = "drop"
    STALL = "stall"


@dataclass(frozen=True)
class SmtpFault:
    """One misbehaviour: a reply of its own, or none. `accepts` keeps the mail all the same."""

    stage: Stage
    reply: str | Silence
    accepts: bool = False


@dataclass(frozen=True)
class DeliveredMail:
    """What the server took: envelope and the bytes as they came, dots unstuffed."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes


@dataclass
class FakeSmtp:
    """`with FakeSmtp() as server: SmtpMailer(server.url)`; each fault strikes once, in order."""

    is_pipelining: bool = True
    tls: ssl.SSLContext | None = None
    is_private_from_the_start: bool = False
    user: str = ""
    password: str = ""
    connections: int = 1
    accepted: list[DeliveredMail] = field(default_factory=list)
    faults: deque[SmtpFault] = field(default_factory=deque)
    peers: set[object] = field(default_factory=set)
    signed_in: int = 0

    def __enter__(self) -> Self:
        starttls = None if self.is_private_from_the_start else self.tls
        self._controller = _AnyPort(
            _Handler(self),
            hostname="127.0.0.1",
            port=0,
            ssl_context=self.tls if self.is_private_from_the_start else None,
            tls_context=starttls,
            require_starttls=starttls is not None,
            authenticator=self._authenticate if self.user else None,
            # aiosmtpd does not notice when a connection is private from the start.
            auth_required=bool(self.user) and starttls is not None,
            auth_require_tls=starttls is not None,
        )
        self._controller.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.drop_connections()
        self._controller.stop()

    @property
    def port(self) -> int:
        return self._controller.port

    @property
    def url(self) -> str:
        """The MAIL_URL of this server."""
        user, password = quote(self.user, safe=""), quote(self.password, safe="")
        place = f"{user}:{password}@localhost:{self.port}" if user else f"localhost:{self.port}"
        if self.is_private_from_the_start:
            return f"smtps://{place}?connections={self.connections}"
        starttls = int(self.tls is not None)
        return f"smtp://{place}?starttls={starttls}&connections={self.connections}"

    def drop_connections(self) -> None:
        """Cut every open connection, as a server does that restarts; returns when it is done."""
        done = threading.Event()

        def cut() -> None:
            for transport in list(self._controller.transports):
                transport.abort()
            self._controller.transports.clear()
            done.set()

        self._controller.loop.call_soon_threadsafe(cut)
        assert done.wait(10)

    def remember(self, transport: asyncio.Transport) -> None:
        """Note an open connection; called by the handler."""
        self._controller.transports.add(transport)

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        del server, session, envelope, mechanism
        is_right = isinstance(data, LoginPassword) and (
            data.login.decode(),
            data.password.decode(),
        ) == (self.user, self.password)
        self.signed_in += is_right
        return AuthResult(success=is_right, handled=False)


class _AnyPort(Controller):
    """aiosmtpd's controller, on a port the system chooses."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # handed on as they came
        self.transports: set[asyncio.Transport] = set()

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]  # aiosmtpd left it untyped


class _Handler:
    def __init__(self, fake: FakeSmtp) -> None:
        self._fake = fake

    async def handle_EHLO(  # noqa: N802 - aiosmtpd names its hooks so
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, lines: list[str]
    ) -> list[str]:
        del envelope
        session.host_name = hostname
        self._remember(server)
        extra = ["250-PIPELINING"] if self._fake.is_pipelining else []
        return [*lines[:-1], *extra, lines[-1]]

    async def handle_MAIL(  # noqa: N802 - aiosmtpd names its hooks so
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del options
        self._remember(server)
        self._fake.peers.add(session.peer)
        reply = await self._strike(server, Stage.SENDER)
        if reply is None:
            envelope.mail_from = address
        return reply or "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd names its hooks so
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del session, options
        reply = await self._strike(server, Stage.RECIPIENT)
        if reply is None:
            envelope.rcpt_tos.append(address)
        return reply or "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd names its hooks so
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        del session
        fault = self._next_fault(Stage.FINAL)
        if fault is None or fault.accepts:
            content = envelope.original_content
            assert content is not None
            self._fake.accepted.append(
                DeliveredMail(str(envelope.mail_from), tuple(envelope.rcpt_tos), content)
            )
        return "250 OK" if fault is None else await self._misbehave(server, fault)

    def _remember(self, server: SMTP) -> None:
        self._fake.remember(_transport_of(server))

    def _next_fault(self, stage: Stage) -> SmtpFault | None:
        if self._fake.faults and self._fake.faults[0].stage is stage:
            return self._fake.faults.popleft()
        return None

    async def _strike(self, server: SMTP, stage: Stage) -> str | None:
        fault = self._next_fault(stage)
        return None if fault is None else await self._misbehave(server, fault)

    async def _misbehave(self, server: SMTP, fault: SmtpFault) -> str:
        if not isinstance(fault.reply, Silence):
            return fault.reply
        if fault.reply is Silence.DROP:
            _transport_of(server).abort()
        await asyncio.Event().wait()  # until the connection ends and cancels this
        raise AssertionError("nobody sets this event")


def _transport_of(server: SMTP) -> asyncio.Transport:
    assert isinstance(server.transport, asyncio.Transport)
    return server.transport
