"""SendGrid's API over kept connections: one request, one answer or a plain reason for none."""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpcore

from funnel.adapters.deadline import DeadlineBackend
from funnel.domain.clock import Clock
from funnel.domain.errors import SettingInvalid

MAX_ANSWER_OCTETS = 256 * 1024
MAX_CONNECTIONS = 20  # of all threads that share it
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_KEY = re.compile(r"[!-~]+")
_UNREACHABLE = (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout)
_NO_ANSWER = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError)


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds, for each stage of a request and for all of it.

    `begin` is how long one call to send goes on beginning requests.
    """

    connect: float = 5.0
    read: float = 20.0
    write: float = 10.0
    pool: float = 5.0
    total: float = 30.0
    begin: float = 30.0


@dataclass(frozen=True)
class Answer:
    """An answer; names of headers are in small letters, a long body is cut short."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Unreachable(Exception):
    """No connection: nothing was asked. Holds the name of the cause."""


class AnswerLost(Exception):
    """The request may have arrived, but no answer came. Holds the name of the cause."""


class SendGridApi:
    """Asks over one pool of kept-alive connections; safe to share by threads.

    `last_date_seen` is what SendGrid's clock said at its last answer, and our seconds since the
    start at that moment. Raises SettingInvalid for a key or an address that cannot be one. The key
    appears in no log, no repr and no error.
    """

    def __init__(
        self,
        api_key: str,
        base_url: str,
        *,
        patience: Patience,
        tls: ssl.SSLContext | None,
        clock: Clock,
    ) -> None:
        self.last_date_seen: tuple[datetime, float] | None = None
        self._clock = clock
        self._base = _base_url(base_url)
        self._headers = _request_headers(api_key.strip())
        self._patience = patience
        self._network = DeadlineBackend()
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls,
            max_connections=MAX_CONNECTIONS,
            keepalive_expiry=20.0,
            network_backend=self._network,
        )

    def post(self, path: str, body: bytes, seconds: float) -> Answer:
        """Post JSON; raises Unreachable or AnswerLost, at the latest after `seconds`."""
        return self._ask("POST", path, body, seconds)

    def get(self, path: str, seconds: float) -> Answer:
        """Get what stands at a path, quoted already; raises Unreachable or AnswerLost."""
        return self._ask("GET", path, b"", seconds)

    def close(self) -> None:
        """Close the kept connections; a later request opens new ones."""
        self._pool.close()

    def _ask(self, method: str, path: str, body: bytes, seconds: float) -> Answer:
        try:
            answer = self._exchange(method, path, body, seconds)
        except _UNREACHABLE as error:
            raise Unreachable(type(error).__name__) from error
        except _NO_ANSWER as error:
            raise AnswerLost(type(error).__name__) from error
        theirs = read_date(answer.headers.get("date", ""))
        if theirs is not None:
            self.last_date_seen = (theirs, self._clock.boot_seconds())
        return answer

    def _exchange(self, method: str, path: str, body: bytes, seconds: float) -> Answer:
        limits = self._patience
        timeouts = {
            "connect": limits.connect,
            "read": limits.read,
            "write": limits.write,
            "pool": limits.pool,
        }
        with (
            self._network.within(seconds),
            self._pool.stream(
                method,
                httpcore.URL(f"{self._base}{path}"),
                headers=self._headers,
                content=body,
                extensions={"timeout": timeouts},
            ) as response,
        ):
            content = bytearray()
            for chunk in response.iter_stream():
                content += chunk
                if len(content) > MAX_ANSWER_OCTETS:
                    break
            headers = {
                k.decode("latin-1").lower(): v.decode("latin-1") for k, v in response.headers
            }
            return Answer(response.status, headers, bytes(content))


def _base_url(base_url: str) -> str:
    parts = urlsplit(base_url)
    is_local = parts.scheme == "http" and parts.hostname in LOOPBACK
    if not parts.hostname or not (parts.scheme == "https" or is_local):
        raise SettingInvalid("The address of SendGrid's API must begin with https://.")
    return base_url.rstrip("/")


def _request_headers(api_key: str) -> list[tuple[str, str]]:
    if not _KEY.fullmatch(api_key):
        raise SettingInvalid("The SendGrid API key is empty or holds a space or a strange sign.")
    return [
        ("Authorization", f"Bearer {api_key}"),
        ("Content-Type", "application/json"),
        ("Accept", "application/json"),
        ("User-Agent", "funnel"),
    ]


def read_date(text: str) -> datetime | None:
    """The time in a header; None where there is none."""
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
