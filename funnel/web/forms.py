"""Public forms: what was typed, what is wrong with it, and whether a person typed it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from flask import request

from funnel.domain.errors import InvalidInput
from funnel.domain.evidence import Evidence, limit_key
from funnel.domain.people import parse_address, parse_name
from funnel.domain.touch import MAX_CHARACTERS, FirstTouch, first_touch
from funnel.runtime import Runtime
from funnel.services.signup import SignupRequest
from funnel.web import security

FORM_VERSION = "1"
MIN_SECONDS = 2.0
# Zones of tzdata that are rules and no places.
NO_PLACES = ("Etc/", "SystemV/", "posix/", "right/")
CARRIED = ("utm_source", "utm_medium", "utm_campaign", "referrer", "landing_page")
TRAP = "website"
UNREADABLE = "\ufffd"
ONCE_MORE = "Please press the button once more."


@dataclass(frozen=True)
class Draft:
    """A form as a visitor left it, with a message for each field that needs another look."""

    name: str = ""
    email: str = ""
    wants_series: bool = False
    wants_health: bool = False
    time_zone: str = ""
    stamp: str = ""
    carried: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


def fresh_draft(rt: Runtime) -> Draft:
    """An empty form that carries where its visitor came from."""
    args = request.args
    page = args.get("landing_page") or request.path
    touch = first_touch(args, args.get("referrer") or request.referrer, rt.settings.host, page)
    values = {name: getattr(touch, name) for name in CARRIED}
    return Draft(carried={name: value for name, value in values.items() if value})


def passed_on(carried: Mapping[str, str]) -> dict[str, Any]:
    """What a link to our other form says of where the visitor came from: nothing if we know
    nothing but the page."""
    return dict(carried) if carried.keys() - {"landing_page"} else {}


def posted_draft(rt: Runtime) -> Draft:
    """The posted form, checked."""
    fields = posted_fields()
    draft = Draft(
        name=fields.get("name", ""),
        email=fields.get("email", ""),
        wants_series=fields.get("series") == "yes",
        time_zone=_zone(fields.get("time_zone", "")),
        stamp=fields.get("stamp", ""),
        carried={name: fields[name][:MAX_CHARACTERS] for name in CARRIED if fields.get(name)},
    )
    return _checked(rt, draft)


def posted_fields() -> dict[str, str]:
    """The fields of the posted form; one that came twice was refused at the door (`security`)."""
    return request.form.to_dict()


def is_trapped() -> bool:
    """True when the field that people never see was filled in."""
    return bool(request.form.get(TRAP))


def signup_request(
    rt: Runtime, draft: Draft, form: str, answers: Mapping[str, str] | None = None
) -> SignupRequest:
    """What an error-free draft asks for. Answers go with it only when their box is ticked."""
    return SignupRequest(
        address=parse_address(draft.email),
        first_name=parse_name(draft.name),
        wants_series=draft.wants_series,
        wants_health=draft.wants_health,
        touch=_touch(rt, draft),
        time_zone=draft.time_zone or None,
        evidence=evidence(rt, form),
        answers=answers if draft.wants_health else None,
    )


def evidence(rt: Runtime, form: str) -> Evidence:
    """The evidence of the posted form: its name and version, and the seconds it was looked at."""
    seconds = rt.links.seconds_since(request.form.get("stamp", ""))
    return security.evidence(f"{form}-{FORM_VERSION}", seconds)


def ip_key() -> str:
    """What counts as one visitor for limits."""
    return limit_key(request.remote_addr or "")


def _touch(rt: Runtime, draft: Draft) -> FirstTouch:
    carried = draft.carried
    page = carried.get("landing_page")
    return first_touch(carried, carried.get("referrer"), rt.settings.host, page)


def _checked(rt: Runtime, draft: Draft) -> Draft:
    errors = _errors(draft)
    seconds = rt.links.seconds_since(draft.stamp)
    if seconds is None:
        draft = replace(draft, stamp="")
    if not errors and (seconds is None or seconds < MIN_SECONDS):
        errors = {"form": ONCE_MORE}
    return replace(draft, errors=errors)


def _errors(draft: Draft) -> dict[str, str]:
    errors = {}
    for read, value in ((parse_name, draft.name), (parse_address, draft.email)):
        try:
            read(value)
        except InvalidInput as error:
            errors[error.field] = str(error)
    if UNREADABLE in draft.name:
        errors["name"] = "Your first name has a character we cannot read. Please type it again."
    return errors


def _zone(name: str) -> str:
    """The time zone that the browser told, when it is one of a place, or UTC."""
    is_place = "/" in name and not name.startswith(NO_PLACES)
    return name if (is_place or name == "UTC") and name in _zones() else ""


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
