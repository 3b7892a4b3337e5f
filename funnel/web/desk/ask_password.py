"""The password once more, before a page that can do much."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from funnel.runtime import Runtime
from funnel.web.desk import access


def add_pages(routes: Blueprint, rt: Runtime) -> None:
    """The page that asks, and leads on to where somebody was going."""

    @routes.route("/password", methods=["GET", "POST"])
    def ask_password() -> ResponseReturnValue:
        if request.method != "POST":
            return _page()
        refusal = access.give_password(rt, request.form.get(access.AGAIN, ""))
        if refusal is not None:
            return _page(refusal.words), refusal.status
        return redirect(access.safe_return(request.form.get("to")), 303)


def _page(problem: str = "") -> str:
    return render_template(
        "desk/ask_password.html",
        problem=problem,
        action=url_for("desk.ask_password"),
        waiting=[("to", request.values.get("to", ""))],
    )
