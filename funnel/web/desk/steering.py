"""The therapist's hand on one person's next mail: pause, resume, skip, send now, move."""

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from funnel.domain.errors import NotFound
from funnel.runtime import Runtime
from funnel.services import steering, timeline
from funnel.services.steering import Steered
from funnel.web.desk.acts import do

# The acts that name a step: the one that is next, or the one to move to.
MOVES = {"skip": steering.skip_next, "send": steering.send_now, "move": steering.move_to}


def add_pages(routes: Blueprint, rt: Runtime) -> None:
    """One address for every act on a person's place."""

    @routes.post("/people/<int:subscriber_id>/steer")
    def steer(subscriber_id: int) -> ResponseReturnValue:
        enrolment_id = request.form.get("enrolment", type=int)
        if enrolment_id is None:
            abort(400)
        said, is_done = do(
            rt,
            lambda session: _act(session, rt, subscriber_id, enrolment_id),
            f"person {subscriber_id}",
        )
        if not is_done:
            page = url_for("desk.person", subscriber_id=subscriber_id)
            return render_template("desk/not_done.html", said=said, back=page), 422
        return redirect(url_for("desk.person", subscriber_id=subscriber_id), 303)


def _act(session: Session, rt: Runtime, subscriber_id: int, enrolment_id: int) -> Steered:
    """Do what the pressed button says, to a place that is this person's own."""
    if enrolment_id not in timeline.places_of(session, subscriber_id):
        raise NotFound
    now, by, engine = rt.clock.now(), g.staff.name, rt.sequences
    step = request.form.get("step", "")
    act = request.form.get("act", "")
    if act == "pause":
        return steering.pause(session, enrolment_id, by=by, now=now)
    if act == "resume":
        return steering.resume(session, enrolment_id, by=by, now=now)
    move = MOVES.get(act) or abort(400)
    return move(session, enrolment_id, step, engine=engine, by=by, now=now)
