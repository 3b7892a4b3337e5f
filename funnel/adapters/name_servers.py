"""Asks the domain name system, over UDP and, where an answer is too long for it, over TCP."""

import re

from dns.exception import DNSException
from dns.name import Name, from_text
from dns.rdata import Rdata
from dns.rdtypes.ANY.CNAME import CNAME
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.TXT import TXT
from dns.resolver import NXDOMAIN, NoAnswer, NoResolverConfiguration, Resolver

from funnel.domain.errors import SettingInvalid
from funnel.domain.names import UNANSWERED, Lookup, RecordKind

LOOKUP_SECONDS = 3.0
DNS_PORT = 53
_PLACE = re.compile(r"(?:\[(?P<six>[^]]+)\]|(?P<four>[0-9.]+))(?::(?P<port>[0-9]{1,5}))?")


class DnsResolver:
    """Looks names up, each within three seconds; aliases are followed. Safe to share by threads.

    `server` is "address" or "address:port"; without one the machine's own servers are asked.
    Raises SettingInvalid for what cannot be one.
    """

    def __init__(self, server: str = "", *, seconds: float = LOOKUP_SECONDS) -> None:
        self._resolver = _resolver(server)
        if self._resolver is not None:
            self._resolver.timeout = self._resolver.lifetime = seconds

    def look_up(self, name: str, kind: RecordKind) -> Lookup:
        if self._resolver is None:
            return UNANSWERED
        try:
            answer = self._resolver.resolve(_name(name), kind, search=False)
        except (NXDOMAIN, NoAnswer):
            return Lookup()
        except (DNSException, OSError):  # too slow, out of order, no such name can be
            return UNANSWERED
        return Lookup(tuple(_value(record) for record in answer))


def _resolver(server: str) -> Resolver | None:
    """None on a machine that knows no server: then nothing can be told."""
    if not server:
        try:
            return Resolver()
        except NoResolverConfiguration:
            return None
    place = _PLACE.fullmatch(server)
    resolver = Resolver(configure=False)
    try:
        resolver.nameservers = [(place and (place["six"] or place["four"])) or server]
        resolver.port = int((place and place["port"]) or DNS_PORT)
    except ValueError as error:
        raise SettingInvalid("DNS_SERVER is no address, such as 9.9.9.9 or [::1]:53.") from error
    return resolver


def _name(text: str) -> Name:
    return from_text(text.rstrip(".") + ".")


def _value(record: Rdata) -> str:
    match record:
        case TXT(strings=strings):
            return b"".join(strings).decode("utf-8", "replace")
        case CNAME(target=target):
            return _host(target)
        case MX(preference=preference, exchange=exchange):
            return f"{preference} {_host(exchange)}"
        case _:
            return record.to_text()


def _host(name: Name) -> str:
    """Without the last dot; the root itself, which stands for "none", stays a dot."""
    return name.to_text(omit_final_dot=True).lower()
