"""The practice's part of a guide's document: the same for every reader."""

from funnel.content.catalog import Catalog
from funnel.domain.ports import Document
from funnel.domain.self_check import Pattern

BRAND_FIELDS = (
    "trading_name",
    "therapist_name",
    "qualifications",
    "town",
    "website",
    "booking_url",
    "postal_address",
)

SAFETY_FIELDS = (
    "urgent_title",
    "urgent_note",
    "soon_title",
    "routine",
    "ask_first",
    "one_line",
    "reviewed_by",
)


PATTERN_FIELDS = ("key", "name", "headline", "lead", "not_this", "figure", "order_note")


def guide_document(catalog: Catalog) -> Document:
    """Brand, safety text and method as the guide takes them in; all plain JSON values."""
    brand, safety = catalog.brand, catalog.safety
    return {
        "brand": {
            **{name: getattr(brand, name) for name in BRAND_FIELDS},
            "email": brand.reply_to_address,
        },
        "safety": {
            **{name: getattr(safety, name) for name in SAFETY_FIELDS},
            "urgent": list(safety.urgent),
            "soon": list(safety.soon),
            "reviewed_on": safety.reviewed_on.isoformat() if safety.reviewed_on else None,
        },
        "pain_steps": [
            {"letter": step.letter, "title": step.name, "text": step.words}
            for step in brand.pain_steps
        ],
        "challenge_days": [day.title for day in catalog.challenge.days],
    }


def pattern_part(pattern: Pattern) -> Document:
    """A pattern as the guide takes it in; all plain JSON values."""
    return {
        **{name: getattr(pattern, name) for name in PATTERN_FIELDS},
        "explanation": list(pattern.explanation),
        "order": list(pattern.order),
        "doses": dict(pattern.doses),
    }
