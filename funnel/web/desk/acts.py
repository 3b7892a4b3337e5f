"""What every act of the desk has in common: one transaction with the line that says who did it."""

from collections.abc import Callable

from flask import g
from sqlalchemy.orm import Session

from funnel.domain.errors import InvalidInput
from funnel.runtime import Runtime
from funnel.services import staff
from funnel.services.steering import Steered

Act = Callable[[Session], Steered]


def do(rt: Runtime, act: Act, subject: str) -> tuple[str, bool]:
    """Do it and note it; what to tell, and whether it went well. Mail may follow, so the bell
    rings."""
    try:
        with rt.sessions.begin() as session:
            done = act(session)
            staff.note(session, g.staff.id, done.sentence, subject, now=rt.clock.machine())
    except InvalidInput as problem:
        return str(problem), False
    rt.bell.ring("mail")
    return done.sentence, True
