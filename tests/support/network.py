"""A fence: no test reaches beyond this machine."""

import ipaddress
import socket
from collections.abc import Callable
from typing import Any

import pytest

LOCAL_NAMES = {"localhost", "0.0.0.0", "::", ""}  # noqa: S104 - names to compare, nothing is bound


class ReachedOutside(AssertionError):
    """A test tried to leave this machine."""


def fence_in(patch: pytest.MonkeyPatch) -> None:
    """Let connections go to loopback and Unix sockets only, and look up no foreign name."""
    for name in ("connect", "connect_ex"):
        patch.setattr(socket.socket, name, _fenced(getattr(socket.socket, name)))
    patch.setattr(socket, "getaddrinfo", _fenced_lookup(socket.getaddrinfo))


def is_local(host: object) -> bool:
    """True for loopback addresses and names of this machine."""
    name = host.decode() if isinstance(host, bytes) else str(host or "")
    if name in LOCAL_NAMES or name == socket.gethostname():
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _fenced(connect: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family != socket.AF_UNIX and not is_local(address[0]):
            raise ReachedOutside(f"This test tried to reach {address}.")
        return connect(self, address)

    return guarded


def _fenced_lookup(look_up: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(host: Any, *args: Any, **kwargs: Any) -> Any:
        if not is_local(host):
            raise ReachedOutside(f"This test tried to look up {host}.")
        return look_up(host, *args, **kwargs)

    return guarded
