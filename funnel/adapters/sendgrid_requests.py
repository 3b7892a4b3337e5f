"""The requests of SendGrid's mail/send: a mail alone, or many of one form in one request.

In a batch every reader has a personalization of their own with exactly one address, so nobody
sees another; the words are shared, with a tag at each reader's own places.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from funnel.adapters.mime import reader_headers, shared_headers
from funnel.domain.ports import MailForm, OutgoingEmail

MAX_READERS = 1000
MAX_REQUEST_OCTETS = 30 * 1024 * 1024
MAX_SUBSTITUTION_OCTETS = 10_000
TAG_OPENS = "[%"
_OFF = {"enable": False}
_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True)
class SendRequest:
    """Mails that share all but their readers' own words, as the body of one request.

    `readers` are their personalizations as JSON, in the order of the mails; one alone needs none.
    """

    emails: tuple[OutgoingEmail, ...]
    readers: tuple[str, ...]

    @cached_property
    def body(self) -> bytes:
        """The body of the request, JSON in UTF-8."""
        first = self.emails[0]
        if len(self.emails) == 1 or first.form is None:
            return _dumps(payload(first)).encode()
        shared = _dumps(_shared(first, *(_tagged(part) for part in _parts(first.form))))
        return f'{{"personalizations":[{",".join(self.readers)}],{shared[1:]}'.encode()

    @property
    def is_too_large(self) -> bool:
        """Whether SendGrid would refuse it for its size alone."""
        return len(self.body) > MAX_REQUEST_OCTETS

    def halves(self) -> "tuple[SendRequest, SendRequest]":
        """The same mails in two requests."""
        middle = len(self.emails) // 2
        return (
            SendRequest(self.emails[:middle], self.readers[:middle]),
            SendRequest(self.emails[middle:], self.readers[middle:]),
        )


def requests_for(emails: Sequence[OutgoingEmail]) -> list[SendRequest]:
    """The fewest requests that carry these checked mails, each in exactly one of them."""
    groups: dict[object, list[OutgoingEmail]] = {}
    for email in emails:
        key = _common(email) if _may_share(email) else email.message_id
        groups.setdefault(key, []).append(email)
    return [
        _request(group[start : start + MAX_READERS])
        for group in groups.values()
        for start in range(0, len(group), MAX_READERS)
    ]


def _request(emails: list[OutgoingEmail]) -> SendRequest:
    is_alone = len(emails) == 1
    return SendRequest(tuple(emails), () if is_alone else tuple(map(_reader, emails)))


def payload(email: OutgoingEmail) -> dict[str, object]:
    """The body of the request for one checked email to one reader.

    SendGrid stores custom_args for long and in the clear, so the message id is all they hold.
    """
    return {
        "personalizations": [_envelope(email)],
        **_shared(email, email.subject, email.text, email.html),
    }


def _shared(email: OutgoingEmail, subject: str, text: str, html: str) -> dict[str, object]:
    """What one request says for all its readers.

    Everything an account could switch on by default is switched off by name.
    """
    reply_to = {} if email.reply_to is None else {"reply_to": {"email": email.reply_to}}
    return {
        "from": {"email": email.from_address, "name": email.from_name},
        **reply_to,
        "subject": subject,
        "content": [
            {"type": "text/plain", "value": text},
            {"type": "text/html", "value": html},
        ],
        "headers": dict(shared_headers(email)),
        "tracking_settings": {
            "click_tracking": {"enable": False, "enable_text": False},
            "open_tracking": _OFF,
            "subscription_tracking": _OFF,
            "ganalytics": _OFF,
        },
        "mail_settings": {"footer": _OFF, "sandbox_mode": _OFF},
    }


def _envelope(email: OutgoingEmail) -> dict[str, object]:
    # Nothing that matters relies on how SendGrid merges these headers with the shared ones: the
    # pair for leaving and the Message-ID stand here.
    return {
        "to": [{"email": email.to_address}],
        "custom_args": {"send_id": str(email.message_id)},
        "headers": dict(reader_headers(email)),
    }


def _reader(email: OutgoingEmail) -> str:
    return _dumps({**_envelope(email), "substitutions": _substitutions(email)})


def _substitutions(email: OutgoingEmail) -> dict[str, str]:
    return {f"{TAG_OPENS}{at}%]": value for at, value in enumerate(email.values)}


def _tagged(part: tuple[str | int, ...]) -> str:
    return "".join(piece if isinstance(piece, str) else f"{TAG_OPENS}{piece}%]" for piece in part)


def _parts(form: MailForm) -> tuple[tuple[str | int, ...], ...]:
    return form.subject, form.text, form.html


def _common(email: OutgoingEmail) -> object:
    return (
        email.form,
        email.mail_class,
        email.from_name,
        email.from_address,
        email.reply_to,
        email.list_unsubscribe_url is None,
    )


def _may_share(email: OutgoingEmail) -> bool:
    """Whether this reader's words can be put in by tags: no text of theirs looks like one, so
    that every tag is replaced once and nothing else is."""
    if email.form is None:
        return False
    octets = sum(len(value.encode()) + 8 for value in email.values)
    looks_like_a_tag = any(TAG_OPENS in part for part in (email.subject, email.text, email.html))
    return octets <= MAX_SUBSTITUTION_OCTETS and not looks_like_a_tag
