"""A network for httpcore in which one whole exchange has a deadline.

httpcore's own limits start anew with every byte, so a server that trickles its answer could hold
a worker for ever.
"""

import ssl
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore

from funnel.adapters.clocks import boot_seconds


class DeadlineBackend(httpcore.NetworkBackend):
    """Cuts every wait of the current thread to what is left of `within(seconds)`."""

    def __init__(self) -> None:
        self._inner = httpcore.SyncBackend()
        self._thread = threading.local()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Everything this thread sends and receives inside has `seconds` in all."""
        self._thread.ends_at = boot_seconds() + seconds
        try:
            yield
        finally:
            del self._thread.ends_at

    def left(self, timeout: float | None, overdue: type[httpcore.TimeoutException]) -> float | None:
        """The shorter of `timeout` and what is left, in seconds; raises `overdue` at the end."""
        ends_at: float | None = getattr(self._thread, "ends_at", None)
        if ends_at is None:
            return timeout
        seconds = ends_at - boot_seconds()
        if seconds <= 0:
            raise overdue("the deadline of the whole exchange has passed")
        return seconds if timeout is None else min(seconds, timeout)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        seconds = self.left(timeout, httpcore.ConnectTimeout)
        stream = self._inner.connect_tcp(host, port, seconds, local_address, socket_options)
        return _DeadlineStream(stream, self)


class _DeadlineStream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, backend: DeadlineBackend) -> None:
        self._inner = inner
        self._backend = backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._backend.left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._backend.left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        seconds = self._backend.left(timeout, httpcore.ConnectTimeout)
        stream = self._inner.start_tls(ssl_context, server_hostname, seconds)
        return _DeadlineStream(stream, self._backend)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
