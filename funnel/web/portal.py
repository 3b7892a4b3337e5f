"""A person's own pages, opened by signed links: challenge, programme, the way out."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request
from flask.typing import ResponseReturnValue

from funnel.domain.people import parse_address
from funnel.links import LinkPurpose
from funnel.runtime import Runtime
from funnel.services import challenge, offers, signup, suppression
from funnel.services.challenge import ChallengeView
from funnel.web import forms, gate
from funnel.web.routes import routes_of

OFFER = "lower-back-programme"


def routes(rt: Runtime) -> Blueprint:
    """The pages behind portal and unsubscribe links."""
    return routes_of("portal", rt, ROUTES)


def open_challenge(rt: Runtime) -> ResponseReturnValue:
    return _open_challenge(rt, forms.Draft())


def _open_challenge(rt: Runtime, draft: forms.Draft) -> str:
    return render_template(
        "public/challenge.html",
        draft=draft,
        challenge=rt.catalog.challenge,
        is_sent="sent" in request.args,
    )


def send_challenge_link(rt: Runtime) -> ResponseReturnValue:
    """Mail a confirmed person their link. The answer is the same for every address."""
    draft = forms.posted_draft(rt)
    if draft.needs_another_look:
        return _open_challenge(rt, draft), 422
    if not forms.is_trapped():
        if not gate.let_in(rt, signup.send_portal_link, parse_address(draft.email)):
            return _open_challenge(rt, replace(draft, errors={"form": gate.ONE_STEP_MORE})), 422
        rt.bell.ring("mail")
    return redirect("/challenge?sent=1", 303)


def show_challenge(rt: Runtime, token: str) -> ResponseReturnValue:
    handle = rt.links.read(LinkPurpose.PORTAL, token)
    view = _view(rt, handle)
    template = "portal/overview.html" if view.is_joined else "portal/join.html"
    return _page(rt, template, handle, token=token, view=view, offer=rt.catalog.offers[OFFER])


def join_challenge(rt: Runtime, token: str) -> ResponseReturnValue:
    handle = rt.links.read(LinkPurpose.PORTAL, token)
    evidence = forms.evidence(rt, "challenge")
    with rt.sessions.begin() as session:
        challenge.join(session, handle, evidence, links=rt.links, now=rt.clock.now())
    rt.bell.ring("mail")
    return redirect(f"/challenge/{token}", 303)


def show_day(rt: Runtime, token: str, number: int) -> ResponseReturnValue:
    handle = rt.links.read(LinkPurpose.PORTAL, token)
    view = _view(rt, handle)
    day = next((day for day in view.days if day.number == number), None)
    if day is None:
        abort(404)
    if not view.is_joined:
        return redirect(f"/challenge/{token}", 303)
    if not day.is_open:
        return _page(rt, "portal/day_locked.html", handle, token=token, number=number), 403
    is_just_done = day.is_done and "done" in request.args
    values = {"token": token, "view": view, "day": day, "is_just_done": is_just_done}
    return _page(rt, "portal/day.html", handle, **values)


def mark_day(rt: Runtime, token: str, number: int) -> ResponseReturnValue:
    """Tick a day off, or take the tick back; the last tick leads to the whole challenge."""
    handle = rt.links.read(LinkPurpose.PORTAL, token)
    is_done = _yes_or_no("done")
    with rt.sessions.begin() as session:
        view = challenge.mark_day(
            session,
            handle,
            number,
            is_done=is_done,
            challenge=rt.catalog.challenge,
            now=rt.clock.now(),
        )
    if is_done and view.is_complete:
        return redirect(f"/challenge/{token}", 303)
    return redirect(f"/challenge/{token}/day/{number}{'?done=1' if is_done else ''}", 303)


def _view(rt: Runtime, handle: UUID) -> ChallengeView:
    with rt.reading.begin() as session:
        return challenge.challenge_view(
            session, handle, challenge=rt.catalog.challenge, now=rt.clock.now()
        )


def _page(rt: Runtime, template: str, handle: UUID, **values: object) -> str:
    return render_template(
        template,
        challenge=rt.catalog.challenge,
        preferences_token=rt.links.token(LinkPurpose.PREFERENCES, handle),
        **values,
    )


def _yes_or_no(field: str) -> bool:
    """The answer of a button; anything but yes or no is answered with 400."""
    answer = forms.posted_fields().get(field)
    if answer not in {"yes", "no"}:
        abort(400)
    return answer == "yes"


def programme(rt: Runtime, token: str) -> ResponseReturnValue:
    handle = rt.links.read(LinkPurpose.PORTAL, token)
    with rt.reading.begin() as session:
        view = offers.offer_view(session, handle, OFFER)
    offer, news = rt.catalog.offers[OFFER], request.args.get("list", "")
    return _page(
        rt, "portal/programme.html", handle, token=token, view=view, offer=offer, news=news
    )


def set_waitlist(rt: Runtime, token: str) -> ResponseReturnValue:
    handle = rt.links.read(LinkPurpose.PORTAL, token)
    is_joining = _yes_or_no("join")
    act = offers.join_waitlist if is_joining else offers.leave_waitlist
    with rt.sessions.begin() as session:
        act(session, handle, OFFER, now=rt.clock.now())
    rt.bell.ring("mail")
    return redirect(f"/programme/{token}?list={'joined' if is_joining else 'left'}", 303)


def ask_to_unsubscribe(rt: Runtime, token: str) -> ResponseReturnValue:
    return _goodbye(rt, "portal/unsubscribe.html", token)


def unsubscribe(rt: Runtime, token: str) -> ResponseReturnValue:
    """One click, by a person or by their mail program: 200 once it is committed (RFC 8058)."""
    handle = rt.links.read(LinkPurpose.UNSUBSCRIBE, token)
    evidence = forms.evidence(rt, "unsubscribe")
    with rt.sessions.begin() as session:
        suppression.unsubscribe(
            session, handle, evidence=evidence, links=rt.links, now=rt.clock.now()
        )
    return _goodbye(rt, "portal/unsubscribed.html", token)


def _goodbye(rt: Runtime, template: str, token: str) -> str:
    handle = rt.links.read(LinkPurpose.UNSUBSCRIBE, token)
    preferences_token = rt.links.token(LinkPurpose.PREFERENCES, handle)
    return render_template(template, preferences_token=preferences_token)


ROUTES: tuple[tuple[str, str, Callable[..., ResponseReturnValue]], ...] = (
    ("/challenge", "GET", open_challenge),
    ("/challenge", "POST", send_challenge_link),
    ("/challenge/<token>", "GET", show_challenge),
    ("/challenge/<token>", "POST", join_challenge),
    ("/challenge/<token>/day/<int:number>", "GET", show_day),
    ("/challenge/<token>/day/<int:number>/done", "POST", mark_day),
    ("/programme/<token>", "GET", programme),
    ("/programme/<token>/waitlist", "POST", set_waitlist),
    ("/unsubscribe/<token>", "GET", ask_to_unsubscribe),
    ("/unsubscribe/<token>", "POST", unsubscribe),
)
