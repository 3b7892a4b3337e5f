"""The first account, made once through the link that the console prints."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from funnel.domain.errors import InvalidInput, LinkExpired, LinkInvalid
from funnel.runtime import Runtime
from funnel.services import staff
from funnel.services.browsers import SignedIn
from funnel.web.desk import access


def add_pages(routes: Blueprint, rt: Runtime) -> None:
    """The page behind the one-time link."""

    @routes.route("/set-up/<token>", methods=["GET", "POST"])
    def set_up(token: str) -> Response | str | tuple[str, int]:
        try:
            if request.method != "POST":
                return _form(rt, token)
            return access.remember(redirect(url_for("desk.overview"), 303), rt, _make(rt, token))
        except InvalidInput as problem:
            return _page(problem), 422
        except (LinkInvalid, LinkExpired):
            return render_template("desk/set_up_over.html"), 410


def _form(rt: Runtime, token: str) -> str:
    _check(rt, token)
    return _page()


def _check(rt: Runtime, token: str) -> None:
    with rt.reading.begin() as session:
        staff.check_setup(session, token, now=rt.clock.machine())


def _make(rt: Runtime, token: str) -> SignedIn:
    """Nothing is hashed for a stranger without a token, and nobody waits while it is hashed."""
    _check(rt, token)
    account = staff.new_account(
        name=request.form.get("name", ""),
        email=request.form.get("email", ""),
        password=request.form.get("password", ""),
        practice=rt.catalog.brand.trading_name,
    )
    with rt.sessions.begin() as session:
        now, browser = rt.clock.machine(), access.browser()
        return staff.set_up(session, token, account, now=now, browser=browser)


def _page(problem: InvalidInput | None = None) -> str:
    return render_template(
        "desk/set_up.html",
        problem=problem,
        name=request.form.get("name", ""),
        email=request.form.get("email", ""),
    )
