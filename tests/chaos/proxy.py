"""A fault proxy: TCP links between the product and its servers that can be made bad."""

import asyncio
import random
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

from tests.chaos.loops import LoopThread

CHUNK = 65_536
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass
class Link:
    """One link. The fields may be changed from any thread and count from the next bytes on.

    `latency` is the longest delay of a chunk in seconds, drawn anew each time; `is_silent` keeps
    connections open and swallows what comes (half-open); `is_refusing` cuts new connections.
    """

    target: int
    latency: float = 0.0
    is_silent: bool = False
    is_refusing: bool = False
    cut_after: int | None = None  # bytes from the product until the connection is cut
    port: int = 0
    writers: set[asyncio.StreamWriter] = field(default_factory=set, repr=False)

    def heal(self) -> None:
        """Back to a good link."""
        self.latency, self.is_silent, self.is_refusing, self.cut_after = 0.0, False, False, None


class Proxy:
    """`with Proxy() as proxy: link = proxy.add(port)`; the product then talks to `link.port`."""

    def __enter__(self) -> Self:
        self._thread = LoopThread("proxy")
        self._servers: list[asyncio.Server] = []
        self._links: list[Link] = []
        self._draw = random.Random(0)
        return self

    def __exit__(self, *_: object) -> None:
        for link in self._links:
            self.reset(link)
        self._thread.close(*self._servers)

    def add(self, target: int) -> Link:
        """A link to a port of this machine."""
        link = Link(target)
        self._links.append(link)
        self._servers.append(self._thread.do(self._listen(link)))
        return link

    def reset(self, link: Link) -> None:
        """Cut every connection of a link with a reset."""
        self._thread.loop.call_soon_threadsafe(_reset_all, link)

    async def _listen(self, link: Link) -> asyncio.Server:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._serve(link, reader, writer)

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        link.port = server.sockets[0].getsockname()[1]
        return server

    async def _serve(
        self, link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if link.is_refusing:
            _reset(writer)
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", link.target)
        except OSError:
            _reset(writer)
            return
        both = {writer, far_writer}
        link.writers |= both
        try:
            await asyncio.gather(
                self._pump(link, reader, far_writer, writer, is_ours=True),
                self._pump(link, far_reader, writer, far_writer, is_ours=False),
            )
        finally:
            link.writers -= both
            for each in both:
                each.close()

    async def _pump(
        self,
        link: Link,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        back: asyncio.StreamWriter,
        *,
        is_ours: bool,
    ) -> None:
        try:
            while octets := await reader.read(CHUNK):
                if link.latency:
                    await asyncio.sleep(self._draw.random() * link.latency)
                if link.is_silent:
                    continue
                if is_ours and link.cut_after is not None:
                    writer.write(octets[: link.cut_after])
                    link.cut_after = None
                    raise ConnectionResetError("cut by the proxy")
                writer.write(octets)
                await writer.drain()
            writer.close()
        except OSError:
            for each in (writer, back):
                _reset(each)


def _reset_all(link: Link) -> None:
    for writer in list(link.writers):
        _reset(writer)


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    with suppress(OSError):
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    writer.transport.abort()
