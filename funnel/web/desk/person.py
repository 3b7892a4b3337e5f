"""One person: what happens next and why, what was, what they agreed to, what they paid."""

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from funnel.runtime import Runtime
from funnel.services import enrolment, offers, sequence_pause, staff, timeline
from funnel.services.reports.sequences import step_titles


def add_pages(routes: Blueprint, rt: Runtime) -> None:
    """A person's page, the mark "paid", and letting a held mail go."""

    @routes.get("/people/<int:subscriber_id>")
    def person(subscriber_id: int) -> str:
        with rt.reading.begin() as session:
            found = timeline.person(
                session,
                subscriber_id,
                offer_keys=tuple(rt.catalog.offers),
                engine=rt.sequences,
                now=rt.clock.now(),
            )
            steps, paused = step_titles(session), sequence_pause.paused(session)
        return render_template(
            "desk/person.html",
            it=found,
            offers=rt.catalog.offers,
            step_titles=steps,
            paused_sequences=paused,
            data_sent=request.args.get("sent", ""),
        )

    @routes.post("/people/<int:subscriber_id>/paid")
    def paid(subscriber_id: int) -> Response:
        offer_key = request.form.get("offer", "")
        if offer_key not in rt.catalog.offers:
            abort(400)
        _mark(rt, subscriber_id, offer_key, is_paid=request.form.get("paid") == "yes")
        return redirect(url_for("desk.person", subscriber_id=subscriber_id), 303)

    @routes.post("/people/<int:subscriber_id>/release")
    def release(subscriber_id: int) -> Response:
        with rt.sessions.begin() as session:
            timeline.require_person(session, subscriber_id)
            enrolment.release(session, subscriber_id, now=rt.clock.now())
            subject = f"person {subscriber_id}"
            staff.note(
                session, g.staff.id, "tried a held mail again", subject, now=rt.clock.machine()
            )
        rt.bell.ring("mail")
        return redirect(url_for("desk.person", subscriber_id=subscriber_id), 303)


def _mark(rt: Runtime, subscriber_id: int, offer_key: str, *, is_paid: bool) -> None:
    """Mark or take back in one transaction with the line that says who did it."""
    now = rt.clock.now()
    with rt.sessions.begin() as session:
        timeline.require_person(session, subscriber_id)
        if is_paid:
            offers.mark_paid(session, subscriber_id, offer_key, staff_id=g.staff.id, now=now)
        else:
            offers.void_purchase(session, subscriber_id, offer_key, now=now)
        action = "marked as paid" if is_paid else "took the mark “paid” back"
        subject = f"person {subscriber_id}, {offer_key}"
        staff.note(session, g.staff.id, action, subject, now=rt.clock.machine())
