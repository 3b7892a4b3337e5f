"""Where a mail server is and how to sign in, read from MAIL_URL."""

from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from funnel.domain.errors import SettingInvalid

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Tls(StrEnum):
    """How the connection is made private."""

    NONE = "none"
    STARTTLS = "starttls"
    FROM_THE_START = "from_the_start"


DEFAULT_CONNECTIONS = 2
MAX_CONNECTIONS = 20
DEFAULT_PORTS = {Tls.NONE: 25, Tls.STARTTLS: 587, Tls.FROM_THE_START: 465}


@dataclass(frozen=True)
class SmtpServer:
    """A mail server; the password stays out of its repr. At most so many connections are open
    at once."""

    host: str
    port: int
    tls: Tls
    user: str = ""
    password: str = field(default="", repr=False)
    connections: int = DEFAULT_CONNECTIONS


def read_smtp_url(url: str) -> SmtpServer:
    """Read `smtp://user:password@host:port?starttls=1` or `smtps://...`; raises SettingInvalid.

    `connections=4` says how many to keep, of at most 20. User and password are
    percent-encoded. A password never goes over a bare connection to another machine.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise SettingInvalid("MAIL_URL cannot be read.") from None
    tls = _read_tls(parts)
    server = SmtpServer(
        host=_read_host(parts),
        port=_read_port(parts) or DEFAULT_PORTS[tls],
        tls=tls,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        connections=_read_connections(parts),
    )
    if server.user and tls is Tls.NONE and server.host not in LOOPBACK:
        raise SettingInvalid("MAIL_URL would send the password in the clear: add ?starttls=1.")
    if not (server.user + server.password).isascii():
        raise SettingInvalid("MAIL_URL has a user or password that is not plain ASCII.")
    return server


def _read_tls(parts: SplitResult) -> Tls:
    query = parse_qs(parts.query, keep_blank_values=True)
    if query.keys() - {"starttls", "connections"} or parts.fragment or parts.path.strip("/"):
        raise SettingInvalid(
            "MAIL_URL may say nothing after the mail server but ?starttls=1 and connections=4."
        )
    if parts.scheme == "smtps":
        return Tls.FROM_THE_START
    if parts.scheme != "smtp":
        raise SettingInvalid("MAIL_URL must begin with smtp:// or smtps://.")
    starttls = query.get("starttls", ["0"])[-1]
    if starttls not in {"0", "1"}:
        raise SettingInvalid("In MAIL_URL starttls is 1 or 0.")
    return Tls.STARTTLS if starttls == "1" else Tls.NONE


def _read_connections(parts: SplitResult) -> int:
    text = parse_qs(parts.query).get("connections", [str(DEFAULT_CONNECTIONS)])[-1]
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MAX_CONNECTIONS:
        raise SettingInvalid(f"In MAIL_URL connections is a number from 1 to {MAX_CONNECTIONS}.")
    return int(text)


def _read_host(parts: SplitResult) -> str:
    if not parts.hostname:
        raise SettingInvalid("MAIL_URL names no mail server.")
    return parts.hostname


def _read_port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError:
        raise SettingInvalid("MAIL_URL has a port that is not a number.") from None
