"""What only the therapist can say for the documents about data protection."""

from dataclasses import fields
from datetime import date
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass as checked

from funnel.content.brand import Line
from funnel.content.models import STRICT

PLACEHOLDERS = {
    "hosting_company": "[your hosting company]",
    "hosting_country": "[the country your server stands in]",
    "hosting_safeguard": "[what allows your server to stand there]",
    "email_provider": "[your email provider]",
    "email_country": "[the country your email provider works in]",
    "email_safeguard": "[what allows emails to be handled there]",
    "backup_place": "[where your backups lie]",
    "backup_days": "[number]",
    "people_with_access": "[who can see people’s details]",
    "technical_helper": "[who looks after your server]",
    "ico_answer": "[registered, or exempt]",
    "reviewed_by": "[who read this]",
    "reviewed_on": "[date]",
    "next_review_on": "[date of the next review]",
}


@checked(frozen=True, config=STRICT, kw_only=True)
class PrivacyFacts:
    """Facts about hosting, email, backups and reviews; None until the therapist gives them."""

    hosting_company: Line | None = None
    hosting_country: Line | None = None
    hosting_safeguard: Line | None = None
    email_provider: Line | None = None
    email_country: Line | None = None
    email_safeguard: Line | None = None
    backup_place: Line | None = None
    backup_days: Annotated[int, Field(ge=1, le=365)] | None = None
    people_with_access: Line | None = None
    technical_helper: Line | None = None
    data_protection_officer: Line
    ico_answer: Literal["registered", "exempt"] | None = None
    reviewed_by: Line | None = None
    reviewed_on: date | None = None
    next_review_on: date | None = None

    def missing(self) -> tuple[str, ...]:
        """The names of the facts that are not given yet."""
        return tuple(name for name in PLACEHOLDERS if getattr(self, name) is None)


PRIVACY_FIELDS = frozenset(field.name for field in fields(PrivacyFacts))
