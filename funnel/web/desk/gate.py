"""The front gate: whether visitors are asked for a small proof of work, and the switch for it."""

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from funnel.domain.proof_of_work import HIGH_MAILS, HIGH_REFUSED, ProofMode
from funnel.runtime import Runtime
from funnel.services import front_gate, staff
from funnel.web import gate

NOTES = {
    ProofMode.AUTO: "left the proof at the front gate to Funnel",
    ProofMode.ON: "had every visitor asked for a proof",
    ProofMode.OFF: "switched the proof at the front gate off",
}


def add_pages(routes: Blueprint, rt: Runtime) -> None:
    """The page that tells how the gate stands, and its three buttons."""

    @routes.get("/gate")
    def front_gate_page() -> str:
        with rt.reading.begin() as session:
            state = front_gate.gate_state(session)
        return render_template(
            "desk/gate.html",
            gate=state,
            is_asking=state.is_asking(rt.clock.now()),
            is_pressed=state.alarm.is_on(rt.clock.now()),
            mails=HIGH_MAILS,
            refused=HIGH_REFUSED,
        )

    @routes.post("/gate")
    def set_gate() -> Response:
        mode = request.form.get("mode")
        if mode not in set(ProofMode):
            abort(400)
        with rt.sessions.begin() as session:
            front_gate.set_mode(session, ProofMode(mode), by=g.staff.name)
            note = NOTES[ProofMode(mode)]
            staff.note(session, g.staff.id, note, "the front gate", now=rt.clock.machine())
        gate.look_again()
        return redirect(url_for("desk.front_gate_page"), 303)
