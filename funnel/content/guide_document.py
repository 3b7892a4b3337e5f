"""The practice's part of a guide's document: the same for every reader."""

from funnel.content.catalog import Catalog

BRAND_FIELDS = (
    "trading_name",
    "therapist_name",
    "qualifications",
    "town",
    "website",
    "booking_url",
    "postal_address",
)


def guide_document(catalog: Catalog) -> dict[str, object]:
    """Brand, safety text and method as the guide takes them in; all plain JSON values."""
    brand, safety = catalog.brand, catalog.safety
    return {
        "brand": {
            **{name: getattr(brand, name) for name in BRAND_FIELDS},
            "email": brand.reply_to_address,
        },
        "safety": {
            "urgent": list(safety.urgent),
            "soon": list(safety.soon),
            "routine": safety.routine,
            "one_line": safety.one_line,
            "reviewed_on": safety.reviewed_on.isoformat() if safety.reviewed_on else None,
            "reviewed_by": safety.reviewed_by,
        },
    }
