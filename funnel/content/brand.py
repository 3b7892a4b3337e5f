"""The practice as it shows itself; facts only the therapist can give are None until filled in."""

import unicodedata
from dataclasses import dataclass, fields
from datetime import date
from functools import cached_property
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator
from pydantic.dataclasses import dataclass as checked

from funnel.content.models import STRICT
from funnel.domain.errors import InvalidInput
from funnel.domain.names import domain_of, organisation_of
from funnel.domain.people import parse_address


def _https(value: str) -> str:
    try:
        parts = urlsplit(value)
    except ValueError as error:
        raise ValueError("this is not an address of a web page") from error
    if parts.scheme != "https" or not parts.hostname or parts.username or " " in value:
        raise ValueError("give the whole address, starting with https://")
    return value


def _mailbox(value: str) -> str:
    try:
        return parse_address(value).mailbox
    except InvalidInput as error:
        raise ValueError(str(error)) from error


def _organisation(address: str) -> str:
    return organisation_of(domain_of(address))


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ValueError, OSError, LookupError) as error:
        raise ValueError("use a time zone name such as Europe/London") from error
    return value


def _one_line(value: str) -> str:
    if len(value.splitlines()) > 1:
        raise ValueError("keep this on one line")
    if any(unicodedata.category(letter) == "Cc" for letter in value):
        raise ValueError("a character in this cannot be seen or printed: write it anew")
    return value


Line = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_one_line)]
Url = Annotated[Line, AfterValidator(_https)]
Mailbox = Annotated[Line, AfterValidator(_mailbox)]
Zone = Annotated[str, AfterValidator(_zone)]
Host = Annotated[str, Field(pattern=r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$")]
Letter = Literal["P", "A", "I", "N"]

PLACEHOLDERS = {
    "therapist_name": "[your name]",
    "qualifications": "[your qualifications and memberships]",
    "town": "[your town]",
    "postal_address": "[your postal address]",
    "website": "[your website]",
    "reply_to_address": "[your reply address]",
    "from_address": "[your sending address]",
    "booking_url": "[booking link]",
    "ico_number": "[your ICO number]",
}


@checked(frozen=True, config=STRICT, kw_only=True)
class PainStep:
    """One letter of the method: its name and a sentence on it."""

    letter: Letter
    name: Line
    words: Line


@dataclass(frozen=True)
class ShownBrand:
    """The brand as a reader sees it: what is missing shows as a placeholder in brackets."""

    trading_name: str
    therapist_name: str
    qualifications: str
    town: str
    postal_address: str
    website: str
    reply_to_address: str
    from_name: str
    from_address: str
    booking_url: str
    ico_number: str


@checked(frozen=True, config=STRICT, kw_only=True)
class Brand:
    """Who sends and who stands behind it. `link_hosts` are the outside sites mail may link to."""

    trading_name: Line
    from_name: Line
    time_zone: Zone = "Europe/London"
    therapist_name: Line | None = None
    qualifications: Line | None = None
    town: Line | None = None
    postal_address: Line | None = None
    website: Url | None = None
    reply_to_address: Mailbox | None = None
    from_address: Mailbox | None = None
    service_from_address: Mailbox | None = None
    booking_url: Url | None = None
    ico_number: Line | None = None
    pain_steps: Annotated[tuple[PainStep, ...], Field(min_length=4, max_length=4)]
    pain_steps_reviewed_on: date | None = None
    link_hosts: tuple[Host, ...] = ()

    @model_validator(mode="after")
    def _one_organisation(self) -> "Brand":
        own, other = self.service_from_address, self.from_address
        if own and not other:
            raise ValueError("service_from_address goes beside from_address: give both")
        if own and other and _organisation(own) != _organisation(other):
            raise ValueError(
                "service_from_address must be of the same registered name as from_address, "
                "as info@practice.co.uk and news@mail.practice.co.uk are"
            )
        return self

    def sender(self, *, is_series: bool) -> str | None:
        """The address that mail comes from: what people asked for may have one of its own."""
        return self.from_address if is_series else self.service_from_address or self.from_address

    def missing(self) -> tuple[str, ...]:
        """The names of the facts that only the therapist can give and has not given yet."""
        return tuple(name for name in PLACEHOLDERS if getattr(self, name) is None)

    @cached_property
    def shown(self) -> ShownBrand:
        """Every fact as text, with a bracketed placeholder where one is missing."""
        words = {
            field.name: getattr(self, field.name) or PLACEHOLDERS[field.name]
            for field in fields(ShownBrand)
        }
        return ShownBrand(**words)


BRAND_FIELDS = frozenset(field.name for field in fields(ShownBrand))
