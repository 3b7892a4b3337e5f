"""A person's own choices, behind the preferences link: what they get, when, where, and how."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from funnel.domain.errors import AddressTaken, InvalidInput, LinkExpired
from funnel.domain.people import parse_address, parse_name
from funnel.domain.places import place_name, places_with
from funnel.links import LinkPurpose
from funnel.runtime import Runtime
from funnel.services import (
    address_back,
    address_change,
    clicks,
    details,
    preferences,
    quiet,
    self_check,
)
from funnel.services.details import NewPrint
from funnel.services.preferences import Choice
from funnel.web import forms, gate
from funnel.web.routes import routes_of

_NAME_SAVED = {
    NewPrint.NONE: "name",
    NewPrint.ANEW: "name-on-guide",
    NewPrint.TOMORROW: "name-not-on-guide",
}
Act = Callable[..., object]  # of a session and a handle, with `now=`
NO_CHOICE = "Please choose what you would like."
NO_PLACE = "Please choose a place from the list."


@dataclass(frozen=True)
class Typed:
    """What was typed and needs another look, with a message for each field."""

    name: str | None = None
    email: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)


def routes(rt: Runtime) -> Blueprint:
    """The pages behind preferences links, and behind those that confirm a new address."""
    return routes_of("choices", rt, ROUTES)


def show(rt: Runtime, token: str) -> ResponseReturnValue:
    return _show(rt, token, Typed())


def _show(rt: Runtime, token: str, typed: Typed) -> str:
    handle = rt.links.read(LinkPurpose.PREFERENCES, token)
    with rt.reading.begin() as session:
        view = preferences.preferences_view(session, handle, now=rt.clock.now())
    zone = view.time_zone or rt.catalog.brand.time_zone
    return render_template(
        "portal/preferences.html",
        token=token,
        view=view,
        typed=typed,
        done=request.args.get("done", ""),
        challenge=rt.catalog.challenge,
        zone=zone,
        place=place_name(zone),
        places=places_with(zone),
        unsubscribe_token=rt.links.token(LinkPurpose.UNSUBSCRIBE, handle),
    )


def back(_: Runtime, token: str, act: str) -> ResponseReturnValue:
    """A page that came back with messages lives where its form was sent: reload it afresh."""
    del act
    return redirect(f"/preferences/{token}", 303)


def _do(rt: Runtime, token: str, act: Act, done: str) -> ResponseReturnValue:
    """One act in one transaction; mail may follow from it."""
    handle = rt.links.read(LinkPurpose.PREFERENCES, token)
    with rt.sessions.begin() as session:
        act(session, handle, now=rt.clock.now())
    rt.bell.ring("mail")
    return redirect(f"/preferences/{token}?done={done}", 303)


def choose(rt: Runtime, token: str) -> ResponseReturnValue:
    wanted = forms.posted_fields().get("want", "")
    if wanted not in set(Choice):
        return _show(rt, token, Typed(errors={"want": NO_CHOICE})), 422
    evidence = forms.evidence(rt, "preferences")
    act = partial(preferences.choose, choice=Choice(wanted), evidence=evidence, links=rt.links)
    return _do(rt, token, act, "choice")


def pause(rt: Runtime, token: str) -> ResponseReturnValue:
    return _do(rt, token, quiet.pause, "paused")


def start_again(rt: Runtime, token: str) -> ResponseReturnValue:
    return _do(rt, token, quiet.start_again, "started")


def set_fewer(rt: Runtime, token: str) -> ResponseReturnValue:
    is_wanted = forms.posted_fields().get("fewer") == "yes"
    return _do(rt, token, partial(quiet.set_fewer, is_wanted=is_wanted), "fewer")


def change_name(rt: Runtime, token: str) -> ResponseReturnValue:
    """Another name, and on her wish another print of the guide."""
    fields = forms.posted_fields()
    name = fields.get("name", "")
    problem = forms.name_problem(name)
    if problem:
        return _show(rt, token, Typed(name=name, errors={"name": problem})), 422
    handle = rt.links.read(LinkPurpose.PREFERENCES, token)
    with rt.sessions.begin() as session:
        made = details.change_name(
            session,
            handle,
            parse_name(name),
            on_guide=fields.get("guide") == "yes",
            now=rt.clock.now(),
        )
    rt.bell.ring("pdf")
    return redirect(f"/preferences/{token}?done={_NAME_SAVED[made]}", 303)


def change_zone(rt: Runtime, token: str) -> ResponseReturnValue:
    zone = forms.zone_name(forms.posted_fields().get("time_zone", ""))
    if not zone:
        return _show(rt, token, Typed(errors={"time-zone": NO_PLACE})), 422
    return _do(rt, token, partial(details.change_zone, zone=zone), "zone")


def change_address(rt: Runtime, token: str) -> ResponseReturnValue:
    """Ask for another address. The answer is the same for every one."""
    email = forms.posted_fields().get("email", "")
    try:
        address = parse_address(email)
    except InvalidInput as problem:
        return _show(rt, token, Typed(email=email, errors={"email": str(problem)})), 422
    if forms.is_trapped():
        return redirect(f"/preferences/{token}?done=address", 303)
    handle = rt.links.read(LinkPurpose.PREFERENCES, token)
    if not gate.let_in(rt, address_change.ask, handle, address):
        return _show(rt, token, Typed(email=email, errors={"email": gate.ONE_STEP_MORE})), 422
    rt.bell.ring("mail")
    return redirect(f"/preferences/{token}?done=address", 303)


def keep_address(rt: Runtime, token: str) -> ResponseReturnValue:
    return _do(rt, token, address_change.cancel, "kept")


def forget_answers(rt: Runtime, token: str) -> ResponseReturnValue:
    """Delete her answers to the self-check, whatever mail she gets."""
    act = partial(self_check.withdraw, evidence=forms.evidence(rt, "preferences"))
    answer = _do(rt, token, act, "forgotten")
    rt.bell.ring("pdf")
    return answer


def ask_to_confirm_change(rt: Runtime, token: str) -> ResponseReturnValue:
    handle = rt.links.read(LinkPurpose.CHANGE, token)
    try:
        with rt.reading.begin() as session:
            view = address_change.change_view(session, handle, now=rt.clock.now())
    except LinkExpired:
        return render_template("portal/address_kept.html", is_over=True), 410
    return render_template(
        "portal/change_address.html",
        view=view,
        preferences_token=rt.links.token(LinkPurpose.PREFERENCES, view.subscriber_handle),
    )


def confirm_change(rt: Runtime, token: str) -> ResponseReturnValue:
    """Move to the new address. Pressing again changes nothing and leads to the same page."""
    handle = rt.links.read(LinkPurpose.CHANGE, token)
    evidence = forms.evidence(rt, "change-address")
    try:
        with rt.sessions.begin() as session:
            address_change.confirm(
                session, handle, evidence=evidence, links=rt.links, now=rt.clock.now()
            )
    except LinkExpired:
        return render_template("portal/address_kept.html", is_over=True), 410
    except AddressTaken:
        return render_template("portal/address_kept.html", is_over=False), 409
    rt.bell.ring("mail")
    return redirect(f"/change-address/{token}", 303)


def ask_to_keep_address(rt: Runtime, token: str) -> ResponseReturnValue:
    """Where the mail to the old mailbox leads: what would be kept, and a button."""
    handle = rt.links.read(LinkPurpose.KEEP_ADDRESS, token)
    try:
        with rt.reading.begin() as session:
            view = address_back.back_view(session, handle, now=rt.clock.now())
    except LinkExpired:
        return render_template("portal/address_kept.html", is_over=True), 410
    return render_template("portal/keep_address.html", view=view, is_done=False)


def take_address_back(rt: Runtime, token: str) -> ResponseReturnValue:
    handle = rt.links.read(LinkPurpose.KEEP_ADDRESS, token)
    evidence = forms.evidence(rt, "keep-address")
    try:
        with rt.sessions.begin() as session:
            view = address_back.take_back(
                session, handle, evidence=evidence, links=rt.links, now=rt.clock.now()
            )
    except LinkExpired:
        return render_template("portal/address_kept.html", is_over=True), 410
    except AddressTaken:
        return render_template("portal/address_kept.html", is_over=False), 409
    rt.bell.ring("mail")
    return render_template("portal/keep_address.html", view=view, is_done=True)


def set_clicks(rt: Runtime, token: str) -> ResponseReturnValue:
    """Let us note which links she presses, or take that back; what was noted is then deleted."""
    allows = forms.posted_fields().get("clicks") == "yes"
    act = partial(clicks.choose, allows=allows, evidence=forms.evidence(rt, "preferences"))
    return _do(rt, token, act, "clicks" if allows else "no-clicks")


ROUTES: tuple[tuple[str, str, Callable[..., ResponseReturnValue]], ...] = (
    ("/preferences/<token>", "GET", show),
    ("/preferences/<token>", "POST", choose),
    ("/preferences/<token>/<act>", "GET", back),
    ("/preferences/<token>/pause", "POST", pause),
    ("/preferences/<token>/start-again", "POST", start_again),
    ("/preferences/<token>/fewer", "POST", set_fewer),
    ("/preferences/<token>/name", "POST", change_name),
    ("/preferences/<token>/time-zone", "POST", change_zone),
    ("/preferences/<token>/address", "POST", change_address),
    ("/preferences/<token>/keep-address", "POST", keep_address),
    ("/preferences/<token>/forget-answers", "POST", forget_answers),
    ("/preferences/<token>/clicks", "POST", set_clicks),
    ("/change-address/<token>", "GET", ask_to_confirm_change),
    ("/change-address/<token>", "POST", confirm_change),
    ("/keep-address/<token>", "GET", ask_to_keep_address),
    ("/keep-address/<token>", "POST", take_address_back),
)
