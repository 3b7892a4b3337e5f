"""The door of the desk: nobody passes without a session, and no form without its token.

Where somebody still owes the second step, or a production desk has none yet, only that is open.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TypedDict

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from funnel.domain.browsers import browser_name
from funnel.domain.errors import SignedOut, TooManyTries, WrongPassword
from funnel.runtime import Runtime
from funnel.services import browsers, control, staff
from funnel.web import forms

# The only pages that may be seen from outside.
OPEN_PAGES = frozenset({"desk.sign_in", "desk.set_up"})
# With the password alone, while the code of the phone is owed.
HALFWAY_PAGES = frozenset({"desk.second_step", "desk.sign_out"})
# In production, while no second step is set up.
FIRST_PAGES = frozenset({"desk.set_up_second_step", "desk.ask_password", "desk.sign_out"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
AGAIN = "password_again"
NOT_YOURS = "That is not your password."

View = Callable[..., ResponseReturnValue]


def guard(routes: Blueprint, rt: Runtime) -> None:
    """Refuse every request of the desk that brings no live session."""

    @routes.before_request
    def let_in() -> Response | None:
        g.csrf = ""
        if request.endpoint in OPEN_PAGES:
            return None
        if not _recognise(rt):
            return redirect(url_for("desk.sign_in", to=_page_to_return_to()), 303)
        if request.method not in SAFE_METHODS:
            _check_csrf()
        return _one_step_more(rt)

    @routes.errorhandler(SignedOut)
    def signed_out(_error: SignedOut) -> Response:
        return redirect(url_for("desk.sign_in"), 303)

    @routes.context_processor
    def who() -> dict[str, object]:
        return {"staff": g.get("staff"), "sending": g.get("sending")}


def _recognise(rt: Runtime) -> bool:
    token, now = session_token(rt), rt.clock.machine()
    if not token:
        return False
    with rt.reading.begin() as session:
        view = browsers.find_session(session, token, now=now)
        g.sending = control.sending_state(session)
    if view is None:
        return False
    g.staff, g.csrf = view, view.csrf
    if view.needs_keep_alive:
        with rt.sessions.begin() as session:
            browsers.keep_alive(session, token, now=now)
    return True


def _one_step_more(rt: Runtime) -> Response | None:
    """Where somebody is led who may not see anything of the desk yet."""
    if g.staff.needs_code:
        page, is_open = "desk.second_step", request.endpoint in HALFWAY_PAGES
    elif rt.settings.is_production and not g.staff.has_second_factor:
        page, is_open = "desk.set_up_second_step", request.endpoint in FIRST_PAGES
    else:
        return None
    return None if is_open else redirect(url_for(page, to=_page_to_return_to()), 303)


def _check_csrf() -> None:
    if not staff.same_token(g.csrf, request.form.get("csrf", "")):
        abort(403)


def _page_to_return_to() -> str | None:
    return request.full_path.rstrip("?") if request.method == "GET" else None


def safe_return(path: str | None) -> str:
    """A page of the desk to go on to; anything else leads to the overview."""
    is_ours = path is not None and path.startswith("/desk/") and path.isprintable()
    if path is None or not is_ours or "//" in path or "\\" in path:
        return url_for("desk.overview")
    return path


def session_token(rt: Runtime) -> str:
    """The secret of the browser's session; empty when it has none."""
    return request.cookies.get(_cookie_name(rt), "")


def remember(response: Response, rt: Runtime, signed_in: browsers.SignedIn) -> Response:
    """Give the browser its session, for as long as it stays open."""
    response.set_cookie(
        _cookie_name(rt),
        signed_in.token,
        path="/",
        secure=rt.settings.is_secure,
        httponly=True,
        samesite="Lax",
    )
    return response


def forget(response: Response, rt: Runtime) -> Response:
    """Take the session out of the browser."""
    response.delete_cookie(
        _cookie_name(rt),
        path="/",
        secure=rt.settings.is_secure,
        httponly=True,
        samesite="Lax",
    )
    return response


def _cookie_name(rt: Runtime) -> str:
    return "__Host-desk" if rt.settings.is_secure else "desk"


def right_password(rt: Runtime, email: str, password: str) -> staff.Account:
    """The account whose password this is; raises WrongPassword or TooManyTries.

    The try is counted first, in a transaction of its own, so that a refusal is remembered. The
    password is checked between transactions: it takes long, and nobody waits for it.
    """
    now = rt.clock.machine()
    with rt.sessions.begin() as session:
        is_allowed = staff.count_try(session, email, **visitor(rt), now=now)
    if not is_allowed:
        raise TooManyTries
    with rt.reading.begin() as session:
        found = staff.find_account(session, email)
    return staff.check_password(found, password)


def browser() -> str:
    """What the browser of the request is called."""
    return browser_name(request.user_agent.string)


class _Visitor(TypedDict):
    ip_key: str
    pepper: bytes


def visitor(rt: Runtime) -> _Visitor:
    """Who is counted when tries are."""
    return {"ip_key": forms.ip_key(), "pepper": rt.links.pepper}


@dataclass(frozen=True)
class Refusal:
    """Why a password was not taken, and the status to say it with."""

    words: str
    status: int


def give_password(rt: Runtime, password: str) -> Refusal | None:
    """Take the password of whoever is signed in once more; None when it was right."""
    try:
        right_password(rt, g.staff.email, password)
    except WrongPassword:
        return Refusal(NOT_YOURS, 422)
    except TooManyTries as refused:
        return Refusal(str(refused), 429)
    with rt.sessions.begin() as session:
        browsers.note_password(session, session_token(rt), now=rt.clock.machine())
        staff.forget_tries(session, g.staff.email, **visitor(rt))
    return None


def needs_recent_password(rt: Runtime) -> Callable[[View], View]:
    """Ask for the password again, unless it was given in the last five minutes, and go on.

    A page is asked for before it is shown. A form that was sent waits in the page that asks, with
    all that was typed; only a file cannot wait, so the page of such a form is to be asked for too.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def asked(**parts: object) -> ResponseReturnValue:
            if g.staff.has_fresh_password:
                return view(**parts)
            if request.method in SAFE_METHODS:
                return redirect(url_for("desk.ask_password", to=_page_to_return_to()), 303)
            given = request.form.get(AGAIN)
            refusal = Refusal("", 403) if given is None else give_password(rt, given)
            return view(**parts) if refusal is None else _ask_before_acting(refusal)

        return asked

    return decorate


def _ask_before_acting(refusal: Refusal) -> ResponseReturnValue:
    waiting = [each for each in request.form.items(multi=True) if each[0] not in {"csrf", AGAIN}]
    page = render_template(
        "desk/ask_password.html", problem=refusal.words, action=request.full_path, waiting=waiting
    )
    return page, refusal.status
