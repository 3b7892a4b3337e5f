"""Pages to read and to print: how they spell times, names of fields, and values."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Flask
from markupsafe import Markup

from funnel.content import documents

_NAMES = {
    "accepted_at": "Sent",
    "again_at": "Last time",
    "attempt": "Times handed over",
    "body": "In its own words",
    "delivery": "Last news of it",
    "fact": "Step",
    "given_at": "Given",
    "ip_truncated": "Network, shortened",
    "is_granted": "Agreed",
    "mail_class": "Kind of email",
    "mail_key": "Email",
    "page_url": "Page",
    "sequence_key": "Series",
    "size_bytes": "Size in bytes, about",
    "source": "Came from",
    "step_key": "Email",
    "user_agent": "Browser",
    "utm_campaign": "Campaign",
    "utm_medium": "Way",
    "utm_source": "Source named in the link",
    "wording": "Exact words",
    "wording_sha256": "Fingerprint of the words",
}


def add_filters(app: Flask) -> None:
    """What the pages to print ask for."""
    app.jinja_env.filters.update(in_zone=in_zone, plain_name=plain_name, plain_value=plain_value)


def html_of(source: str) -> Markup:
    """A document for a page."""
    return Markup(documents.html_of(source))  # noqa: S704 - the writer escapes whatever it is given


def in_zone(when: datetime, zone: ZoneInfo) -> str:
    """A time by a person's own clock: "Monday 23 November 2026, 10:00"."""
    local = when.astimezone(zone)
    return f"{local:%A} {local.day} {local:%B %Y, %H:%M}"


def plain_name(name: str) -> str:
    """A column's name as people would say it."""
    if name in _NAMES:
        return _NAMES[name]
    words = name.removesuffix("_at").removesuffix("_url").replace("_", " ")
    return words[:1].upper() + words[1:]


def plain_value(value: object, zone: ZoneInfo) -> str:
    """A value as people would say it."""
    if isinstance(value, datetime):
        return in_zone(value, zone)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        told = (f"{plain_name(str(name))}: {each}" for name, each in value.items() if each)
        return "; ".join(told) or "empty"
    return str(value)
