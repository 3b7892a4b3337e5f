"""The second step at the door: the code of the phone, or one on paper."""

from flask import Blueprint, g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from funnel.domain.errors import TooManyTries, WrongCode
from funnel.runtime import Runtime
from funnel.services import second_factor
from funnel.services.browsers import SignedIn
from funnel.web.desk import access


def add_pages(routes: Blueprint, rt: Runtime) -> None:
    """The page that asks for the code."""

    @routes.route("/second-step", methods=["GET", "POST"])
    def second_step() -> ResponseReturnValue:
        onward = access.safe_return(request.values.get("to"))
        if not g.staff.needs_code:
            return redirect(onward, 303)
        if request.method != "POST":
            return _door()
        try:
            return access.remember(redirect(onward, 303), rt, _prove(rt))
        except WrongCode as refused:
            return _door(str(refused)), 422
        except TooManyTries as refused:
            return _door(str(refused)), 429


def _door(problem: str = "") -> str:
    to = request.values.get("to", "")
    return render_template("desk/second_step.html", problem=problem, to=to)


def _prove(rt: Runtime) -> SignedIn:
    """Count the try first, in a transaction of its own, so that a refusal is remembered."""
    typed, now, who = request.form.get("code", ""), rt.clock.machine(), g.staff.id
    visitor = access.visitor(rt)
    with rt.sessions.begin() as session:
        is_allowed = second_factor.count_try(session, who, typed, **visitor, now=now)
    if not is_allowed:
        raise TooManyTries
    token = access.session_token(rt)
    with rt.sessions.begin() as session:
        signed_in = second_factor.prove(session, who, token, typed, vault=rt.vault, now=now)
        second_factor.forget_tries(session, who, **visitor)
    return signed_in
