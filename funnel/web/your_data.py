"""One's own data: asking for the link, and what is behind it: reading, taking away, erasing."""

import json
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from flask import Blueprint, Response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from funnel.domain.people import parse_address
from funnel.links import LinkPurpose
from funnel.runtime import Runtime
from funnel.services import preferences
from funnel.services.rights import export, receipt, requests
from funnel.services.rights.records import Record
from funnel.web import forms, gate
from funnel.web.routes import routes_of


def routes(rt: Runtime) -> Blueprint:
    """The pages about one's own data."""
    return routes_of("your_data", rt, ROUTES)


def ask(rt: Runtime) -> ResponseReturnValue:
    return _ask(rt, forms.Draft())


def _ask(_: Runtime, draft: forms.Draft) -> str:
    return render_template("your_data/ask.html", draft=draft, is_sent="sent" in request.args)


def send_link(rt: Runtime) -> ResponseReturnValue:
    """Mail a person the link to their data. The answer is the same for every address."""
    draft = forms.posted_draft(rt)
    if draft.errors:
        return _ask(rt, draft), 422
    if not forms.is_trapped():
        if not gate.let_in(rt, requests.ask_by_address, parse_address(draft.email)):
            return _ask(rt, replace(draft, errors={"form": gate.ONE_STEP_MORE})), 422
        rt.bell.ring("mail")
    return redirect("/your-data?sent=1", 303)


def your_data(rt: Runtime, token: str) -> ResponseReturnValue:
    """What a link that never runs out shows: where the link to the data would go."""
    handle = rt.links.read(LinkPurpose.PREFERENCES, token)
    with rt.reading.begin() as session:
        view = preferences.preferences_view(session, handle, now=rt.clock.now())
    return render_template(
        "your_data/send.html",
        token=token,
        masked_email=view.masked_email,
        is_sent="sent" in request.args,
    )


def send_to_me(rt: Runtime, token: str) -> ResponseReturnValue:
    handle = rt.links.read(LinkPurpose.PREFERENCES, token)
    forms.posted_fields()
    if not forms.is_trapped():
        with rt.sessions.begin() as session:
            requests.ask_by_handle(session, handle, links=rt.links, now=rt.clock.now())
        rt.bell.ring("mail")
    return redirect(f"/your-data/{token}?sent=1", 303)


def open_data(rt: Runtime, token: str) -> ResponseReturnValue:
    """The page behind the mailed link."""
    return _page(rt, "your_data/open.html", token)


def _page(rt: Runtime, template: str, token: str, **values: object) -> str:
    with rt.reading.begin() as session:
        owner = _whose(rt, session, token)
    choices = rt.links.token(LinkPurpose.PREFERENCES, owner.handle)
    return render_template(
        template, token=token, email=owner.email, preferences_token=choices, **values
    )


def _whose(rt: Runtime, session: Session, token: str) -> requests.Owner:
    return requests.whose(session, _handle(rt, token), now=rt.clock.now())


def _handle(rt: Runtime, token: str) -> UUID:
    return rt.links.read(LinkPurpose.YOUR_DATA, token)


def read_data(rt: Runtime, token: str) -> ResponseReturnValue:
    return render_template("paper/data.html", data=_data(rt, token))


def download_data(rt: Runtime, token: str) -> ResponseReturnValue:
    return as_file(_data(rt, token).as_json(), "my-data.json")


def _data(rt: Runtime, token: str) -> export.PersonalData:
    with rt.reading.begin() as session:
        return export.personal_data(
            session,
            _whose(rt, session, token).subscriber_id,
            links=rt.links,
            brand=rt.catalog.brand,
            keeper=rt.keeper,
            now=rt.clock.now(),
        )


def read_receipt(rt: Runtime, token: str) -> ResponseReturnValue:
    return render_template("paper/receipt.html", made=_receipt(rt, token))


def download_receipt(rt: Runtime, token: str) -> ResponseReturnValue:
    return as_file(_receipt(rt, token).as_json(), "consent-receipt.json")


def _receipt(rt: Runtime, token: str) -> receipt.Receipt:
    with rt.reading.begin() as session:
        return receipt.receipt(
            session, _whose(rt, session, token).subscriber_id, now=rt.clock.now()
        )


def as_file(content: Record, name: str) -> Response:
    """JSON to be kept as a file; nobody's name stands in the file's name."""
    made = Response(json.dumps(content, ensure_ascii=False, indent=2) + "\n")
    made.headers["Content-Type"] = "application/json; charset=utf-8"
    made.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return made


def ask_to_erase(rt: Runtime, token: str) -> ResponseReturnValue:
    return _page(rt, "your_data/erase.html", token, is_unticked=False)


def erase(rt: Runtime, token: str) -> ResponseReturnValue:
    """Erase the person of the link: the box has to be ticked, which no scanner does."""
    handle = _handle(rt, token)
    if forms.posted_fields().get("sure") != "yes":
        return _page(rt, "your_data/erase.html", token, is_unticked=True), 422
    with rt.sessions.begin() as session:
        now = rt.clock.now()
        owner = requests.whose(session, handle, now=now)
        rt.rights.eraser.erase(session, owner.subscriber_id, now=now)
    return render_template("your_data/erased.html")


ROUTES: tuple[tuple[str, str, Callable[..., ResponseReturnValue]], ...] = (
    ("/your-data", "GET", ask),
    ("/your-data", "POST", send_link),
    ("/your-data/<token>", "GET", your_data),
    ("/your-data/<token>", "POST", send_to_me),
    ("/your-data/open/<token>", "GET", open_data),
    ("/your-data/open/<token>/data", "GET", read_data),
    ("/your-data/open/<token>/my-data.json", "GET", download_data),
    ("/your-data/open/<token>/receipt", "GET", read_receipt),
    ("/your-data/open/<token>/consent-receipt.json", "GET", download_receipt),
    ("/your-data/open/<token>/erase", "GET", ask_to_erase),
    ("/your-data/open/<token>/erase", "POST", erase),
)
