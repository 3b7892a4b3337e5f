"""The headers of a mail, byte by byte, as they leave over SMTP and as SendGrid is given them."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from email.header import decode_header, make_header
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import UUID

from funnel.adapters.mime import MAX_LINE_OCTETS
from funnel.adapters.sendgrid_requests import payload, requests_for
from funnel.content.claims import HEALTH
from funnel.domain.ports import OutgoingEmail
from tests.mails.post import SITE, Mail
from tests.support.fake_sendgrid_rules import problems_of

EVERY = (
    *("From", "To", "Reply-To", "Subject", "Date", "Auto-Submitted", "Feedback-ID", "Message-ID"),
    *("MIME-Version", "Content-Type"),
)
SERIES_ONLY = ("List-Id", "List-Unsubscribe", "List-Unsubscribe-Post")
# What neither server nor program may do to a header that a DKIM signature covers.
OWN = ("Auto-Submitted", "Feedback-ID", "Message-ID", *SERIES_ONLY)
_MESSAGE_ID = r"<[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}@([\w.-]+)>"
_DATE = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} \+0000"
_LEAVE = rf"<{re.escape(SITE)}/unsubscribe/[\w-]{{22}}\.[\w-]{{43}}>"
_ENCODED = re.compile(r"=\?utf-8\?B\?[A-Za-z0-9+/]+=*\?=")


def problems(mail: Mail) -> tuple[str, ...]:
    """What is wrong with its headers, on either way."""
    head = mail.content.partition(b"\r\n\r\n")[0].decode("ascii")
    own = {name: value for name, value in _fields(head) if name in OWN}
    return (
        *_names(mail, head),
        *_lines(head),
        *_values(mail, own),
        *_people(mail, head),
        *_to_sendgrid(mail.email, own),
    )


def _fields(head: str) -> list[tuple[str, str]]:
    """Name and value of each header, in order, folded as it was."""
    lines = re.split(r"\r\n(?! )", head)
    return [(line.partition(": ")[0], line.partition(": ")[2]) for line in lines]


def _names(mail: Mail, head: str) -> Iterator[str]:
    there = sorted(name for name, _ in _fields(head))
    expected = sorted((*EVERY, *(SERIES_ONLY if mail.is_series else ())))
    if there != expected:
        yield f"its headers are {', '.join(there)}"


def _lines(head: str) -> Iterator[str]:
    for line in head.split("\r\n"):
        if len(line) > MAX_LINE_OCTETS:
            yield f"a line has {len(line)} octets: {line[:40]}"
    for name, value in _fields(head):
        if name in OWN and "\r\n" in value:
            yield f"{name} is folded"
        if name in OWN and HEALTH.search(value.replace("-", " ")):
            yield f"{name} tells of health"


def _values(mail: Mail, own: dict[str, str]) -> Iterator[str]:
    domain = mail.email.from_address.rpartition("@")[2]
    forms = {
        "Auto-Submitted": "auto-generated",
        # Google wants a sender's id of 5 to 15 letters at the end, always the same.
        "Feedback-ID": rf"{mail.email.mail_class}:{re.escape(domain)}:email:funnel",
        "Message-ID": _MESSAGE_ID,
        "List-Id": rf"<series\.{re.escape(domain)}>",
        "List-Unsubscribe": _LEAVE,
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    for name, value in own.items():
        if not re.fullmatch(forms[name], value):
            yield f"{name} is '{value}'"
    if own.get("Message-ID", "").rpartition("@")[2] != f"{domain}>":
        yield "the Message-ID is not on the domain that it comes from"
    if own.get("List-Unsubscribe", "").strip("<>") not in mail.arrived.text:
        yield "the link to leave is not the one in the text"


def _people(mail: Mail, head: str) -> Iterator[str]:
    fields = dict(_fields(head))
    if not re.fullmatch(_DATE, fields["Date"]):
        yield f"Date is '{fields['Date']}'"
    written = mail.email.created_at.astimezone(UTC).replace(microsecond=0)
    if parsedate_to_datetime(fields["Date"]) != written:
        yield "the date is not when it was written"
    if fields["To"] != mail.email.to_address or fields["Reply-To"] != mail.email.reply_to:
        yield "it goes to, or is answered to, somebody else"
    for name, meant in (("Subject", mail.email.subject), ("From", _from(mail.email))):
        yield from _as_meant(name, fields[name], meant)


def _from(email: OutgoingEmail) -> str:
    return f"{email.from_name} <{email.from_address}>"


def _as_meant(name: str, raw: str, meant: str) -> Iterator[str]:
    """Plain where it can be, in encoded words where it must be, and read back as it was meant."""
    words = raw.replace("\r\n", "")
    if str(make_header(decode_header(words))).replace('"', "") != meant:
        yield f"{name} is read as something else"
    if meant.isascii() and "=?" in raw:
        yield f"{name} is encoded without need"
    if any(len(word) > 75 for word in _ENCODED.findall(raw)):
        yield f"{name} holds an encoded word that is too long"


def _to_sendgrid(email: OutgoingEmail, own: dict[str, str]) -> Iterator[str]:
    """The same headers in a request for one reader and in one for several."""
    other = replace(email, message_id=UUID(int=7), to_address="ben@example.org")
    alone: Any = payload(email)
    (together,) = [request.body for request in requests_for([email, other])]
    for body in (alone, json.loads(together)):
        yield from problems_of(body)
        first = body["personalizations"][0]
        if {**body["headers"], **first["headers"]} != own:
            yield "SendGrid is given other headers"
        if body["subject"] != email.subject or body["from"]["email"] != email.from_address:
            yield "SendGrid is given another subject or sender"
