"""Reading plain data field by field: one-line texts with limits, errors that name the field."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from urllib.parse import urlsplit

from blueprint.typefaces import first_undrawable

HYPHENS = str.maketrans("\u2010\u2011", "--")  # no typeface of ours has these two for Latin


def clean_line(text: str) -> str:
    """One line without control, format or bidi characters, composed, its spaces single."""
    composed = unicodedata.normalize("NFC", text).translate(HYPHENS)
    kept = (" " if ch.isspace() else ch for ch in composed if ch.isspace() or _is_visible(ch))
    return " ".join("".join(kept).split())


def _is_visible(ch: str) -> bool:
    # The two joiners shape names in Persian and Indic scripts; all other format marks can mislead.
    return ch in "\u200c\u200d" or not unicodedata.category(ch).startswith("C")


def part(data: Mapping[str, object], field: str) -> Mapping[str, object]:
    """A mapping inside the data. Raises ValueError, as everything here, naming the field."""
    return mapping(data.get(field), field)


def mapping(value: object, path: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{path} must be a mapping")
    return {str(key): item for key, item in value.items()}


def line(value: object, field: str, limit: int) -> str:
    """One clean line of at most `limit` characters, each of which our typefaces can draw."""
    if not isinstance(value, str):
        raise ValueError(f"{field} must be text")
    if len(value) > limit:
        raise ValueError(f"{field} is longer than {limit} characters")
    text = clean_line(value)
    if not text:
        raise ValueError(f"{field} is missing")
    if odd := first_undrawable(text):
        sign = f"“{odd}” (U+{ord(odd):04X})"
        raise ValueError(f"{field} has {sign}, which the guide's typefaces lack: use other words")
    return text


def text(data: Mapping[str, object], field: str, limit: int, path: str = "") -> str:
    return line(data.get(field) or "", path + field, limit)


def optional(data: Mapping[str, object], field: str, limit: int, path: str) -> str | None:
    value = data.get(field)
    blank = value is None or (isinstance(value, str) and not value.strip())
    return None if blank else line(value, path + field, limit)


def lines(
    data: Mapping[str, object], field: str, path: str = "", *, most: int = 20, limit: int = 240
) -> tuple[str, ...]:
    """One to `most` lines of at most `limit` characters each."""
    value = data.get(field)
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= most:
        raise ValueError(f"{path}{field} must be a list of 1 to {most} lines")
    return tuple(line(item, f"{path}{field}[{i}]", limit) for i, item in enumerate(value))


def day(data: Mapping[str, object], field: str, path: str = "") -> date:
    value = data.get(field)
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError(f"{path}{field} must be a date such as 2026-11-21") from None


def url(address: str, field: str) -> str:
    """A web address that is safe to print as a link."""
    try:
        parts = urlsplit(address)
        good = parts.scheme in ("https", "http") and parts.hostname and parts.username is None
        good = good and parts.port != 0  # a port that is no number raises ValueError
    except ValueError:
        good = False
    if not good or not address.isascii() or re.search(r"[\s\"'<>\\^`{|}]", address):
        raise ValueError(f"{field} must be a web address that starts with https://")
    return address
