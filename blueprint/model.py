"""What one guide is made from: small frozen values with length limits, read from plain data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from blueprint import fields, figures
from blueprint.fields import clean_line
from blueprint.words import load

NAME_LENGTH = 80
RAW_NAME_LENGTH = 2000  # no more of a typed name than this is looked at
TOLD_LINES = 9
TOLD_LENGTH = 120
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
class Pattern:
    """What the guide says about one pattern of the self-check; the same for every reader with it.

    `order` holds each technique's key once; `doses` the starting doses that differ from the usual.
    """

    key: str
    name: str
    headline: str
    lead: str
    explanation: tuple[str, ...]
    not_this: str
    figure: str
    order: tuple[str, ...]
    order_note: str
    doses: tuple[tuple[str, str], ...] = ()

    def dose(self, technique: str) -> str | None:
        """The starting dose of a technique for this pattern, or None where the usual one stands."""
        return dict(self.doses).get(technique)


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
    pattern: Pattern | None = None
    told: tuple[str, ...] = ()  # her answers in our words; personal, as is the name

    @classmethod
    def from_mapping(cls, data: Mapping[str, object]) -> BlueprintInput:
        """Read plain data such as parsed JSON. Raises ValueError naming the field at fault."""
        return cls(
            made_on=fields.day(data, "made_on"),
            brand=_brand(fields.part(data, "brand")),
            safety=_safety(fields.part(data, "safety")),
            challenge_url=fields.url(fields.text(data, "challenge_url", 500), "challenge_url"),
            first_name=_name(data.get("first_name")),
            pain_steps=_pain_steps(data.get("pain_steps")),
            challenge_days=(
                fields.lines(data, "challenge_days")
                if "challenge_days" in data
                else DEFAULT_CHALLENGE_DAYS
            ),
            pattern=_pattern(data.get("pattern")),
            told=(
                fields.lines(data, "told", most=TOLD_LINES, limit=TOLD_LENGTH)
                if data.get("told")
                else ()
            ),
        )


def _name(value: object) -> str | None:
    """A visitor may type anything here, so a long name is cut rather than refused."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("first_name must be text")
    return clean_line(value[:RAW_NAME_LENGTH])[:NAME_LENGTH].strip() or None


def _brand(data: Mapping[str, object]) -> Brand:
    values = {field: fields.optional(data, field, 200, "brand.") for field in PLACEHOLDERS}
    if values["booking_url"]:
        fields.url(values["booking_url"], "brand.booking_url")
    if site := values["website"]:
        fields.url(site if "://" in site else f"https://{site}", "brand.website")
    if values["email"] and not EMAIL.fullmatch(values["email"]):
        raise ValueError("brand.email must be one email address")
    return Brand(**values)


def _safety(data: Mapping[str, object]) -> Safety:
    path = "safety."
    return Safety(
        urgent=fields.lines(data, "urgent", path),
        soon=fields.lines(data, "soon", path),
        routine=fields.text(data, "routine", 600, path),
        one_line=fields.text(data, "one_line", 300, path),
        ask_first=fields.text(data, "ask_first", 600, path),
        urgent_title=fields.text(data, "urgent_title", 60, path),
        urgent_note=fields.text(data, "urgent_note", 120, path),
        soon_title=fields.text(data, "soon_title", 80, path),
        reviewed_on=fields.day(data, "reviewed_on", path) if data.get("reviewed_on") else None,
        reviewed_by=fields.optional(data, "reviewed_by", 120, path),
    )


def _pain_steps(value: object) -> tuple[PainStep, ...]:
    if value is None:
        return DEFAULT_PAIN_STEPS
    if not isinstance(value, list | tuple) or len(value) != 4:
        raise ValueError("pain_steps must be a list of four steps")
    return tuple(_pain_step(item, f"pain_steps[{i}]") for i, item in enumerate(value))


def _pain_step(value: object, path: str) -> PainStep:
    data = fields.mapping(value, path)
    return PainStep(
        letter=fields.text(data, "letter", 1, f"{path}."),
        title=fields.text(data, "title", 40, f"{path}."),
        text=fields.text(data, "text", 320, f"{path}."),
    )


def _pattern(value: object) -> Pattern | None:
    if value is None:
        return None
    data, path = fields.mapping(value, "pattern"), "pattern."
    return Pattern(
        key=fields.text(data, "key", 40, path),
        name=fields.text(data, "name", 40, path),
        headline=fields.text(data, "headline", 60, path),
        lead=fields.text(data, "lead", 240, path),
        explanation=fields.lines(data, "explanation", path, most=2, limit=440),
        not_this=fields.text(data, "not_this", 280, path),
        figure=_figure(fields.text(data, "figure", 40, path)),
        order=_order(fields.lines(data, "order", path)),
        order_note=fields.text(data, "order_note", 280, path),
        doses=_doses(data.get("doses", {})),
    )


def _figure(name: str) -> str:
    if name not in figures.names():
        raise ValueError(f"pattern.figure is not a figure: {name}")
    return name


def _order(keys: tuple[str, ...]) -> tuple[str, ...]:
    known = load().order
    if sorted(keys) != sorted(known):
        raise ValueError(f"pattern.order must hold each of these once: {', '.join(known)}")
    return keys


def _doses(value: object) -> tuple[tuple[str, str], ...]:
    doses, path = fields.mapping(value, "pattern.doses"), "pattern.doses."
    unknown = doses.keys() - set(load().order)
    if unknown:
        raise ValueError(f"pattern.doses has no technique {', '.join(sorted(unknown))}")
    return tuple((key, fields.text(doses, key, 50, path)) for key in doses)
