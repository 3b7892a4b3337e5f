"""The form for complaints about how we handled somebody's details: open to everybody."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from funnel.domain.complaints import MAX_WORDS, parse_words
from funnel.domain.errors import InvalidInput, TooManyTries
from funnel.domain.people import parse_address, parse_name
from funnel.runtime import Runtime
from funnel.services.complaints import Letter
from funnel.web import errors, forms, gate
from funnel.web.routes import routes_of

TOO_MANY = (
    "Too many complaints came from this connection. Please try again in an hour, or write to us."
)
BUSY = "Something is busy on our side. Please try again in a minute."


@dataclass(frozen=True)
class Draft:
    """A complaint as it was left, with a message for each field that needs another look."""

    name: str = ""
    email: str = ""
    words: str = ""
    stamp: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)


def routes(rt: Runtime) -> Blueprint:
    """The form, and what is shown when it was sent."""
    return routes_of("complaint", rt, ROUTES)


def open_form(_: Runtime) -> ResponseReturnValue:
    return _show(Draft(), is_sent="sent" in request.args)


def _show(draft: Draft, *, is_sent: bool = False) -> str:
    return render_template(
        "public/complaint.html", draft=draft, is_sent=is_sent, max_words=MAX_WORDS
    )


def send(rt: Runtime) -> ResponseReturnValue:
    """Take a complaint. The answer is the same for every address, machines included."""
    draft = _checked(rt)
    if draft.errors:
        return _show(draft), 422
    if not forms.is_trapped():
        letter = Letter(
            parse_address(draft.email), parse_name(draft.name), parse_words(draft.words)
        )
        try:
            is_admitted = _take(rt, letter)
        except TooManyTries:
            return _show(replace(draft, errors={"form": TOO_MANY})), 429
        except errors.AWAY as error:
            errors.note(error)
            return _show(replace(draft, errors={"form": BUSY})), 503
        if not is_admitted:
            return _show(replace(draft, errors={"form": gate.ONE_STEP_MORE})), 422
        rt.bell.ring("mail")
    return redirect("/complaint?sent=1", 303)


def _take(rt: Runtime, letter: Letter) -> bool:
    """Take a complaint in, unless the gate asks for a proof that it does not bring.

    Raises TooManyTries, once the refusal and the used proof are kept.
    """
    now, ip_key = rt.clock.now(), forms.ip_key()
    with rt.sessions.begin() as session:
        is_admitted = gate.admits(rt, session)
        is_taken = is_admitted and rt.complaints.take(
            session, letter, links=rt.links, ip_key=ip_key, now=now
        )
    if is_admitted and not is_taken:
        raise TooManyTries
    return is_admitted


def _checked(rt: Runtime) -> Draft:
    fields = forms.posted_fields()
    draft = Draft(
        name=fields.get("name", ""), email=fields.get("email", ""), words=fields.get("words", "")
    )
    problems = _problems(draft)
    stamp, is_hasty = forms.read_stamp(rt, fields.get("stamp", ""))
    if not problems and is_hasty:
        problems = {"form": forms.ONCE_MORE}
    return replace(draft, stamp=stamp, errors=problems)


def _problems(draft: Draft) -> dict[str, str]:
    found = {}
    if name_problem := forms.name_problem(draft.name):
        found["name"] = name_problem
    for read, value in ((parse_address, draft.email), (parse_words, draft.words)):
        try:
            read(value)
        except InvalidInput as problem:
            found[problem.field] = str(problem)
    return found


ROUTES = (
    ("/complaint", "GET", open_form),
    ("/complaint", "POST", send),
)
