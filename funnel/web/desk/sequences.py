"""The sequences at the desk: who stands where, and a whole one paused or let go on."""

from flask import Blueprint, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from funnel.runtime import Runtime
from funnel.services import house_rules, steering_all
from funnel.services.reports import sequences as reports
from funnel.web.desk.acts import do


def add_pages(routes: Blueprint, rt: Runtime) -> None:
    """The list, one sequence, and its switch."""

    @routes.get("/sequences")
    def sequences() -> str:
        return show_list(rt)

    @routes.get("/sequences/<key>")
    def sequence(key: str) -> str:
        return show_sequence(rt, key)

    @routes.post("/sequences/<key>/pause")
    def pause_sequence(key: str) -> ResponseReturnValue:
        now, by = rt.clock.now(), g.staff.name
        do(rt, lambda s: steering_all.pause_sequence(s, key, by=by, now=now), f"sequence {key}")
        return redirect(url_for("desk.sequence", key=key), 303)

    @routes.post("/sequences/<key>/resume")
    def resume_sequence(key: str) -> ResponseReturnValue:
        now, engine, subject = rt.clock.now(), rt.sequences, f"sequence {key}"
        do(rt, lambda s: steering_all.resume_sequence(s, key, engine=engine, now=now), subject)
        return redirect(url_for("desk.sequence", key=key), 303)


def show_list(rt: Runtime, problem: str = "") -> str:
    """Every sequence, and the days away; with what was wrong in the form, if anything."""
    with rt.reading.begin() as session:
        found, away = reports.sequences(session), house_rules.absences(session)
    return render_template("desk/sequences.html", items=found, away=away, problem=problem)


def show_sequence(rt: Runtime, key: str, problem: str = "") -> str:
    """One sequence step by step; with why an act was not done, if it was not."""
    with rt.reading.begin() as session:
        found = reports.sequence(session, key)
    return render_template("desk/sequence.html", it=found, problem=problem)
