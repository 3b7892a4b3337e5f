"""A person's guide behind its link: the thanks, the downloads, every edition of it."""

from io import BytesIO
from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request, send_file
from flask.typing import ResponseReturnValue

from funnel.domain.errors import LinkExpired
from funnel.domain.guides import Edition
from funnel.links import LinkPurpose
from funnel.runtime import Runtime
from funnel.services import challenge, guides, preferences, self_check
from funnel.web import forms
from funnel.web.routes import routes_of

LOOK_AGAIN_SECONDS = 3
# No name stands in a file's name: it is seen wherever the file goes.
PDF_NAMES = {
    Edition.GUIDE: "pain-relief-blueprint.pdf",
    Edition.TRACKER: "pain-relief-tracker.pdf",
    Edition.LARGE: "pain-relief-blueprint-large-print.pdf",
}


def routes(rt: Runtime) -> Blueprint:
    """The pages behind a guide's link."""
    return routes_of("guide", rt, ROUTES)


def thank_you(rt: Runtime, token: str) -> ResponseReturnValue:
    view = _view(rt, token)
    if view.is_expired:
        return redirect(f"/guide/{token}", 303)
    handle = view.subscriber_handle
    with rt.reading.begin() as session:
        entered = challenge.challenge_view(
            session, handle, challenge=rt.catalog.challenge, now=rt.clock.now()
        )
        chosen = preferences.preferences_view(session, handle, now=rt.clock.now())
    page = render_template(
        "public/thank_you.html",
        view=view,
        token=token,
        is_joined=entered.is_joined,
        has_series=chosen.has_series,
        challenge=rt.catalog.challenge,
        portal_token=_portal_token(rt, handle),
    )
    return _looking_again(page, view)


def guide(rt: Runtime, token: str) -> ResponseReturnValue:
    view = _view(rt, token)
    page = render_template(
        "public/guide.html",
        view=view,
        token=token,
        is_sent="sent" in request.args,
        is_forgotten="forgotten" in request.args,
        challenge=rt.catalog.challenge,
        portal_token=None if view.is_expired else _portal_token(rt, view.subscriber_handle),
    )
    return _looking_again(page, view)


def _view(rt: Runtime, token: str) -> guides.GuideView:
    with rt.reading.begin() as session:
        return guides.guide_view(session, _handle(rt, token), now=rt.clock.now())


def _handle(rt: Runtime, token: str) -> UUID:
    return rt.links.read(LinkPurpose.GUIDE, token)


def _portal_token(rt: Runtime, handle: UUID) -> str:
    """Leads on to the challenge. Only a link that has not run out may hand it on."""
    return rt.links.token(LinkPurpose.PORTAL, handle)


def _looking_again(page: str, view: guides.GuideView) -> ResponseReturnValue:
    """The page; while something is being made, one that the browser asks for again by itself."""
    if view.is_expired or not view.is_waiting:
        return page
    return page, {"Refresh": str(LOOK_AGAIN_SECONDS)}


def download(rt: Runtime, token: str) -> ResponseReturnValue:
    """Count a pressed button and lead to the file, or to the page that waits for it."""
    handle, now = _handle(rt, token), rt.clock.now()
    edition = _edition(forms.posted_fields().get("edition", Edition.GUIDE))
    try:
        with rt.sessions.begin() as session:
            is_there = guides.want(session, handle, edition, shelf=rt.shelf, now=now)
            if is_there:
                guides.count_download(session, handle, now=now)
    except LinkExpired:
        is_there = False
    if not is_there:
        rt.bell.ring("pdf")
        return redirect(f"/guide/{token}", 303)
    return redirect(f"/guide/{token}/{PDF_NAMES[edition]}", 303)


def _edition(name: str) -> Edition:
    if name not in set(Edition):
        abort(400)
    return Edition(name)


def pdf(rt: Runtime, token: str, name: str) -> ResponseReturnValue:
    """The file itself; a guide that is not ready or has run out leads back to its page."""
    handle = _handle(rt, token)
    edition = next((each for each, known in PDF_NAMES.items() if known == name), None)
    if edition is None:
        abort(404)
    try:
        with rt.reading.begin() as session:
            file = guides.guide_file(session, handle, edition, shelf=rt.shelf, now=rt.clock.now())
    except LinkExpired:
        file = None
    if file is None:
        return redirect(f"/guide/{token}", 303)
    return send_pdf(file, name)


def send_pdf(
    file: guides.GuideFile, name: str, *, as_attachment: bool = True
) -> ResponseReturnValue:
    """A PDF as an answer, whole or in the ranges that were asked for; never kept by the way."""
    answer = send_file(
        BytesIO(file.content),
        "application/pdf",
        as_attachment=as_attachment,
        download_name=name,
        etag=file.sha256,
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def forget_answers(rt: Runtime, token: str) -> ResponseReturnValue:
    """Delete her answers to the self-check. Pressing again changes nothing."""
    view, evidence = _view(rt, token), forms.evidence(rt, "guide")
    with rt.sessions.begin() as session:
        self_check.withdraw(session, view.subscriber_handle, evidence=evidence, now=rt.clock.now())
    rt.bell.ring("pdf")
    return redirect(f"/guide/{token}?forgotten=1", 303)


def send_again(rt: Runtime, token: str) -> ResponseReturnValue:
    handle = _handle(rt, token)
    with rt.sessions.begin() as session:
        guides.send_again(session, handle, now=rt.clock.now())
    rt.bell.ring("mail")
    return redirect(f"/guide/{token}?sent=1", 303)


ROUTES = (
    ("/thank-you/<token>", "GET", thank_you),
    ("/guide/<token>", "GET", guide),
    ("/guide/<token>/download", "POST", download),
    ("/guide/<token>/<name>", "GET", pdf),
    ("/guide/<token>/again", "POST", send_again),
    ("/guide/<token>/forget-answers", "POST", forget_answers),
)
