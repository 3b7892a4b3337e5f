"""Sends through SendGrid's v3 API: one request a message, nothing tracked, nothing retried."""

import json
import re
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit
from uuid import UUID

import httpcore

from funnel.adapters.clocks import SystemClock
from funnel.adapters.deadline import DeadlineBackend
from funnel.adapters.mime import check, own_headers
from funnel.domain.clock import Clock
from funnel.domain.errors import MailRefused, SettingInvalid
from funnel.domain.ports import Outcome, OutgoingEmail, SendResult

MAX_ANSWER_OCTETS = 64 * 1024
MAX_THROTTLE = timedelta(hours=1)  # a nonsense reset time must not stop the mail for good
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

_KEY = re.compile(r"[!-~]+")
_SECONDS = re.compile(r"[0-9]{1,11}")
_FIELD = re.compile(r"[A-Za-z0-9_.\[\]-]{1,80}")

_BY_STATUS = {
    202: (Outcome.ACCEPTED, "SendGrid accepted it."),
    400: (Outcome.REFUSED, "SendGrid refused it as malformed"),
    413: (Outcome.REFUSED, "SendGrid refused it as too large"),
    401: (Outcome.ACCOUNT_REFUSED, "SendGrid does not know the API key."),
    403: (Outcome.ACCOUNT_REFUSED, "SendGrid does not let this account or sender send."),
    404: (Outcome.ACCOUNT_REFUSED, "SendGrid was not found at the configured address."),
    405: (Outcome.ACCOUNT_REFUSED, "SendGrid was not found at the configured address."),
    415: (Outcome.ACCOUNT_REFUSED, "SendGrid was not found at the configured address."),
    429: (Outcome.NOT_SENT_THROTTLED, "SendGrid asked us to slow down."),
}


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds, for each stage of a request and for all of it."""

    connect: float = 5.0
    read: float = 20.0
    write: float = 10.0
    pool: float = 5.0
    total: float = 30.0


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class SendGridMailer:
    """Hands mails to SendGrid over one pool of kept-alive connections; safe to share by threads.

    Raises SettingInvalid for an API key or address that cannot be one. The key appears in no
    log, no repr and no error.
    """

    name = "sendgrid"
    batch_size = 1
    knows_at_once = False

    def __init__(
        self,
        api_key: str,
        base_url: str = "https://api.sendgrid.com",
        *,
        patience: Patience | None = None,
        tls: ssl.SSLContext | None = None,
        max_connections: int = 20,
        clock: Clock | None = None,
    ) -> None:
        self._url = _mail_send_url(base_url)
        self._headers = _request_headers(api_key.strip())
        self._patience = patience or Patience()
        self.answer_seconds = self._patience.total
        self._clock = clock or SystemClock()
        self._network = DeadlineBackend()
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls,
            max_connections=max_connections,
            keepalive_expiry=20.0,
            network_backend=self._network,
        )

    def send(self, emails: Sequence[OutgoingEmail]) -> list[SendResult]:
        return [self._send(email) for email in emails]

    def was_accepted(self, message_id: UUID, to_address: str, since: datetime) -> None:
        """SendGrid cannot be asked for a message by our id: its events tell, or the time does."""

    def close(self) -> None:
        """Close the kept connections; a later send opens new ones."""
        self._pool.close()

    def _send(self, email: OutgoingEmail) -> SendResult:
        try:
            check(email)
        except MailRefused as refused:
            return SendResult(email.message_id, Outcome.REFUSED, str(refused))
        body = json.dumps(payload(email), ensure_ascii=False, separators=(",", ":")).encode()
        try:
            answer = self._post(body)
        except (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout) as error:
            why = f"SendGrid could not be reached ({type(error).__name__})."
            return SendResult(email.message_id, Outcome.NOT_SENT_RETRY, why)
        except _NO_ANSWER as error:
            why = f"SendGrid's answer was lost ({type(error).__name__})."
            return SendResult(email.message_id, Outcome.AMBIGUOUS, why)
        return _judge(email, answer, self._clock.machine())

    def _post(self, body: bytes) -> _Answer:
        limits = self._patience
        timeouts = {
            "connect": limits.connect,
            "read": limits.read,
            "write": limits.write,
            "pool": limits.pool,
        }
        with (
            self._network.within(limits.total),
            self._pool.stream(
                "POST",
                self._url,
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
            return _Answer(response.status, headers, bytes(content))


_NO_ANSWER = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
)


def payload(email: OutgoingEmail) -> dict[str, object]:
    """The body of the request for one checked email to one reader.

    SendGrid stores custom_args for long and in the clear, so the message id is all they hold.
    Everything an account could switch on by default is switched off by name.
    """
    body: dict[str, object] = {
        "personalizations": [
            {
                "to": [{"email": email.to_address}],
                "custom_args": {"send_id": str(email.message_id)},
            }
        ],
        "from": {"email": email.from_address, "name": email.from_name},
        "subject": email.subject,
        "content": [
            {"type": "text/plain", "value": email.text},
            {"type": "text/html", "value": email.html},
        ],
        "headers": dict(own_headers(email)),
        "tracking_settings": {
            "click_tracking": {"enable": False, "enable_text": False},
            "open_tracking": {"enable": False},
            "subscription_tracking": {"enable": False},
            "ganalytics": {"enable": False},
        },
        "mail_settings": {"footer": {"enable": False}, "sandbox_mode": {"enable": False}},
    }
    if email.reply_to is not None:
        body["reply_to"] = {"email": email.reply_to}
    return body


def _mail_send_url(base_url: str) -> httpcore.URL:
    parts = urlsplit(base_url)
    is_local = parts.scheme == "http" and parts.hostname in LOOPBACK
    if not parts.hostname or not (parts.scheme == "https" or is_local):
        raise SettingInvalid("The address of SendGrid's API must begin with https://.")
    return httpcore.URL(base_url.rstrip("/") + "/v3/mail/send")


def _request_headers(api_key: str) -> list[tuple[str, str]]:
    if not _KEY.fullmatch(api_key):
        raise SettingInvalid("The SendGrid API key is empty or holds a space or a strange sign.")
    return [
        ("Authorization", f"Bearer {api_key}"),
        ("Content-Type", "application/json"),
        ("Accept", "application/json"),
        ("User-Agent", "funnel"),
    ]


def _judge(email: OutgoingEmail, answer: _Answer, now: datetime) -> SendResult:
    unexpected = (Outcome.AMBIGUOUS, f"SendGrid gave an unexpected answer ({answer.status}).")
    outcome, why = _BY_STATUS.get(answer.status, unexpected)
    is_accepted = outcome is Outcome.ACCEPTED
    is_throttled = outcome is Outcome.NOT_SENT_THROTTLED
    return SendResult(
        email.message_id,
        outcome,
        f"{why}{_field_at_fault(answer.body)}." if outcome is Outcome.REFUSED else why,
        provider_id=answer.headers.get("x-message-id") or None if is_accepted else None,
        status_code=answer.status,
        retry_at=_retry_at(answer.headers, now) if is_throttled else None,
    )


def _field_at_fault(body: bytes) -> str:
    """Which part of our request was at fault. The message may quote the reader: it is not kept."""
    try:
        fields = [error["field"] for error in json.loads(body)["errors"]]
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""
    known = [field for field in fields if isinstance(field, str) and _FIELD.fullmatch(field)]
    return f" ({', '.join(known[:3])})" if known else ""


def _retry_at(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """When SendGrid will listen again: the later of its two hints, within an hour from now."""
    hints = [
        hint
        for hint in (
            _from_epoch(headers.get("x-ratelimit-reset", "")),
            _from_retry_after(headers.get("retry-after", ""), now),
        )
        if hint is not None
    ]
    return min(max(now, *hints), now + MAX_THROTTLE) if hints else None


def _from_epoch(text: str) -> datetime | None:
    return datetime.fromtimestamp(int(text), tz=UTC) if _SECONDS.fullmatch(text) else None


def _from_retry_after(text: str, now: datetime) -> datetime | None:
    if _SECONDS.fullmatch(text):
        return now + timedelta(seconds=min(int(text), MAX_THROTTLE.total_seconds()))
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
