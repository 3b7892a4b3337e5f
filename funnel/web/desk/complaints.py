"""Complaints about data protection: what came, by when it is to be answered, and what came of it.

A complaint may tell of health: its words are shown only by a button, and whoever presses it is
noted.
"""

from collections.abc import Callable

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from funnel.domain.complaints import MAX_WORDS, plain_words
from funnel.runtime import Runtime
from funnel.services import staff
from funnel.services.complaints import Opened, acknowledged, answered, close, is_there, reopen
from funnel.services.reports import complaints as report
from funnel.services.steering import Steered
from funnel.web.desk import access
from funnel.web.desk.acts import do

Act = Callable[[Session, int], Steered]
TIMED = {"acknowledged": acknowledged, "answered": answered}


def add_pages(routes: Blueprint, rt: Runtime) -> None:
    """The list, one complaint, its words, and what is done about it."""

    @routes.get("/complaints")
    def complaints() -> str:
        with rt.reading.begin() as session:
            found = report.complaints(session, zone=_zone(rt), now=rt.clock.now())
        is_deleted = request.args.get("done") == "deleted"
        return render_template("desk/complaints.html", items=found, is_deleted=is_deleted)

    @routes.get("/complaints/<int:complaint_id>")
    def complaint(complaint_id: int) -> str:
        return _show(rt, complaint_id)

    @routes.post("/complaints/<int:complaint_id>/read")
    @access.needs_recent_password(rt)
    def read_complaint(complaint_id: int) -> str:
        with rt.sessions.begin() as session:
            opened = rt.complaints.open(session, complaint_id)
            subject = f"complaint {complaint_id}"
            staff.note(session, g.staff.id, "read a complaint", subject, now=rt.clock.machine())
        return _show(rt, complaint_id, opened)

    @routes.post("/complaints/<int:complaint_id>")
    def act_on_complaint(complaint_id: int) -> ResponseReturnValue:
        name = request.form.get("act", "")
        act = _act(rt, name)
        do(rt, lambda session: act(session, complaint_id), f"complaint {complaint_id}")
        if not _is_there(rt, complaint_id):
            return redirect(url_for("desk.complaints", done="deleted"), 303)
        return redirect(url_for("desk.complaint", complaint_id=complaint_id, done=name), 303)


def _is_there(rt: Runtime, complaint_id: int) -> bool:
    """Closing one of somebody erased deletes it."""
    with rt.reading.begin() as session:
        return is_there(session, complaint_id)


def _zone(rt: Runtime) -> str:
    return rt.catalog.brand.time_zone


def _show(rt: Runtime, complaint_id: int, opened: Opened | None = None) -> str:
    with rt.reading.begin() as session:
        found = report.complaint(session, complaint_id, zone=_zone(rt), now=rt.clock.now())
    done = request.args.get("done", "")
    return render_template(
        "desk/complaint.html", it=found, opened=opened, done=done, max_words=MAX_WORDS
    )


def _act(rt: Runtime, name: str) -> Act:
    """What the pressed button says; anything else is answered with 400."""
    if name == "reopen":
        return reopen
    if name == "note":
        outcome = plain_words(request.form.get("outcome", ""))[:MAX_WORDS]
        return lambda session, key: rt.complaints.note_outcome(session, key, outcome)
    now = rt.clock.now()
    if name == "close":
        return lambda session, key: close(session, key, links=rt.links, now=now)
    act = TIMED.get(name) or abort(400)
    return lambda session, key: act(session, key, now=now)
