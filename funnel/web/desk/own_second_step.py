"""The second step in your own hands: set up, on a new phone, new codes on paper, switched off."""

import segno
from flask import Blueprint, abort, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from werkzeug.wrappers import Response

from funnel.domain.errors import WrongCode
from funnel.runtime import Runtime
from funnel.services import second_factor
from funnel.web.desk import access


def add_pages(routes: Blueprint, rt: Runtime) -> None:
    """The pages behind "Your account"; each asks for the password first."""
    again = access.needs_recent_password(rt)

    @routes.route("/account/second-step", methods=["GET", "POST"])
    @again
    def set_up_second_step() -> ResponseReturnValue:
        if request.method != "POST":
            return _set_up_page(rt)
        try:
            done = _turn_on(rt)
        except WrongCode as refused:
            return _set_up_page(rt, str(refused)), 422
        return access.remember(_codes_page(done.codes), rt, done.signed_in)

    @routes.post("/account/recovery-codes")
    @again
    def renew_codes() -> ResponseReturnValue:
        if not g.staff.has_second_factor:
            abort(400)
        now = rt.clock.machine()
        with rt.sessions.begin() as session:
            codes = second_factor.renew_codes(session, g.staff.id, vault=rt.vault, now=now)
        return _codes_page(codes)

    @routes.post("/account/second-step/off")
    @again
    def turn_off_second_step() -> ResponseReturnValue:
        """Only where no real person's data can be shown."""
        if rt.settings.is_production:
            abort(403)
        token, now = access.session_token(rt), rt.clock.machine()
        with rt.sessions.begin() as session:
            signed_in = second_factor.turn_off(session, g.staff.id, token, now=now)
        return access.remember(redirect(url_for("desk.account"), 303), rt, signed_in)


def _turn_on(rt: Runtime) -> second_factor.TurnedOn:
    token, now = access.session_token(rt), rt.clock.machine()
    typed = request.form.get("code", "")
    with rt.sessions.begin() as session:
        return second_factor.turn_on(session, g.staff.id, token, typed, vault=rt.vault, now=now)


def _set_up_page(rt: Runtime, problem: str = "") -> str:
    secret = second_factor.offered_secret(rt.vault, access.session_token(rt))
    practice = rt.catalog.brand.trading_name
    link = second_factor.app_link(secret, email=g.staff.email, practice=practice)
    return render_template(
        "desk/set_up_second_step.html",
        problem=problem,
        link=link,
        picture=_picture(link),
        secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        is_needed=rt.settings.is_production,
    )


def _picture(link: str) -> Markup:
    """The QR code, dark on light whatever the page is, for phones read no other."""
    drawn = segno.make(link, error="m").svg_inline(
        border=4, dark="#000", light="#fff", omitsize=True, svgclass="qr__code", lineclass=None
    )
    return Markup(drawn)  # noqa: S704 - drawn by our own code


def _codes_page(codes: tuple[str, ...]) -> Response:
    return make_response(render_template("desk/recovery_codes.html", codes=codes))
