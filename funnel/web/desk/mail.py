"""Stopping mail, all of it or the series only, and letting it go again."""

from flask import Blueprint, g, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from funnel.runtime import Runtime
from funnel.services import brake, control, recovery, restored, staff, stopping
from funnel.services.control import StopMode
from funnel.services.recovery import Due
from funnel.web.desk import access


def add_pages(routes: Blueprint, rt: Runtime) -> None:
    """The switch: a page that asks once more, and the buttons."""

    @routes.get("/mail/stop")
    def ask_stop() -> str:
        with rt.reading.begin() as session:
            waiting = stopping.waiting(session, now=rt.clock.now())
            standstill = restored.standstill(session)
        return render_template("desk/mail.html", waiting=waiting, standstill=standstill)

    @routes.post("/mail/stop")
    def stop() -> Response:
        mode = StopMode.SERIES if request.form.get("what") == StopMode.SERIES else StopMode.ALL
        with rt.sessions.begin() as session:
            control.pause_sending(session, by=g.staff.name, now=rt.clock.now(), mode=mode)
            _note(session, rt, f"stopped {_name(mode)}", _name(mode))
        return redirect(url_for("desk.ask_stop"), 303)

    @routes.post("/mail/start")
    def start() -> Response:
        with rt.sessions.begin() as session:
            control.resume_sending(session)
            _note(session, rt, "let mail go again", _name(StopMode.ALL))
        return _gone_on(rt)

    @routes.post("/mail/release")
    @access.needs_recent_password(rt)
    def release_series() -> Response:
        with rt.sessions.begin() as session:
            brake.let_go(session, now=rt.clock.now())
            _note(session, rt, "let the held series go again", _name(StopMode.SERIES))
        return _gone_on(rt)

    @routes.post("/mail/recover")
    @access.needs_recent_password(rt)
    def recover() -> Response:
        """One decision about all that fell due since the backup; anything else changes nothing."""
        due = request.form.get("due")
        if due in set(Due):
            with rt.sessions.begin() as session:
                _recover(session, rt, Due(due))
        return _gone_on(rt)


def _recover(session: Session, rt: Runtime, due: Due) -> None:
    replay, now = rt.rights.replay, rt.clock.now()
    found = recovery.decide(session, due, engine=rt.sequences, replay=replay, now=now)
    told = f" {found.replayed.say}" if found else ""
    _note(session, rt, f"let mail go after a restore ({due}).{told}", _name(StopMode.ALL))


def _gone_on(rt: Runtime) -> Response:
    rt.bell.ring("mail")
    return redirect(url_for("desk.ask_stop"), 303)


def _name(mode: StopMode) -> str:
    return "all mail" if mode is StopMode.ALL else "the series"


def _note(session: Session, rt: Runtime, action: str, what: str) -> None:
    staff.note(session, g.staff.id, action, what, now=rt.clock.machine())
