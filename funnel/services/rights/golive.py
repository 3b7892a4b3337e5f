"""Before many people are written to: is the practice registered with the ICO, or exempt?"""

import logging
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from funnel.db.people import Subscriber
from funnel.domain.people import PersonState
from funnel.services import control

log = logging.getLogger(__name__)

MOST_UNANSWERED = 50
WHY = (
    "Over fifty people get your mails, and it is not said yet whether you are registered with the "
    "Information Commissioner's Office or exempt: fill in ico_answer in templates/privacy.yaml."
)


@dataclass(frozen=True)
class GoLive:
    """Holds the series of a practice that has not answered, for as long as it is that large."""

    is_answered: bool

    def watch(self, session: Session) -> None:
        """Hold the series or let it go, by a switch of its own; safe to repeat."""
        is_held = not self.is_answered and _has_grown(session)
        if control.read(session, control.GOLIVE).get("on", False) is is_held:
            return
        if is_held:
            log.warning("series mail is held: the question about the ICO is not answered")
        control.write(session, control.GOLIVE, {"on": is_held, "why": WHY})


def _has_grown(session: Session) -> bool:
    is_here = (Subscriber.state == PersonState.CONFIRMED) & Subscriber.is_test.is_(False)
    beyond = select(Subscriber.id).where(is_here).offset(MOST_UNANSWERED).limit(1)
    return session.scalar(beyond) is not None
