"""A mail server on loopback that follows the protocol but for the slips it is told to make.

It answers in one piece, octet by octet, or late and all at once, and keeps what it was given for
whom, even where it had refused the reader.
"""

import select
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Self

DROP = ""  # instead of a reply: the connection ends
HANG = "..."  # instead of a reply: nothing, until the server is told to let go


class Manner(StrEnum):
    """How replies travel."""

    WHOLE = "whole"
    OCTETS = "octets"
    LATE = "late"


@dataclass(frozen=True)
class Slip:
    """What a transaction answers instead, by the word that asked; "." is the whole mail.

    `keeps` keeps the mail, whatever the sender is told about it.
    """

    replies: Mapping[str, str]
    keeps: bool = False


@dataclass(frozen=True)
class Given:
    """A mail as it was given: for whom, whether they were refused, and the octets."""

    recipient: str
    was_refused: bool
    content: bytes


@dataclass
class ScriptedSmtp:
    """`with ScriptedSmtp({2: Slip({"RCPT": "550 no"})}) as server:`; transactions count from 1."""

    slips: Mapping[int, Slip]
    manner: Manner = Manner.WHOLE
    is_pipelining: bool = True
    delay: float = 0.0  # seconds before each answer
    given: list[Given] = field(default_factory=list)
    transactions: int = 0
    connections: int = 0
    let_go: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._callers: list[tuple[threading.Thread, socket.socket]] = []
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.let_go.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        for thread, _ in self._callers:
            thread.join()

    def url(self, connections: int = 1) -> str:
        """The MAIL_URL of this server."""
        return f"smtp://localhost:{self._listener.getsockname()[1]}?connections={connections}"

    def begin(self) -> Slip:
        """Count a transaction; what it does wrong."""
        with self._lock:
            self.transactions += 1
            return self.slips.get(self.transactions, Slip({}))

    def _listen(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=_Conversation(self, caller).hold)
            self._callers.append((thread, caller))
            thread.start()


class _Ended(Exception):
    """The connection is over."""


class _Conversation:
    def __init__(self, server: ScriptedSmtp, caller: socket.socket) -> None:
        self._server = server
        self._caller = caller
        self._heard = b""
        self._unsaid = b""
        self._slip = Slip({})
        self._recipient = ""
        self._was_refused = False

    def hold(self) -> None:
        """Talk until one side has had enough."""
        with self._caller:
            try:
                self._say("220 hello")
                while self._obey(self._line()):
                    pass
            except (_Ended, OSError):
                return

    def _obey(self, line: bytes) -> bool:
        word = line[:4].decode().upper()
        if word == "EHLO":
            more = "250-hello\r\n250 PIPELINING" if self._server.is_pipelining else "250 hello"
            self._say(more)
        elif word == "QUIT":
            self._say("221 bye")
            self._flush()
            return False
        elif word == "MAIL":
            self._slip, self._recipient, self._was_refused = self._server.begin(), "", False
            self._reply("MAIL", "250 ok")
        elif word == "RCPT":
            self._recipient = line.decode().partition("<")[2].partition(">")[0]
            self._was_refused = not self._reply("RCPT", "250 ok").startswith("2")
        else:
            self._content(self._reply("DATA", "503 who?" if self._was_refused else "354 go"))
        return True

    def _content(self, reply: str) -> None:
        if not reply.startswith("3"):
            return
        if "half" in self._slip.replies:
            self._read_until(b"\r\n\r\n")
            raise _Ended
        content = self._read_until(b"\r\n.\r\n").replace(b"\r\n..", b"\r\n.")
        final = self._slip.replies.get(".", "250 taken")
        if final.startswith("2") or self._slip.keeps:
            self._server.given.append(Given(self._recipient, self._was_refused, content))
        self._reply(".", "250 taken")

    def _reply(self, word: str, usual: str) -> str:
        reply = self._slip.replies.get(word, usual)
        if reply in {DROP, HANG}:
            self._flush()
            if reply == HANG:
                self._server.let_go.wait()
            raise _Ended
        self._say(reply)
        return reply

    def _say(self, reply: str) -> None:
        self._unsaid += f"{reply}\r\n".encode()
        if self._server.manner is not Manner.LATE:
            self._flush()

    def _flush(self) -> None:
        if self._server.delay:
            threading.Event().wait(self._server.delay)
        step = 1 if self._server.manner is Manner.OCTETS else len(self._unsaid) or 1
        for start in range(0, len(self._unsaid), step):
            self._caller.sendall(self._unsaid[start : start + step])
        self._unsaid = b""

    def _line(self) -> bytes:
        return self._read_until(b"\r\n")

    def _read_until(self, end: bytes) -> bytes:
        while end not in self._heard:
            if self._unsaid and not select.select([self._caller], [], [], 0.002)[0]:
                self._flush()
            octets = self._caller.recv(65536)
            if not octets:
                raise _Ended
            self._heard += octets
        found, _, self._heard = self._heard.partition(end)
        return found + end
