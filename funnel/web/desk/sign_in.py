"""Signing in and out."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from funnel.domain.errors import TooManyTries, WrongPassword
from funnel.runtime import Runtime
from funnel.services import browsers, staff
from funnel.services.browsers import SignedIn
from funnel.web.desk import access

STALE_FORM = "This page had been open for long. Please sign in once more."
STAMP_SECONDS = 12 * 60 * 60


def add_pages(routes: Blueprint, rt: Runtime) -> None:
    """The two doors: in and out."""

    @routes.route("/sign-in", methods=["GET", "POST"])
    def sign_in() -> Response | str | tuple[str, int]:
        if request.method != "POST":
            return _page(rt)
        if not _has_fresh_stamp(rt):
            return _page(rt, STALE_FORM), 422
        try:
            return access.remember(
                redirect(access.safe_return(request.form.get("to")), 303), rt, _try(rt)
            )
        except WrongPassword as refused:
            return _page(rt, str(refused)), 422
        except TooManyTries as refused:
            return _page(rt, str(refused)), 429

    @routes.post("/sign-out")
    def sign_out() -> Response:
        with rt.sessions.begin() as session:
            staff.sign_out(session, access.session_token(rt), now=rt.clock.machine())
        return access.forget(redirect(url_for("desk.sign_in"), 303), rt)


def _page(rt: Runtime, problem: str | None = None) -> str:
    with rt.reading.begin() as session:
        has_staff = staff.has_staff(session)
    return render_template(
        "desk/sign_in.html",
        problem=problem,
        has_staff=has_staff,
        email=request.form.get("email", ""),
        to=request.values.get("to", ""),
    )


def _has_fresh_stamp(rt: Runtime) -> bool:
    age = rt.links.seconds_since(request.form.get("stamp", ""), rt.clock.machine())
    return age is not None and age < STAMP_SECONDS


def _try(rt: Runtime) -> SignedIn:
    """Open a session for the right password; the one this browser had is over."""
    email, now = request.form.get("email", ""), rt.clock.machine()
    account = access.right_password(rt, email, request.form.get("password", ""))
    with rt.sessions.begin() as session:
        signed_in = staff.sign_in(session, account, now=now, browser=access.browser())
        browsers.end(session, access.session_token(rt), now=now)
        staff.forget_tries(session, email, **access.visitor(rt))
    return signed_in
