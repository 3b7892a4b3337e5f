"""The front door: landing page, confirmation, thanks, and the guide behind its link."""

from dataclasses import replace
from functools import partial
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, send_file
from flask.typing import ResponseReturnValue

from funnel.domain.errors import LinkExpired
from funnel.domain.people import Address, parse_address
from funnel.links import LinkPurpose
from funnel.runtime import Runtime
from funnel.services import challenge, guides, preferences, signup
from funnel.web import errors, forms

IN_A_MINUTE = "Something is busy on our side. Please try again in a minute."
INBOX_SECONDS = 24 * 60 * 60
LOOK_AGAIN_SECONDS = 4
PDF_NAME = "pain-relief-blueprint.pdf"
FRIEZE = ("stand", "hip-flexor-end", "bridge-top", "squat-end")
WEBMAILS = (
    ("Gmail", "https://mail.google.com/", ("gmail.", "googlemail.")),
    ("Outlook", "https://outlook.live.com/mail/", ("outlook.", "hotmail.", "live.", "msn.")),
    ("Yahoo", "https://mail.yahoo.com/", ("yahoo.", "ymail.", "rocketmail.", "sky.")),
    ("iCloud", "https://www.icloud.com/mail/", ("icloud.", "me.", "mac.")),
)


def routes(rt: Runtime) -> Blueprint:
    """The public pages and the pages behind confirm and guide links."""
    pages = Blueprint("public", __name__)
    for rule, method, view in ROUTES:
        pages.add_url_rule(
            rule, endpoint=view.__name__, view_func=partial(view, rt), methods=[method]
        )
    return pages


def landing(rt: Runtime) -> ResponseReturnValue:
    return _landing(rt, forms.fresh_draft(rt))


def _landing(rt: Runtime, draft: forms.Draft) -> str:
    return render_template(
        "public/landing.html",
        draft=draft,
        frieze=tuple(zip(rt.catalog.brand.pain_steps, FRIEZE, strict=True)),
        challenge=rt.catalog.challenge,
        home_url=rt.links.url("home"),
    )


def sign_up(rt: Runtime) -> ResponseReturnValue:
    """Take a request for the guide. The answer is the same for every address, machines included."""
    draft = forms.posted_draft(rt)
    if draft.errors:
        return _landing(rt, draft), 422
    asked = forms.signup_request(rt, draft, "landing")
    if not forms.is_trapped():
        now = rt.clock.now()
        try:
            with rt.sessions.begin() as session:
                signup.request_guide(session, asked, now=now, links=rt.links, ip_key=forms.ip_key())
        except errors.AWAY as error:
            errors.note(error)
            return _landing(rt, replace(draft, errors={"form": IN_A_MINUTE})), 503
        rt.bell.ring("mail")
    return redirect(f"/check-your-inbox/{rt.links.seal(asked.address.mailbox)}", 303)


def back_to_landing(_: Runtime) -> ResponseReturnValue:
    """A landing page that came back with messages lives at /signup: reloading it starts afresh."""
    return redirect("/", 303)


def check_your_inbox(rt: Runtime, sealed: str) -> ResponseReturnValue:
    address = _unseal(rt, sealed)
    return render_template(
        "public/check_your_inbox.html",
        address=address.mailbox,
        sealed=sealed,
        webmails=_webmails(address),
        is_resent="again" in request.args,
    )


def _unseal(rt: Runtime, sealed: str) -> Address:
    return parse_address(rt.links.unseal(sealed, INBOX_SECONDS))


def _webmails(address: Address) -> list[tuple[str, str]]:
    """Where this address is likely to be read; everything we know when we cannot tell."""
    host = address.key.rpartition("@")[2]
    known = [(name, url) for name, url, hosts in WEBMAILS if host.startswith(hosts)]
    return known or [(name, url) for name, url, _ in WEBMAILS]


def resend(rt: Runtime, sealed: str) -> ResponseReturnValue:
    address = _unseal(rt, sealed)
    forms.posted_fields()
    if not forms.is_trapped():
        now, ip_key = rt.clock.now(), forms.ip_key()
        with rt.sessions.begin() as session:
            signup.resend_confirmation(session, address, now=now, links=rt.links, ip_key=ip_key)
        rt.bell.ring("mail")
    return redirect(f"/check-your-inbox/{sealed}?again=1", 303)


def ask_to_confirm(rt: Runtime, token: str) -> ResponseReturnValue:
    handle = rt.links.read(LinkPurpose.CONFIRM, token)
    with rt.reading.begin() as session:
        asked = signup.confirmation_view(session, handle, now=rt.clock.now())
    return render_template("public/confirm.html", asked=asked)


def confirm(rt: Runtime, token: str) -> ResponseReturnValue:
    """Confirm the address. Pressing again changes nothing and leads to the same page."""
    handle = rt.links.read(LinkPurpose.CONFIRM, token)
    evidence = forms.evidence(rt, "confirm")
    with rt.sessions.begin() as session:
        done = signup.confirm(session, handle, evidence, now=rt.clock.now(), links=rt.links)
    rt.bell.ring("pdf")
    rt.bell.ring("mail")
    return redirect(f"/thank-you/{rt.links.token(LinkPurpose.GUIDE, done.guide_handle)}", 303)


def thank_you(rt: Runtime, token: str) -> ResponseReturnValue:
    guide = _guide(rt, token)
    if guide.is_expired:
        return redirect(f"/guide/{token}", 303)
    handle = guide.subscriber_handle
    with rt.reading.begin() as session:
        entered = challenge.challenge_view(
            session, handle, challenge=rt.catalog.challenge, now=rt.clock.now()
        )
        chosen = preferences.preferences_view(session, handle)
    page = render_template(
        "public/thank_you.html",
        guide=guide,
        token=token,
        is_joined=entered.is_joined,
        has_series=chosen.has_series,
        challenge=rt.catalog.challenge,
        portal_token=_portal_token(rt, handle),
    )
    return _looking_again(page, guide)


def guide(rt: Runtime, token: str) -> ResponseReturnValue:
    view = _guide(rt, token)
    page = render_template(
        "public/guide.html",
        guide=view,
        token=token,
        is_sent="sent" in request.args,
        challenge=rt.catalog.challenge,
        portal_token=None if view.is_expired else _portal_token(rt, view.subscriber_handle),
    )
    return _looking_again(page, view)


def _guide(rt: Runtime, token: str) -> guides.GuideView:
    with rt.reading.begin() as session:
        return guides.guide_view(session, _guide_handle(rt, token), now=rt.clock.now())


def _guide_handle(rt: Runtime, token: str) -> UUID:
    return rt.links.read(LinkPurpose.GUIDE, token)


def _portal_token(rt: Runtime, handle: UUID) -> str:
    """Leads on to the challenge. Only a link that has not run out may hand it on."""
    return rt.links.token(LinkPurpose.PORTAL, handle)


def _looking_again(page: str, view: guides.GuideView) -> ResponseReturnValue:
    """The page; while the guide is being made, one that the browser asks for again by itself."""
    if view.is_ready or view.has_failed or view.is_expired:
        return page
    return page, {"Refresh": str(LOOK_AGAIN_SECONDS)}


def count_download(rt: Runtime, token: str) -> ResponseReturnValue:
    handle = _guide_handle(rt, token)
    with rt.sessions.begin() as session:
        guides.make_again_if_gone(session, handle, storage=rt.storage, now=rt.clock.now())
        guides.count_download(session, handle, now=rt.clock.now())
    rt.bell.ring("pdf")
    return redirect(f"/guide/{token}/{PDF_NAME}", 303)


def guide_pdf(rt: Runtime, token: str) -> ResponseReturnValue:
    """The file itself; a guide that is not ready or has run out leads back to its page."""
    handle = _guide_handle(rt, token)
    try:
        with rt.reading.begin() as session:
            path = guides.guide_file(session, handle, storage=rt.storage, now=rt.clock.now())
    except LinkExpired:
        path = None
    if path is None:
        return redirect(f"/guide/{token}", 303)
    answer = send_file(path, "application/pdf", as_attachment=True, download_name=PDF_NAME)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def send_guide_again(rt: Runtime, token: str) -> ResponseReturnValue:
    handle = _guide_handle(rt, token)
    with rt.sessions.begin() as session:
        guides.send_again(session, handle, now=rt.clock.now())
    rt.bell.ring("mail")
    return redirect(f"/guide/{token}?sent=1", 303)


def privacy(rt: Runtime) -> ResponseReturnValue:
    is_sendgrid = rt.settings.mail_url.startswith("sendgrid:")
    return render_template("public/privacy.html", is_sendgrid=is_sendgrid)


def safety(_: Runtime) -> ResponseReturnValue:
    return render_template("public/safety.html")


ROUTES = (
    ("/", "GET", landing),
    ("/signup", "GET", back_to_landing),
    ("/signup", "POST", sign_up),
    ("/check-your-inbox/<sealed>", "GET", check_your_inbox),
    ("/check-your-inbox/<sealed>/resend", "POST", resend),
    ("/confirm/<token>", "GET", ask_to_confirm),
    ("/confirm/<token>", "POST", confirm),
    ("/thank-you/<token>", "GET", thank_you),
    ("/guide/<token>", "GET", guide),
    ("/guide/<token>/download", "POST", count_download),
    (f"/guide/<token>/{PDF_NAME}", "GET", guide_pdf),
    ("/guide/<token>/again", "POST", send_guide_again),
    ("/privacy", "GET", privacy),
    ("/safety", "GET", safety),
)
