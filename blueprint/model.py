"""What one guide is made from: small frozen values with length limits, read from plain data."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

NAME_LENGTH = 80
RAW_NAME_LENGTH = 2000  # no more of a typed name than this is looked at
EMAIL = re.compile(r"[^@\s<>\"']+@[^@\s<>\"']+\.[^@\s<>\"']+")

PLACEHOLDERS = {
    "trading_name": "[your practice]",
    "therapist_name": "[your name]",
    "qualifications": "[your qualifications]",
    "town": "[town]",
    "website": "[website]",
    "email": "[email]",
    "booking_url": "[booking link]",
    "postal_address": "[postal address]",
}


@dataclass(frozen=True)
class Brand:
    """Facts only the therapist can give; what is missing shows as a placeholder in brackets."""

    trading_name: str | None = None
    therapist_name: str | None = None
    qualifications: str | None = None
    town: str | None = None
    website: str | None = None
    email: str | None = None
    booking_url: str | None = None
    postal_address: str | None = None


@dataclass(frozen=True)
class Safety:
    """The one safety record: the funnel passes it in, and every output shows the same lines."""

    urgent: tuple[str, ...]
    soon: tuple[str, ...]
    routine: str
    one_line: str
    ask_first: str
    urgent_title: str
    urgent_note: str
    soon_title: str
    reviewed_on: date | None = None
    reviewed_by: str | None = None


@dataclass(frozen=True)
class PainStep:
    """One of the four steps of the method."""

    letter: str
    title: str
    text: str


DEFAULT_PAIN_STEPS = (
    PainStep(
        "P",
        "Pinpoint your pattern",
        "Look from the side. Stand up from a chair. Find your glutes in a squat. You are not "
        "testing for a fault; you are noticing which parts do too much and which do too little.",
    ),
    PainStep(
        "A",
        "Alleviate what is tight",
        "Slow holds and easy breathing for the hip flexors, the outer hip and the lower back. "
        "Enough to feel a stretch, never so much that you brace.",
    ),
    PainStep(
        "I",
        "Ignite what is quiet",
        "Small, clear movements for the glutes and deep core. A muscle can be both tight and weak, "
        "so stretching alone often leaves the job half done.",
    ),
    PainStep(
        "N",
        "Normalise how you move",
        "Use the new range and the new strength in things you do anyway: rising, lifting, climbing "
        "stairs. Life keeps repeating this step for you, so it is the one that carries on.",
    ),
)

DEFAULT_CHALLENGE_DAYS = (
    "Find your tight side",
    "Make room in front",
    "Let go",
    "Wake up",
    "Put it together",
)


@dataclass(frozen=True)
class BlueprintInput:
    """Everything one guide needs. The same value always gives the same document."""

    made_on: date
    brand: Brand
    safety: Safety
    challenge_url: str
    first_name: str | None = None
    pain_steps: tuple[PainStep, ...] = DEFAULT_PAIN_STEPS
    challenge_days: tuple[str, ...] = DEFAULT_CHALLENGE_DAYS

    @classmethod
    def from_mapping(cls, data: Mapping[str, object]) -> BlueprintInput:
        """Read plain data such as parsed JSON. Raises ValueError naming the field at fault."""
        return cls(
            made_on=_day(data, "made_on"),
            brand=_brand(_part(data, "brand")),
            safety=_safety(_part(data, "safety")),
            challenge_url=_url(_text(data, "challenge_url", 500), "challenge_url"),
            first_name=_name(data.get("first_name")),
            pain_steps=_pain_steps(data.get("pain_steps")),
            challenge_days=(
                _lines(data, "challenge_days", "")
                if "challenge_days" in data
                else DEFAULT_CHALLENGE_DAYS
            ),
        )


def clean_line(text: str) -> str:
    """One line without control, format or bidi characters, composed, its spaces single."""
    composed = unicodedata.normalize("NFC", text)
    kept = (" " if ch.isspace() else ch for ch in composed if ch.isspace() or _is_visible(ch))
    return " ".join("".join(kept).split())


def _is_visible(ch: str) -> bool:
    # The two joiners shape names in Persian and Indic scripts; all other format marks can mislead.
    return ch in "\u200c\u200d" or not unicodedata.category(ch).startswith("C")


def _name(value: object) -> str | None:
    """A visitor may type anything here, so a long name is cut rather than refused."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("first_name must be text")
    return clean_line(value[:RAW_NAME_LENGTH])[:NAME_LENGTH].strip() or None


def _part(data: Mapping[str, object], field: str) -> Mapping[str, object]:
    value = data.get(field)
    if not isinstance(value, Mapping):
        raise ValueError(f"{field} must be a mapping")
    return {str(key): item for key, item in value.items()}


def _line(value: object, field: str, limit: int) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{field} must be text")
    if len(value) > limit:
        raise ValueError(f"{field} is longer than {limit} characters")
    text = clean_line(value)
    if not text:
        raise ValueError(f"{field} is missing")
    return text


def _text(data: Mapping[str, object], field: str, limit: int, path: str = "") -> str:
    return _line(data.get(field) or "", path + field, limit)


def _optional(data: Mapping[str, object], field: str, limit: int, path: str) -> str | None:
    value = data.get(field)
    blank = value is None or (isinstance(value, str) and not value.strip())
    return None if blank else _line(value, path + field, limit)


def _lines(data: Mapping[str, object], field: str, path: str) -> tuple[str, ...]:
    value = data.get(field)
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= 20:
        raise ValueError(f"{path}{field} must be a list of 1 to 20 lines")
    return tuple(_line(item, f"{path}{field}[{i}]", 240) for i, item in enumerate(value))


def _day(data: Mapping[str, object], field: str, path: str = "") -> date:
    value = data.get(field)
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError(f"{path}{field} must be a date such as 2026-11-21") from None


def _url(text: str, field: str) -> str:
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("https", "http") and parts.hostname and parts.username is None
    except ValueError:
        good = False
    if not good or not text.isascii() or re.search(r"[\s\"'<>\\^`{|}]", text):
        raise ValueError(f"{field} must be a web address that starts with https://")
    return text


def _brand(data: Mapping[str, object]) -> Brand:
    values = {field: _optional(data, field, 200, "brand.") for field in PLACEHOLDERS}
    if values["booking_url"]:
        _url(values["booking_url"], "brand.booking_url")
    if values["website"] and "://" in values["website"]:
        _url(values["website"], "brand.website")
    if values["email"] and not EMAIL.fullmatch(values["email"]):
        raise ValueError("brand.email must be one email address")
    return Brand(**values)


def _safety(data: Mapping[str, object]) -> Safety:
    path = "safety."
    return Safety(
        urgent=_lines(data, "urgent", path),
        soon=_lines(data, "soon", path),
        routine=_text(data, "routine", 600, path),
        one_line=_text(data, "one_line", 300, path),
        ask_first=_text(data, "ask_first", 600, path),
        urgent_title=_text(data, "urgent_title", 60, path),
        urgent_note=_text(data, "urgent_note", 120, path),
        soon_title=_text(data, "soon_title", 80, path),
        reviewed_on=_day(data, "reviewed_on", path) if data.get("reviewed_on") else None,
        reviewed_by=_optional(data, "reviewed_by", 120, path),
    )


def _pain_steps(value: object) -> tuple[PainStep, ...]:
    if value is None:
        return DEFAULT_PAIN_STEPS
    if not isinstance(value, list | tuple) or len(value) != 4:
        raise ValueError("pain_steps must be a list of four steps")
    return tuple(_pain_step(item, f"pain_steps[{i}]") for i, item in enumerate(value))


def _pain_step(value: object, path: str) -> PainStep:
    if not isinstance(value, Mapping):
        raise ValueError(f"{path} must be a mapping")
    return PainStep(
        letter=_line(value.get("letter"), f"{path}.letter", 1),
        title=_line(value.get("title"), f"{path}.title", 40),
        text=_line(value.get("text"), f"{path}.text", 320),
    )
