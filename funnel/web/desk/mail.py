"""Stopping all mail, and letting it go again."""

from flask import Blueprint, g, redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from funnel.runtime import Runtime
from funnel.services import control, staff
from funnel.services.reports.health import health


def add_pages(routes: Blueprint, rt: Runtime) -> None:
    """The switch: a page that asks once more, and the two buttons."""

    @routes.get("/mail/stop")
    def ask_stop() -> str:
        with rt.reading.begin() as session:
            state = health(session, now=rt.clock.now(), machine_now=rt.clock.machine())
        return render_template("desk/mail.html", health=state)

    @routes.post("/mail/stop")
    def stop() -> Response:
        with rt.sessions.begin() as session:
            control.pause_sending(session, by=g.staff.name, now=rt.clock.now())
            _note(session, rt, "stopped all mail")
        return redirect(url_for("desk.ask_stop"), 303)

    @routes.post("/mail/start")
    def start() -> Response:
        with rt.sessions.begin() as session:
            control.resume_sending(session)
            _note(session, rt, "let mail go again")
        rt.bell.ring("mail")
        return redirect(url_for("desk.ask_stop"), 303)


def _note(session: Session, rt: Runtime, action: str) -> None:
    staff.note(session, g.staff.id, action, "all mail", now=rt.clock.machine())
