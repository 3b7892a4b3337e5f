"""One SMTP connection: opened, signed in, and each step of a delivery told apart.

smtplib says hello and signs in. Delivery is our own, because we must know on which side of the
final dot a failure fell, must not be held by a server that trickles, and save round trips.
"""

import re
import smtplib
import socket
import ssl
from dataclasses import dataclass
from enum import StrEnum

from funnel.adapters.clocks import boot_seconds
from funnel.adapters.smtp_server import SmtpServer, Tls

MAX_REPLY_OCTETS = 64 * 1024
NOT_A_REPLY = -1
# RFC 3463 and 7505: no such mailbox, no such domain, moved away, a domain that takes no mail.
_ABOUT_ADDRESS = re.compile(rb"5\.1\.(?:1|2|3|6|10)(?![0-9])")
_ABOUT_SENDER = re.compile(rb"5\.1\.(?:7|8|9[0-9])(?![0-9])")
_BY_POLICY = re.compile(rb"5\.(?:1\.0|7\.[0-9]+)(?![0-9])")
_CODE = re.compile(rb"[2-5][0-9]{2}(?=[ \r\n-])")


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds.

    `turn` is for other threads' mails, `begin` how long one call goes on beginning mails,
    `hand_over` for all replies together before the final dot, `final` for the one after it.
    """

    turn: float = 30.0
    begin: float = 30.0
    connect: float = 5.0
    command: float = 30.0
    hand_over: float = 60.0
    final: float = 600.0  # RFC 5321, 4.5.3.2.6: giving up earlier makes duplicates


class Step(StrEnum):
    """The steps of a delivery before its content, each answered by the server."""

    SENDER = "sender"
    RECIPIENT = "recipient"
    CONTENT = "content"


@dataclass(frozen=True)
class Refusal:
    """A step the server did not agree to: its three-digit reply or NOT_A_REPLY, and its words."""

    step: Step
    code: int
    words: bytes = b""

    @property
    def is_about_address(self) -> bool:
        """The mailbox does not exist; a bare 550 says nothing of it."""
        return self._is(_ABOUT_ADDRESS)

    @property
    def is_about_sender(self) -> bool:
        """The server only now tells that it does not take our own address, or no more from us."""
        return self._is(_ABOUT_SENDER)

    @property
    def is_by_policy(self) -> bool:
        """The server may mean us or the reader: what it says to the other readers tells."""
        return self._is(_BY_POLICY)

    def _is(self, kind: re.Pattern[bytes]) -> bool:
        return self.step is Step.RECIPIENT and kind.match(self.words) is not None


@dataclass(frozen=True)
class Envelope:
    """Who writes to whom."""

    sender: str
    recipient: str

    @property
    def commands(self) -> dict[Step, bytes]:
        """What says so, in order; the last one asks to send the content."""
        return {
            Step.SENDER: f"MAIL FROM:<{self.sender}>\r\n".encode(),
            Step.RECIPIENT: f"RCPT TO:<{self.recipient}>\r\n".encode(),
            Step.CONTENT: b"DATA\r\n",
        }


class Lost(Exception):
    """The connection broke, or the server was silent for too long."""


class Dialogue:
    """An open, signed-in connection; for one thread at a time."""

    def __init__(self, server: SmtpServer, patience: Patience, tls: ssl.SSLContext) -> None:
        """Connect and sign in; raises smtplib.SMTPException or OSError and then holds nothing."""
        self._client = _PatientClient(_connect(server, patience, tls), patience)
        try:
            self._client.sign_in(server, tls)
        except BaseException:
            self._client.close()
            raise
        self._is_pipelining = self._client.has_extn("pipelining")
        self._announced: Envelope | None = None

    def announce(self, envelope: Envelope) -> Refusal | None:
        """Say who writes to whom, unless it was said already; None when the server now waits for
        the content. Raises Lost, also when somebody else was announced: what they wait for must
        never be this content."""
        self._client.start_over()
        announced, self._announced = self._announced, None
        if announced not in {None, envelope}:
            raise Lost
        if announced is None and not self._is_pipelining:
            return self._step_by_step(envelope)
        if announced is None:
            self._write(b"".join(envelope.commands.values()))
        return _first_refusal([(step, *self._reply()) for step in envelope.commands])

    def _step_by_step(self, envelope: Envelope) -> Refusal | None:
        for step, command in envelope.commands.items():
            self._write(command)
            refusal = _first_refusal([(step, *self._reply())])
            if refusal is not None:
                return refusal
        return None

    def tell(self, content: bytes) -> None:
        """Send the content but not the final dot: nothing is handed over yet. Raises Lost."""
        self._write(content.replace(b"\r\n.", b"\r\n.."))

    def finish(self, upcoming: Envelope | None = None) -> int:
        """Send the final dot and return the reply; when this raises Lost, nobody can know.

        Where the server allows it, the next mail is announced with it and saves a round trip.
        """
        octets = b".\r\n"
        if upcoming is not None and self._is_pipelining:
            octets += b"".join(upcoming.commands.values())
            self._announced = upcoming
        self._write(octets)
        try:
            return self._client.final_reply()[0]
        except OSError as error:
            raise Lost from error

    @property
    def is_at_rest(self) -> bool:
        """Whether nobody is announced whose content has not been sent."""
        return self._announced is None

    def hang_up(self) -> None:
        """Close without a word; harmless when closed."""
        self._client.close()

    def say_goodbye(self) -> None:
        """Close in order; harmless when the other side is gone."""
        try:
            self._write(b"QUIT\r\n")
        except Lost:
            return
        finally:
            self._client.close()

    def _write(self, octets: bytes) -> None:
        try:
            self._client.send(octets)
        except OSError as error:
            raise Lost from error

    def _reply(self) -> tuple[int, bytes]:
        try:
            return self._client.getreply()
        except OSError as error:
            raise Lost from error


def _first_refusal(replies: list[tuple[Step, int, bytes]]) -> Refusal | None:
    for step, code, words in replies:
        if code // 100 != (3 if step is Step.CONTENT else 2):
            return Refusal(step, code, words)
    return None


def _connect(server: SmtpServer, patience: Patience, tls: ssl.SSLContext) -> socket.socket:
    plain = socket.create_connection((server.host, server.port), patience.connect)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if server.tls is not Tls.FROM_THE_START:
        return plain
    return tls.wrap_socket(plain, server_hostname=server.host)  # closes it when it fails


def _own_name() -> str:
    """The name to say hello with: smtplib would look it up in the DNS, which may hang."""
    name = socket.gethostname()
    return name if "." in name else "[127.0.0.1]"


class _PatientClient(smtplib.SMTP):
    """Reads each reply under one deadline, however slowly it trickles."""

    def __init__(self, sock: socket.socket, patience: Patience) -> None:
        super().__init__(local_hostname=_own_name())
        self.sock = sock
        self._patience = patience
        self._unread = b""
        self.start_over()

    def start_over(self) -> None:
        """A new hand-over begins."""
        self._over_at = boot_seconds() + self._patience.hand_over

    def sign_in(self, server: SmtpServer, tls: ssl.SSLContext) -> None:
        """Read the greeting, go private, log in; raises SMTPException or OSError."""
        code, text = self.getreply()
        if code != 220:
            raise smtplib.SMTPConnectError(code, text)
        self.ehlo_or_helo_if_needed()
        if server.tls is Tls.STARTTLS:
            self._go_private(server.host, tls)
        if server.user:
            self.login(server.user, server.password)

    def getreply(self) -> tuple[int, bytes]:
        """One whole reply and its text; raises OSError when it does not come in time."""
        return self._reply_by(min(boot_seconds() + self._patience.command, self._over_at))

    def final_reply(self) -> tuple[int, bytes]:
        """The reply after the final dot, for which it is right to wait long."""
        return self._reply_by(boot_seconds() + self._patience.final)

    def _reply_by(self, ends_at: float) -> tuple[int, bytes]:
        lines: list[bytes] = []
        while not lines or lines[-1][3:4] == b"-":
            lines.append(self._line(ends_at))
            if not _CODE.match(lines[-1]) or sum(map(len, lines)) > MAX_REPLY_OCTETS:
                return NOT_A_REPLY, b""
        return int(lines[-1][:3]), b"\n".join(line[4:].strip() for line in lines)

    def _go_private(self, host: str, tls: ssl.SSLContext) -> None:
        if not self.has_extn("starttls"):
            raise smtplib.SMTPNotSupportedError("the server offers no STARTTLS")
        code, text = self.docmd("STARTTLS")
        if code != 220 or self.sock is None:
            raise smtplib.SMTPResponseException(code, text)
        self.sock = tls.wrap_socket(self.sock, server_hostname=host)
        self._unread = b""  # said in the clear, perhaps by somebody in between
        code, text = self.ehlo()
        if code // 100 != 2:
            raise smtplib.SMTPHeloError(code, text)

    def _line(self, ends_at: float) -> bytes:
        while b"\n" not in self._unread:
            self._unread += self._receive(ends_at)
        line, _, self._unread = self._unread.partition(b"\n")
        return line + b"\n"

    def _receive(self, ends_at: float) -> bytes:
        if self.sock is None or len(self._unread) > MAX_REPLY_OCTETS:
            raise smtplib.SMTPServerDisconnected("the connection is unusable")
        left = ends_at - boot_seconds()
        if left <= 0:
            raise TimeoutError("the reply did not come in time")
        self.sock.settimeout(left)
        octets = self.sock.recv(4096)
        self.sock.settimeout(self._patience.command)
        if not octets:
            raise smtplib.SMTPServerDisconnected("the connection was closed")
        return octets
