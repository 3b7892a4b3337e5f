"""Acts on everybody who stands before a step: skip it, send it now, move them."""

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from funnel.domain.errors import NotFound
from funnel.runtime import Runtime
from funnel.services import steering_all
from funnel.services.reports import sequences as reports
from funnel.services.steering import Steered
from funnel.web.desk.acts import do
from funnel.web.desk.sequences import show_sequence

ACTS = frozenset({"skip", "send", "move"})


def add_pages(routes: Blueprint, rt: Runtime) -> None:
    """A page that asks once more, with the count, and the act itself."""

    @routes.get("/sequences/<key>/steps/<step>/<act>")
    def ask_step_act(key: str, step: str, act: str) -> str:
        _refuse_unknown(act)
        with rt.reading.begin() as session:
            count = steering_all.count_before(session, key, step)
            found = reports.sequence(session, key)
        at = next(line for line in found.steps if line.key == step)
        return render_template("desk/sequence_act.html", it=found, step=at, act=act, count=count)

    @routes.post("/sequences/<key>/steps/<step>/<act>")
    def step_act(key: str, step: str, act: str) -> ResponseReturnValue:
        _refuse_unknown(act)
        subject = f"sequence {key}, step {step}"
        said, is_done = do(rt, lambda session: _act(session, rt, key, step, act), subject)
        if not is_done:
            return show_sequence(rt, key, said), 422
        return redirect(url_for("desk.sequence", key=key), 303)


def _refuse_unknown(act: str) -> None:
    if act not in ACTS:
        raise NotFound


def _act(session: Session, rt: Runtime, key: str, step: str, act: str) -> Steered:
    now, by = rt.clock.now(), g.staff.name
    if act == "skip":
        return steering_all.skip_all(session, key, step, by=by, now=now)
    if act == "send":
        return steering_all.send_all_now(session, key, step, by=by, now=now)
    onto = request.form.get("onto") or abort(400)
    return steering_all.move_all(session, key, step, onto, by=by, now=now)
