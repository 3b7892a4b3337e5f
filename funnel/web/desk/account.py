"""Your account: the second step, the password, where you are signed in, what was done lately."""

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from funnel.domain.errors import InvalidInput, TooManyTries, WrongPassword
from funnel.runtime import Runtime
from funnel.services import accounts, browsers, second_factor, staff
from funnel.services.browsers import SignedIn
from funnel.web.desk import access

DONE = {
    "password": "Your password is changed, and every other browser is signed out.",
    "browsers": "Every other browser is signed out.",
}


def add_pages(routes: Blueprint, rt: Runtime) -> None:
    """The page and its forms."""

    @routes.get("/account")
    def account() -> str:
        return _page(rt)

    @routes.post("/account/password")
    def change_password() -> ResponseReturnValue:
        try:
            signed_in = _change_password(rt)
        except InvalidInput as problem:
            return _page(rt, problem), 422
        except TooManyTries as refused:
            return _page(rt, InvalidInput("current", str(refused))), 429
        return access.remember(_back("password"), rt, signed_in)

    @routes.post("/account/browsers")
    def sign_out_others() -> ResponseReturnValue:
        token, now = access.session_token(rt), rt.clock.machine()
        with rt.sessions.begin() as session:
            accounts.sign_out_others(session, g.staff.id, token, now=now)
        return _back("browsers")


def _back(done: str) -> Response:
    return redirect(url_for("desk.account", done=done), 303)


def _page(rt: Runtime, problem: InvalidInput | None = None) -> str:
    token, now = access.session_token(rt), rt.clock.machine()
    with rt.reading.begin() as session:
        second = second_factor.standing(session, g.staff.id)
        places = browsers.browsers(session, g.staff.id, token, now=now)
        lines = accounts.lately(session, g.staff.id)
    return render_template(
        "desk/account.html",
        second=second,
        places=places,
        lines=lines,
        problem=problem,
        done=DONE.get(request.args.get("done", "")),
        may_switch_off=not rt.settings.is_production,
    )


def _change_password(rt: Runtime) -> SignedIn:
    """Raises InvalidInput with the field to mend, or TooManyTries. Hashing is done in between."""
    who = g.staff
    try:
        access.right_password(rt, who.email, request.form.get("current", ""))
    except WrongPassword as refused:
        raise InvalidInput("current", access.NOT_YOURS) from refused
    known = (who.email, who.name, rt.catalog.brand.trading_name)
    hashed = accounts.hash_of_new(request.form.get("password", ""), known)
    token, now = access.session_token(rt), rt.clock.machine()
    with rt.sessions.begin() as session:
        signed_in = accounts.change_password(session, who.id, token, hashed, now=now)
        staff.forget_tries(session, who.email, **access.visitor(rt))
    return signed_in
