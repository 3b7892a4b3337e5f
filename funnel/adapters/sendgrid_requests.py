"""The requests of SendGrid's mail/send: a mail alone, or many of one form in one request.

In a batch every reader has a personalization of their own with exactly one address, so nobody
sees another; the words are shared, with a tag at each reader's own places.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from funnel.adapters.mime import reader_headers, shared_headers
from funnel.adapters.sendgrid_tags import TAG_CHARACTERS, cut_alike, takes_tags
from funnel.domain.ports import MailForm, OutgoingEmail

MAX_READERS = 1000
MAX_REQUEST_OCTETS = 30 * 1024 * 1024
MAX_SUBSTITUTION_OCTETS = 10_000
_OFF = {"enable": False}
_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True)
class SendRequest:
    """Mails that share all but their readers' own words, to go in one request."""

    emails: tuple[OutgoingEmail, ...]

    @cached_property
    def body(self) -> bytes:
        """The body of the request, JSON in UTF-8."""
        first = self.emails[0]
        if len(self.emails) == 1 or first.form is None:
            return _dumps(payload(first)).encode()
        return _dumps(_batch(self.emails, first.form)).encode()

    @property
    def is_too_large(self) -> bool:
        """Whether SendGrid would refuse it for its size alone."""
        return len(self.body) > MAX_REQUEST_OCTETS

    def halves(self) -> "tuple[SendRequest, SendRequest]":
        """The same mails in two requests."""
        middle = len(self.emails) // 2
        return SendRequest(self.emails[:middle]), SendRequest(self.emails[middle:])


def requests_for(emails: Sequence[OutgoingEmail]) -> list[SendRequest]:
    """The fewest requests that carry these checked mails, each in exactly one of them."""
    groups: dict[object, list[OutgoingEmail]] = {}
    for email in emails:
        key = _common(email) if _may_share(email) else email.message_id
        groups.setdefault(key, []).append(email)
    return [
        SendRequest(tuple(group[start : start + MAX_READERS]))
        for group in groups.values()
        for start in range(0, len(group), MAX_READERS)
    ]


def _batch(emails: tuple[OutgoingEmail, ...], form: MailForm) -> dict[str, object]:
    cuts = cut_alike([email.values for email in emails])
    subject, text, html = (
        "".join(piece if isinstance(piece, str) else cuts.shared[piece] for piece in part)
        for part in (form.subject, form.text, form.html)
    )
    readers = [
        {**_envelope(email), "substitutions": own}
        for email, own in zip(emails, cuts.own, strict=True)
    ]
    return {"personalizations": readers, **_shared(emails[0], subject, text, html)}


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

    SendGrid keeps categories for long: they say which mail it is and why it is sent, no more.
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
        "categories": _categories(email),
        "tracking_settings": {
            "click_tracking": {"enable": False, "enable_text": False},
            "open_tracking": _OFF,
            "subscription_tracking": _OFF,
            "ganalytics": _OFF,
        },
        "mail_settings": {"footer": _OFF, "sandbox_mode": _OFF},
    }


def _categories(email: OutgoingEmail) -> list[str]:
    return [email.label, email.mail_class.value] if email.label else [email.mail_class.value]


def _envelope(email: OutgoingEmail) -> dict[str, object]:
    # Nothing that matters relies on how SendGrid merges these headers with the shared ones: the
    # pair for leaving and the Message-ID stand here.
    return {
        "to": [{"email": email.to_address}],
        "custom_args": {"send_id": str(email.message_id)},
        "headers": dict(reader_headers(email)),
    }


def _common(email: OutgoingEmail) -> object:
    return (
        email.form,
        email.mail_class,
        email.from_name,
        email.from_address,
        email.reply_to,
        email.label,
        email.list_unsubscribe_url is None,
    )


def _may_share(email: OutgoingEmail) -> bool:
    """Whether this reader's words can be put in by tags, within what one reader may take up."""
    if email.form is None or not takes_tags(email.form, email.values):
        return False
    characters = sum(map(len, email.values)) + len(email.values) * TAG_CHARACTERS
    if characters * 4 <= MAX_SUBSTITUTION_OCTETS:  # at most four octets each
        return True
    octets = sum(len(value.encode()) + TAG_CHARACTERS for value in email.values)
    return octets <= MAX_SUBSTITUTION_OCTETS
