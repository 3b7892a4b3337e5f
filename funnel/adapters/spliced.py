"""Compiles what is common to the mails of one form into octets once; a reader's own is spliced in.

Quoted-printable lines may be broken anywhere ("=" and a line break, RFC 2045, 6.7), so every
place of a form begins on a line of its own, whatever stands there, and so does what follows it.
"""

import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from funnel.domain.ports import MailForm

SOFT_BREAK = b"=\r\n"
LINE_OCTETS = 76  # with the "=" of a soft break, without the line end
_PLAIN = re.compile(r"[!-<>-~](?:[ -<>-~]*[!-<>-~])?")  # one line with nothing to encode


@dataclass(frozen=True)
class SplicedForm:
    """The two bodies of a form, cut at its places: octets, place, octets, ... octets."""

    text: tuple[bytes | int, ...]
    html: tuple[bytes | int, ...]


_compiled: WeakKeyDictionary[MailForm, SplicedForm | None] = WeakKeyDictionary()


def spliced_form(form: MailForm) -> SplicedForm | None:
    """The form in octets; None for one that cannot be cut there. Compiled once for each form."""
    try:
        return _compiled[form]
    except KeyError:
        return _compiled.setdefault(form, _compile(form))


def encode_values(values: Sequence[str]) -> list[bytes]:
    """The values as they stand in their places; raises UnicodeEncodeError."""
    return [_on_own_line(_value(value)) for value in values]


def splice(part: tuple[bytes | int, ...], values: list[bytes]) -> bytes:
    """A whole body."""
    return b"".join([piece if isinstance(piece, bytes) else values[piece] for piece in part])


def quoted_printable(text: str) -> bytes:
    """The text with CRLF line ends, encoded; raises UnicodeEncodeError."""
    # The encoder takes its own line ends from the text, so the text must have one.
    lines = text.replace("\r\n", "\n").replace("\r", "\n") + "\n"
    octets = lines.replace("\n", "\r\n").encode()
    return binascii.b2a_qp(octets, istext=True).removesuffix(b"\r\n")


def _compile(form: MailForm) -> SplicedForm | None:
    literals = [piece for piece in (*form.text, *form.html) if isinstance(piece, str)]
    if any("\r" in literal or "\0" in literal for literal in literals):
        return None  # a line end could fall apart at a place; a NUL may not leave at all
    if not all(_says_something(part) for part in (form.subject, form.text, form.html)):
        return None
    try:
        return SplicedForm(text=_cut(form.text), html=_cut(form.html))
    except UnicodeEncodeError:  # half of a character
        return None


def _says_something(part: tuple[str | int, ...]) -> bool:
    """Whether the part is not empty, whatever its values are."""
    return any(isinstance(piece, str) and piece.strip() for piece in part)


def _cut(part: tuple[str | int, ...]) -> tuple[bytes | int, ...]:
    *others, last = part
    pieces: list[bytes | int] = [
        _on_own_line(quoted_printable(piece)) if isinstance(piece, str) else piece
        for piece in others
    ]
    return (*pieces, quoted_printable(str(last)))


def _value(value: str) -> bytes:
    if not _PLAIN.fullmatch(value):
        return quoted_printable(value)
    octets, room = value.encode(), LINE_OCTETS - 1
    if len(octets) <= room:
        return octets
    return SOFT_BREAK.join([octets[at : at + room] for at in range(0, len(octets), room)])


def _on_own_line(octets: bytes) -> bytes:
    """The octets, and a soft break where what follows would stand on their last line."""
    start = octets.rfind(b"\n") + 1
    length = len(octets) - start
    if length == 0:
        return octets
    if length < LINE_OCTETS:
        return octets + SOFT_BREAK
    token = 3 if octets[-3:-2] == b"=" else 1
    return octets[:-token] + SOFT_BREAK + octets[-token:] + SOFT_BREAK
