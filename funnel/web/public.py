"""The front door: landing page, check your inbox, confirmation."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from funnel.domain.errors import InvalidInput, LinkInvalid
from funnel.domain.people import Address, parse_address
from funnel.links import LinkPurpose
from funnel.runtime import Runtime
from funnel.services import confirming, signup
from funnel.services.rights import notice
from funnel.web import errors, forms, gate, paper
from funnel.web.routes import routes_of

IN_A_MINUTE = "Something is busy on our side. Please try again in a minute."
INBOX_SECONDS = 24 * 60 * 60
FRIEZE = ("stand", "hip-flexor-end", "bridge-top", "squat-end")
WEBMAILS = (
    ("Gmail", "https://mail.google.com/", ("gmail.", "googlemail.")),
    ("Outlook", "https://outlook.live.com/mail/", ("outlook.", "hotmail.", "live.", "msn.")),
    ("Yahoo", "https://mail.yahoo.com/", ("yahoo.", "ymail.", "rocketmail.", "sky.")),
    ("iCloud", "https://www.icloud.com/mail/", ("icloud.", "me.", "mac.")),
)


def routes(rt: Runtime) -> Blueprint:
    """The public pages and the page behind a confirm link."""
    return routes_of("public", rt, ROUTES)


def landing(rt: Runtime) -> ResponseReturnValue:
    return show_landing(rt, forms.fresh_draft(rt))


def show_landing(rt: Runtime, draft: forms.Draft) -> str:
    """The landing page with this form on it."""
    return render_template(
        "public/landing.html",
        draft=draft,
        frieze=tuple(zip(rt.catalog.brand.pain_steps, FRIEZE, strict=True)),
        challenge=rt.catalog.challenge,
        home_url=rt.links.url("home"),
        self_check_url=url_for("self_check.start", **forms.passed_on(draft.carried)),
    )


def sign_up(rt: Runtime) -> ResponseReturnValue:
    return answer_request(rt, forms.posted_draft(rt), "landing", show=partial(show_landing, rt))


def answer_request(
    rt: Runtime,
    draft: forms.Draft,
    form: str,
    *,
    show: Callable[[forms.Draft], str],
    answers: Mapping[str, str] | None = None,
) -> ResponseReturnValue:
    """Take a request for the guide, or `show` its form again with what to mend.

    The answer is the same for every address, machines included.
    """
    if draft.needs_another_look:
        return show(draft), 422
    asked = forms.signup_request(rt, draft, form, answers)
    if not forms.is_trapped():
        try:
            is_admitted = gate.let_in(rt, partial(signup.request_guide, keeper=rt.keeper), asked)
        except errors.AWAY as error:
            errors.note(error)
            return show(replace(draft, errors={"form": IN_A_MINUTE})), 503
        if not is_admitted:
            return show(replace(draft, errors={"form": gate.ONE_STEP_MORE})), 422
        rt.bell.ring("mail")
    return redirect(f"/check-your-inbox/{rt.links.seal(asked.address.mailbox)}", 303)


def back_to_landing(_: Runtime) -> ResponseReturnValue:
    """A landing page that came back with messages lives at /signup: reloading it starts afresh."""
    return redirect("/", 303)


def check_your_inbox(rt: Runtime, sealed: str) -> ResponseReturnValue:
    return _show_inbox(rt, sealed)


def _show_inbox(rt: Runtime, sealed: str, problem: str = "") -> str:
    address = _unseal(rt, sealed)
    return render_template(
        "public/check_your_inbox.html",
        address=address.mailbox,
        sealed=sealed,
        webmails=_webmails(address),
        is_resent="again" in request.args,
        problem=problem,
    )


def back_to_inbox(_: Runtime, sealed: str) -> ResponseReturnValue:
    """The page that came back after "send it again" lives at an address of its own."""
    return redirect(f"/check-your-inbox/{sealed}", 303)


def _unseal(rt: Runtime, sealed: str) -> Address:
    try:
        return parse_address(rt.links.unseal(sealed, INBOX_SECONDS))
    except InvalidInput as error:  # sealed by us, but for another page
        raise LinkInvalid from error


def _webmails(address: Address) -> list[tuple[str, str]]:
    """Where this address is likely to be read; everything we know when we cannot tell."""
    host = address.key.rpartition("@")[2]
    known = [(name, url) for name, url, hosts in WEBMAILS if host.startswith(hosts)]
    return known or [(name, url) for name, url, _ in WEBMAILS]


def resend(rt: Runtime, sealed: str) -> ResponseReturnValue:
    address = _unseal(rt, sealed)
    forms.posted_fields()
    if not forms.is_trapped():
        if not gate.let_in(rt, signup.resend_confirmation, address):
            return _show_inbox(rt, sealed, gate.ONE_STEP_MORE), 422
        rt.bell.ring("mail")
    return redirect(f"/check-your-inbox/{sealed}?again=1", 303)


def ask_to_confirm(rt: Runtime, token: str) -> ResponseReturnValue:
    handle = rt.links.read(LinkPurpose.CONFIRM, token)
    with rt.reading.begin() as session:
        asked = confirming.confirmation_view(session, handle, now=rt.clock.now(), keeper=rt.keeper)
    return render_template("public/confirm.html", asked=asked)


def confirm(rt: Runtime, token: str) -> ResponseReturnValue:
    """Confirm the address. Pressing again changes nothing and leads to the same page."""
    handle = rt.links.read(LinkPurpose.CONFIRM, token)
    evidence = forms.evidence(rt, "confirm")
    with rt.sessions.begin() as session:
        done = confirming.confirm(
            session,
            handle,
            evidence,
            now=rt.clock.now(),
            links=rt.links,
            keeper=rt.keeper,
            with_answers=forms.posted_fields().get("answers") == "yes",
        )
    rt.bell.ring("pdf")
    rt.bell.ring("mail")
    return redirect(f"/thank-you/{rt.links.token(LinkPurpose.GUIDE, done.guide_handle)}", 303)


def privacy(rt: Runtime) -> ResponseReturnValue:
    """The notice in force: the very version that lines of evidence point at."""
    with rt.reading.begin() as session:
        found = notice.current(session)
    if found is None:
        abort(404)
    return render_template("public/privacy.html", notice=found, html=paper.html_of(found.source))


def safety(_: Runtime) -> ResponseReturnValue:
    return render_template("public/safety.html")


ROUTES = (
    ("/", "GET", landing),
    ("/signup", "GET", back_to_landing),
    ("/signup", "POST", sign_up),
    ("/check-your-inbox/<sealed>", "GET", check_your_inbox),
    ("/check-your-inbox/<sealed>/resend", "GET", back_to_inbox),
    ("/check-your-inbox/<sealed>/resend", "POST", resend),
    ("/confirm/<token>", "GET", ask_to_confirm),
    ("/confirm/<token>", "POST", confirm),
    ("/privacy", "GET", privacy),
    ("/safety", "GET", safety),
)
