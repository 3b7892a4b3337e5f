"""How long things are kept, as it stands in retention.yaml."""

from dataclasses import fields
from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass as checked

from funnel.content.models import STRICT

Days = Annotated[int, Field(ge=1, le=365)]
Months = Annotated[int, Field(ge=1, le=120)]
Years = Annotated[int, Field(ge=1, le=20)]


@checked(frozen=True, config=STRICT, kw_only=True)
class Retention:
    """The timers. Months and years are those of the calendar."""

    # A confirm link lives seven days: whoever still holds one must find its person.
    unconfirmed_days: Annotated[int, Field(ge=7, le=365)] = 7
    raw_events_days: Days = 30
    attempts_months: Months = 12
    evidence_months: Months = 24
    inactive_months: Months = 24
    complaints_months: Months = 24
    audit_months: Months = 24
    accounting_years: Years = 6


RETENTION_FIELDS = frozenset(field.name for field in fields(Retention))
