"""Turns a finished email into the bytes that leave: checked, deterministic, all ASCII."""

import base64
import re
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache

from funnel.adapters.spliced import encode_values, quoted_printable, splice, spliced_form
from funnel.domain.errors import MailRefused
from funnel.domain.ports import MailClass, OutgoingEmail

MAX_LINE_OCTETS = 998  # RFC 5322, without the line break
FOLD_CHARACTERS = 66  # leaves room for the longest header name within 78
MAX_ADDRESS_OCTETS = 254
WORD_OCTETS = 39  # in base64 and its frame this stays below the 75 of RFC 2047

_PART_HEADS = {
    kind: f"Content-Type: {kind}; charset=utf-8\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n".encode()
    for kind in ("text/plain", "text/html")
}
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
_WEB_ADDRESS = re.compile(
    r"(?:https://|http://(?:localhost|127\.0\.0\.1|\[::1\])(?=[:/]))[!#-;=?-~]+"
)
_FOLD_POINT = re.compile(rf"(.{{1,{FOLD_CHARACTERS}}}) (?=[^ ])")
# Controls, line and paragraph separators, direction overrides, halves of a character.
_UNFIT_FOR_HEADERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def check(email: OutgoingEmail) -> None:
    """Refuse an email that may not leave; raises MailRefused naming the part, never its content."""
    for name, value in _header_values(email):
        if _UNFIT_FOR_HEADERS.search(value):
            raise MailRefused(f"The {name} holds a control character.")
    for name, address in _addresses(email):
        if not _ADDRESS.fullmatch(address) or len(address) > MAX_ADDRESS_OCTETS:
            raise MailRefused(f"The {name} is not one plain email address.")
    if email.created_at.tzinfo is None:
        raise MailRefused("The date has no time zone.")
    _check_parts(email)
    _check_unsubscribe(email)


def own_headers(email: OutgoingEmail) -> list[tuple[str, str]]:
    """The headers that say who we are and how to leave: the same for every provider, plain ASCII.

    None holds anything about the reader but the opaque unsubscribe link.
    """
    return [*shared_headers(email), *reader_headers(email)]


def shared_headers(email: OutgoingEmail) -> list[tuple[str, str]]:
    """The part of our own headers that every reader of one mail gets alike."""
    domain = email.from_address.rpartition("@")[2]
    headers = [
        ("Auto-Submitted", "auto-generated"),
        ("Feedback-ID", f"{email.mail_class}:{domain}:email:funnel"),
    ]
    if email.list_unsubscribe_url is not None:
        headers.append(("List-Id", f"<series.{domain}>"))
    return headers


def reader_headers(email: OutgoingEmail) -> list[tuple[str, str]]:
    """The rest of our own headers: one reader's, with the pair for leaving in one click whole."""
    headers = [("Message-ID", email.message_id_header)]
    if email.list_unsubscribe_url is not None:
        headers += [
            ("List-Unsubscribe", f"<{email.list_unsubscribe_url}>"),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ]
    return headers


def build_mime(email: OutgoingEmail) -> bytes:
    """The whole message with CRLF line ends. The same email gives the same bytes, every time.

    Raises MailRefused for what may not leave.
    """
    check(email)
    boundary = f"=_{email.message_id.hex}"  # quoted-printable never holds "=_"
    head = "".join([f"{name}: {value}\r\n" for name, value in _all_headers(email, boundary)])
    if any(len(line) > MAX_LINE_OCTETS for line in head.split("\r\n")):
        raise MailRefused("A header line is too long.")
    text, html = _bodies(email)
    opens = f"--{boundary}\r\n".encode()
    return b"".join(
        [
            *(head.encode("ascii"), b"\r\n"),
            *(opens, _PART_HEADS["text/plain"], text, b"\r\n"),
            *(opens, _PART_HEADS["text/html"], html, b"\r\n"),
            f"--{boundary}--\r\n".encode(),
        ]
    )


def _bodies(email: OutgoingEmail) -> tuple[bytes, bytes]:
    """Both bodies, encoded; what is common to all readers of a form is encoded only once."""
    compiled = None if email.form is None else spliced_form(email.form)
    if compiled is None:
        return quoted_printable(email.text), quoted_printable(email.html)
    values = encode_values(email.values)
    return splice(compiled.text, values), splice(compiled.html, values)


def _all_headers(email: OutgoingEmail, boundary: str) -> list[tuple[str, str]]:
    reply_to = [] if email.reply_to is None else [("Reply-To", email.reply_to)]
    return [
        ("From", _sender(email.from_name, email.from_address)),
        ("To", email.to_address),
        *reply_to,
        ("Subject", _unstructured(email.subject)),
        ("Date", _date(email.created_at)),
        *own_headers(email),
        ("MIME-Version", "1.0"),
        ("Content-Type", f'multipart/alternative;\r\n boundary="{boundary}"'),
    ]


def _header_values(email: OutgoingEmail) -> list[tuple[str, str]]:
    return [
        *_addresses(email),
        ("sender's name", email.from_name),
        ("subject", email.subject),
        ("unsubscribe link", email.list_unsubscribe_url or ""),
    ]


def _addresses(email: OutgoingEmail) -> list[tuple[str, str]]:
    addresses = [("recipient", email.to_address), ("sender's address", email.from_address)]
    if email.reply_to is not None:
        addresses.append(("reply address", email.reply_to))
    return addresses


def _check_parts(email: OutgoingEmail) -> None:
    if email.form is not None and spliced_form(email.form) is not None:
        _check_values(email.values)
        return
    for name, part in (("subject", email.subject), ("text", email.text), ("html", email.html)):
        if not part.strip():
            raise MailRefused(f"The {name} is empty.")
        if not _fits_a_body(part):
            raise MailRefused(f"The {name} holds a character that no mail can carry.")


def _check_values(values: tuple[str, ...]) -> None:
    """What is common to the readers of a form was checked when it was compiled."""
    if not all(map(_fits_a_body, values)):
        raise MailRefused("The reader's part holds a character that no mail can carry.")


def _fits_a_body(part: str) -> bool:
    try:
        part.encode()
    except UnicodeEncodeError:  # half of a character
        return False
    return "\0" not in part


def _check_unsubscribe(email: OutgoingEmail) -> None:
    url = email.list_unsubscribe_url
    if url is None:
        if email.mail_class is MailClass.DRIP:
            raise MailRefused("A series mail needs an unsubscribe link.")
        return
    if not _WEB_ADDRESS.fullmatch(url):
        raise MailRefused("The unsubscribe link is not an https address.")
    if len(f"List-Unsubscribe: <{url}>") > MAX_LINE_OCTETS:
        raise MailRefused("The unsubscribe link is too long for one line.")


# What the mails of one batch have in common is written once.
@lru_cache(maxsize=256)
def _date(at: datetime) -> str:
    return format_datetime(at.astimezone(UTC))


@lru_cache(maxsize=256)
def _sender(from_name: str, from_address: str) -> str:
    name = from_name.strip()
    if not name:
        return from_address
    if name.isascii() and "=?" not in name:
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}" <{from_address}>'
    return f"{_encoded_words(name)} <{from_address}>"


@lru_cache(maxsize=256)
def _unstructured(text: str) -> str:
    """A header value that is plain where it can be and RFC 2047 where it must be."""
    if not text.isascii() or "=?" in text or text != text.strip():
        return _encoded_words(text)
    if len(text) <= FOLD_CHARACTERS:
        return text
    folded = _FOLD_POINT.sub("\\1\r\n ", text)
    is_short = all(len(line) <= FOLD_CHARACTERS + 1 for line in folded.split("\r\n"))
    return folded if is_short else _encoded_words(text)


def _encoded_words(text: str) -> str:
    """Encoded words, each of whole characters, one on a line."""
    chunks = [b""]
    for character in text:
        octets = character.encode()
        if len(chunks[-1]) + len(octets) > WORD_OCTETS:
            chunks.append(b"")
        chunks[-1] += octets
    return "\r\n ".join(f"=?utf-8?B?{base64.b64encode(chunk).decode()}?=" for chunk in chunks)
