"""The fake SMTP server of a run: small, patient, and faulty when told to."""

import asyncio
import random
import time
from contextlib import suppress
from typing import Self

from tests.chaos.history import History
from tests.chaos.loops import LoopThread
from tests.chaos.mail import mail_of_bytes
from tests.chaos.provider import Listener, Witness, note_accept

SHARE = 0.7  # of the mails that a mood strikes
TARPIT_SECONDS = 2.0
TOO_LATE_SECONDS = 3.3  # just over what the product waits for the last reply

MOODS = (
    "greylisting",
    "451 at the end",
    "drop before the dot",
    "drop after the final dot",
    "accepted, answered too late",
    "tarpit",
    "421 greeting",
    "550 policy later fine",
)


class SmtpSink:
    """`with SmtpSink(...) as sink: sink.feel("greylisting")`."""

    def __init__(self, seed: int, history: History, witness: Witness, listener: Listener) -> None:
        self.mood_name = ""
        self._history, self._witness, self._listener = history, witness, listener
        self._draw = random.Random(f"{seed}:smtp")

    def __enter__(self) -> Self:
        self._thread = LoopThread("smtp")
        self._server = self._thread.do(self._listen())
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.close(self._server)

    def feel(self, name: str) -> None:
        """Take on a mood; an empty name ends it."""
        self.mood_name = name

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0)

    def _strikes(self, mood: str) -> bool:
        return self.mood_name == mood and self._draw.random() < SHARE

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                await _Talk(self, reader, writer).go()
        finally:
            writer.transport.abort()

    async def take(self, content: bytes, recipient: str, arrived: float) -> None:
        """Accept a mail: look for its intent, write it down, tell whoever listens."""
        mail = mail_of_bytes(content, recipient)
        intended = await asyncio.to_thread(self._witness, [mail.message_id])
        note_accept(self._history, mail, arrived, intended, mood=self.mood_name)
        self._listener(mail)


class _Talk:
    """One connection."""

    def __init__(
        self, sink: SmtpSink, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._sink, self._reader, self._writer = sink, reader, writer
        self._recipient = ""
        self._arrived = 0.0

    async def go(self) -> None:
        if self._sink._strikes("421 greeting"):
            await self._say("421 4.3.2 busy")
            return
        await self._say("220 sink")
        while line := await self._reader.readline():
            verb = line[:4].upper().decode("ascii", "replace").strip()
            if verb == "QUIT":
                return
            if not await self._obey(verb, line):
                return

    async def _obey(self, verb: str, line: bytes) -> bool:
        """Answer one command; False when the connection is over."""
        if self._sink._strikes("tarpit"):
            await asyncio.sleep(TARPIT_SECONDS)
        if verb == "EHLO":
            await self._say("250-sink\r\n250-PIPELINING\r\n250 8BITMIME")
        elif verb == "RCPT":
            await self._receive(line)
        elif verb == "DATA":
            return await self._data()
        else:
            self._arrived = time.time()
            await self._say("250 OK")
        return True

    async def _receive(self, line: bytes) -> None:
        self._recipient = line.partition(b"<")[2].partition(b">")[0].decode()
        is_grey = self._sink._strikes("greylisting")
        if is_grey:
            self._recipient = ""
        await self._say("451 4.7.1 come back later" if is_grey else "250 OK")

    async def _data(self) -> bool:
        if not self._recipient:
            await self._say("503 no recipient")
            return True
        await self._say("354 go on")
        if self._sink._strikes("drop before the dot"):
            return False
        raw = await self._reader.readuntil(b"\r\n.\r\n")
        content = raw[:-3].replace(b"\r\n..", b"\r\n.")
        return await self._finish(content)

    async def _finish(self, content: bytes) -> bool:
        sink, recipient, arrived = self._sink, self._recipient, self._arrived
        self._recipient = ""
        if sink._strikes("451 at the end"):
            await self._say("451 4.3.0 try again")
            return True
        if sink._strikes("550 policy later fine"):
            await self._say("450 4.7.0 policy")
            return True
        is_late = sink._strikes("accepted, answered too late")
        is_cut = sink._strikes("drop after the final dot")
        await sink.take(content, recipient, arrived)
        if is_late:
            await asyncio.sleep(TOO_LATE_SECONDS)
        if is_cut:
            return False
        await self._say("250 2.0.0 taken")
        return True

    async def _say(self, reply: str) -> None:
        self._writer.write(f"{reply}\r\n".encode())
        await self._writer.drain()
