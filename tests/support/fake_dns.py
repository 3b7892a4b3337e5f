"""A name server on loopback, over UDP and TCP, right or wrong as a test likes.

with FakeDns() as dns:
    dns.add("example.org", "TXT", '"v=spf1 include:_spf.example.net ~all"')
    dns.manners["slow.example.org"] = Manner.SILENT
    DnsResolver(dns.server).look_up("example.org", RecordKind.TXT)
"""

import socketserver
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from enum import Enum, auto
from types import TracebackType
from typing import Any, Self

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

TTL = 60
MOST_ALIASES = 8


class Manner(Enum):
    """How the server treats questions about a name."""

    WELL = auto()
    SILENT = auto()
    SERVFAIL = auto()
    LAME = auto()  # it was named as the server of a zone of which it knows nothing
    TRUNCATED = auto()  # over UDP only a part; the whole over TCP
    GARBAGE = auto()


@dataclass
class FakeDns:
    """`zone` holds by name and kind what is there; `asked` is every question, in order."""

    zone: dict[str, dict[str, list[str]]] = field(default_factory=lambda: defaultdict(dict))
    manners: dict[str, Manner] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._udp, self._tcp = _two_servers(self)
        self._threads = [
            threading.Thread(target=each.serve_forever, args=(0.02,))
            for each in (self._udp, self._tcp)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for server in (self._udp, self._tcp):
            server.shutdown()
            server.server_close()
        for thread in self._threads:
            thread.join()

    @property
    def server(self) -> str:
        """The address for DNS_SERVER."""
        host, port = self._udp.server_address[:2]
        return f"{host!s}:{port}"

    def add(self, name: str, kind: str, *values: str) -> None:
        """Put records under a name, each as a zone file writes it."""
        self.zone[name.lower()].setdefault(kind, []).extend(values)

    def text(self, name: str, *values: str) -> None:
        """Put texts under a name, cut into strings of at most 255 octets as they must be."""
        self.add(name, "TXT", *(_quoted(value) for value in values))

    def answer(self, wire: bytes, way: str) -> bytes | None:
        """The answer to a question, as octets; None for none at all."""
        query = dns.message.from_wire(wire)
        (question,) = query.question
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind, way))
        manner = self.manners.get(name, Manner.WELL)
        if manner is Manner.SILENT:
            return None
        if manner is Manner.GARBAGE:
            return wire[:2] + b"\x81\x80 not a message"
        response = dns.message.make_response(query)
        if manner in {Manner.SERVFAIL, Manner.LAME}:
            is_lame = manner is Manner.LAME
            response.set_rcode(dns.rcode.REFUSED if is_lame else dns.rcode.SERVFAIL)
        elif manner is Manner.TRUNCATED and way == "udp":
            response.flags |= dns.flags.TC
        else:
            self._fill(response, name, kind)
        return response.to_wire(max_size=65_535)

    def _fill(self, response: dns.message.Message, name: str, kind: str) -> None:
        for _ in range(MOST_ALIASES):
            there = self.zone.get(name)
            if there is None:
                response.set_rcode(dns.rcode.NXDOMAIN)
                return
            found = there.get(kind) or there.get("CNAME", [])
            is_alias = kind not in there and "CNAME" in there
            if found:
                as_kind = "CNAME" if is_alias else kind
                response.answer.append(_rrset(name, as_kind, found))
            if not is_alias:
                return
            name = found[0].rstrip(".").lower()


def _rrset(name: str, kind: str, values: list[str]) -> dns.rrset.RRset:
    return dns.rrset.from_text_list(dns.name.from_text(name), TTL, "IN", kind, values)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return " ".join(f'"{escaped[at : at + 255]}"' for at in range(0, len(escaped), 255)) or '""'


class _Udp(socketserver.ThreadingUDPServer):
    daemon_threads = True
    fake: FakeDns


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    fake: FakeDns


class _UdpHandler(socketserver.BaseRequestHandler):
    server: _Udp

    def handle(self) -> None:
        wire, sock = self.request
        answer = self.server.fake.answer(wire, "udp")
        if answer is not None:
            sock.sendto(answer, self.client_address)


class _TcpHandler(socketserver.StreamRequestHandler):
    server: _Tcp

    def handle(self) -> None:
        length = int.from_bytes(self.rfile.read(2), "big")
        answer = self.server.fake.answer(self.rfile.read(length), "tcp")
        if answer is not None:
            self.wfile.write(len(answer).to_bytes(2, "big") + answer)


def _two_servers(fake: FakeDns) -> tuple[Any, Any]:
    """UDP and TCP on one port of loopback."""
    while True:
        udp = _Udp(("127.0.0.1", 0), _UdpHandler)
        try:
            tcp = _Tcp(udp.server_address[:2], _TcpHandler)
        except OSError:  # somebody else has that port on TCP
            udp.server_close()
            continue
        udp.fake = tcp.fake = fake
        return udp, tcp
