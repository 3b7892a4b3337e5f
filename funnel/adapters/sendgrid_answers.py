"""What SendGrid's answer to a request means for every mail in it."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from funnel.adapters.sendgrid_api import Answer, read_date
from funnel.domain.ports import Outcome, OutgoingEmail, SendResult

MAX_THROTTLE = timedelta(hours=1)  # a nonsense reset time must not stop the mail for good
REFUSED = frozenset({400, 413})

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


def judge(emails: Sequence[OutgoingEmail], answer: Answer, now: datetime) -> list[SendResult]:
    """One result for each email of the request, in order: they share one fate."""
    unexpected = (Outcome.AMBIGUOUS, f"SendGrid gave an unexpected answer ({answer.status}).")
    outcome, why = _BY_STATUS.get(answer.status, unexpected)
    is_accepted = outcome is Outcome.ACCEPTED
    provider_id = answer.headers.get("x-message-id") or None if is_accepted else None
    is_throttled = outcome is Outcome.NOT_SENT_THROTTLED
    retry_at = _retry_at(answer.headers, now) if is_throttled else None
    if outcome is Outcome.REFUSED:
        why = f"{why}{_field_at_fault(answer.body)}."
    return [
        SendResult(email.message_id, outcome, why, provider_id, answer.status, retry_at)
        for email in emails
    ]


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
    return read_date(text)
