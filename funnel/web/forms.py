"""Public forms: what was typed, what is wrong with it, and whether a person typed it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from flask import request

from funnel.domain.errors import InvalidInput
from funnel.domain.evidence import Evidence, limit_key
from funnel.domain.hints import Hint, hint_for
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
    hint: Hint | None = None
    hinted: str = ""  # the address that was asked about already

    @property
    def needs_another_look(self) -> bool:
        """True for a form that goes back to its visitor first."""
        return bool(self.errors or self.hint)


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
    """The posted form, checked.

    A kind question about the address is asked once; whatever button comes next goes on.
    """
    fields = posted_fields()
    draft = Draft(
        name=fields.get("name", ""),
        email=fields.get("email", ""),
        wants_series=fields.get("series") == "yes",
        time_zone=zone_name(fields.get("time_zone", "")),
        stamp=fields.get("stamp", ""),
        hinted=fields.get("hinted", ""),
        carried={name: fields[name][:MAX_CHARACTERS] for name in CARRIED if fields.get(name)},
    )
    draft = _checked(rt, draft)
    return draft if draft.errors else _looked_at(rt, draft, fields.get("hint", ""))


def _looked_at(rt: Runtime, draft: Draft, choice: str) -> Draft:
    """The draft with a question about its address, or with the answer to it."""
    hint = hint_for(parse_address(draft.email).mailbox, rt.throwaway())
    if draft.hinted != draft.email:
        return replace(draft, hint=hint, hinted=draft.email)
    meant = hint.suggestion if hint and choice == "use" else None
    return replace(draft, email=meant) if meant else draft


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
        asks_health=answers is not None,
        answers=answers if draft.wants_health else None,
    )


def evidence(rt: Runtime, form: str) -> Evidence:
    """The evidence of the posted form: its name and version, and the seconds it was looked at."""
    seconds = rt.links.seconds_since(request.form.get("stamp", ""), rt.clock.machine())
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
    stamp, is_hasty = read_stamp(rt, draft.stamp)
    if not errors and is_hasty:
        errors = {"form": ONCE_MORE}
    return replace(draft, stamp=stamp, errors=errors)


def read_stamp(rt: Runtime, stamp: str) -> tuple[str, bool]:
    """A form's stamp, empty where it is not ours, and whether the form came back too soon."""
    seconds = rt.links.seconds_since(stamp, rt.clock.machine())
    return ("", True) if seconds is None else (stamp, seconds < MIN_SECONDS)


def _errors(draft: Draft) -> dict[str, str]:
    errors = {}
    problem = name_problem(draft.name)
    if problem:
        errors["name"] = problem
    try:
        parse_address(draft.email)
    except InvalidInput as error:
        errors[error.field] = str(error)
    return errors


def name_problem(name: str) -> str | None:
    """What is wrong with a first name as it was typed; None when nothing is."""
    if UNREADABLE in name:
        return "Your first name has a character we cannot read. Please type it again."
    try:
        parse_name(name)
    except InvalidInput as error:
        return str(error)
    return None


def zone_name(name: str) -> str:
    """The time zone that was told, when it is one of a place, or UTC; else nothing."""
    is_place = "/" in name and not name.startswith(NO_PLACES)
    return name if (is_place or name == "UTC") and name in _zones() else ""


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
