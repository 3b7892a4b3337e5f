"""The proof of work on public forms: whether it is asked for, and what a posted form brings."""

import json
from collections.abc import Callable

from flask import Flask, current_app, g, request
from sqlalchemy.orm import Session

from funnel.domain.people import fingerprint
from funnel.runtime import Runtime
from funnel.services import front_gate
from funnel.web import errors, forms

FRESH_SECONDS = 5.0
FIELD = "altcha"
# Nothing of the widget's own is shown, and it watches no pointer and no keys.
WIDGET = json.dumps({"humanInteractionSignature": False, "name": FIELD, "minDuration": 0})
ONE_STEP_MORE = (
    "Please press the button once more. Somebody is flooding our forms just now, so your browser "
    "does a short sum first, for which it needs JavaScript."
)


class Gate:
    """Knows for some seconds whether a proof is asked for, so that pages need not ask anew."""

    def __init__(self, rt: Runtime) -> None:
        self._rt = rt
        self._is_asking = False
        self._known_until = float("-inf")

    def challenge(self) -> str:
        """A new sum for the form at hand; empty while none is asked for."""
        if not (g.get("is_proof_missing") or self._knows_asking()):
            return ""
        return self._rt.proofs.challenge(self._rt.clock.machine() + front_gate.PROOF_LIFE)

    def _knows_asking(self) -> bool:
        """By the database; while it is away, as it was last known."""
        second = self._rt.clock.boot_seconds()
        if second >= self._known_until:
            self._known_until = second + FRESH_SECONDS
            try:
                with self._rt.reading.begin() as session:
                    state = front_gate.gate_state(session)
                self._is_asking = state.is_asking(self._rt.clock.now())
            except errors.AWAY as error:
                errors.note(error)
        return self._is_asking

    def look_again(self) -> None:
        """Ask the database at the next page: the switch was just turned."""
        self._known_until = float("-inf")


def put_up(app: Flask, rt: Runtime) -> None:
    """Give the forms of an application their gate."""
    gate = Gate(rt)
    app.extensions["gate"] = gate
    app.jinja_env.globals.update(proof_challenge=gate.challenge, proof_widget=WIDGET)


def admits(rt: Runtime, session: Session) -> bool:
    """Whether the posted form may go on. The page that answers one that may not brings a sum."""
    is_admitted = front_gate.admits(
        session,
        request.form.get(FIELD, ""),
        network=fingerprint(forms.ip_key(), rt.links.pepper),
        proofs=rt.proofs,
        now=rt.clock.now(),
        machine=rt.clock.machine(),
    )
    g.is_proof_missing = not is_admitted
    return is_admitted


def let_in(rt: Runtime, act: Callable[..., object], *what: object) -> bool:
    """Do in one transaction what a posted form asks for; False when it lacks the proof."""
    with rt.sessions.begin() as session:
        is_admitted = admits(rt, session)
        if is_admitted:
            act(session, *what, links=rt.links, ip_key=forms.ip_key(), now=rt.clock.now())
    return is_admitted


def look_again() -> None:
    """Let the gate of the application at hand ask the database at the next page."""
    current_app.extensions["gate"].look_again()
