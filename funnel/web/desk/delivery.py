"""Does our mail arrive? The doctor's findings, complaints and bounces, and news of the provider."""

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from funnel.domain.errors import InvalidInput
from funnel.domain.mail_account import Provider
from funnel.runtime import Runtime
from funnel.services import proof, quarantine, staff
from funnel.services.reports.delivery import delivery
from funnel.web.desk import access

LOOK_AGAIN_SECONDS = 5
SUBJECT = "series mail"


def add_pages(routes: Blueprint, rt: Runtime) -> None:
    """The page, and its buttons."""

    @routes.get("/delivery")
    def show_delivery() -> ResponseReturnValue:
        page, is_looking = _page(rt)
        return (page, {"Refresh": str(LOOK_AGAIN_SECONDS)}) if is_looking else page

    @routes.post("/delivery/look")
    def look_again() -> ResponseReturnValue:
        with rt.sessions.begin() as session:
            proof.ask_look(session, now=rt.clock.machine())
        return _back(rt)

    @routes.post("/delivery/anyway")
    @access.needs_recent_password(rt)
    def send_anyway() -> ResponseReturnValue:
        now, typed = rt.clock.machine(), request.form.get("sentence", "")
        try:
            with rt.sessions.begin() as session:
                proof.send_anyway(session, typed, by=g.staff.name, now=now)
                _note(session, rt, "let series mail go anyway")
        except InvalidInput as problem:
            return _page(rt, str(problem))[0], 422
        return _back(rt)

    @routes.post("/delivery/wait")
    def wait_again() -> ResponseReturnValue:
        with rt.sessions.begin() as session:
            proof.hold_again(session)
            _note(session, rt, "let series mail wait again")
        return _back(rt)

    @routes.post("/delivery/replay")
    def replay_events() -> ResponseReturnValue:
        with rt.sessions.begin() as session:
            quarantine.replay(session)
            staff.note(session, g.staff.id, "replayed events", "quarantine", now=rt.clock.machine())
        return _back(rt)


def _page(rt: Runtime, problem: str | None = None) -> tuple[str, bool]:
    """The page, and whether a look is awaited, so that it is to come again by itself: for two
    minutes at most, or a page left open would keep its session for ever.
    """
    machine, is_local = rt.clock.machine(), not rt.doctor.has_anything_to_look_at
    with rt.reading.begin() as session:
        found = delivery(
            session,
            now=rt.clock.now(),
            machine=machine,
            limits=rt.worker.watch.limits,
        )
    is_awaited = found.proof.is_awaited(machine) and not is_local
    return render_template(
        "desk/delivery.html",
        it=found,
        report=found.proof.report,
        is_local=is_local,
        is_awaited=is_awaited,
        is_sendgrid=rt.doctor.setup.provider is Provider.SENDGRID,
        sentence=proof.SENTENCE,
        problem=problem,
    ), is_awaited


def _back(rt: Runtime) -> ResponseReturnValue:
    rt.bell.ring("mail")
    return redirect(url_for("desk.show_delivery"), 303)


def _note(session: Session, rt: Runtime, action: str) -> None:
    staff.note(session, g.staff.id, action, SUBJECT, now=rt.clock.machine())
