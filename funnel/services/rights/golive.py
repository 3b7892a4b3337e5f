"""Before many people are written to: is the practice registered with the ICO, or exempt?"""

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from funnel.db.people import Subscriber
from funnel.domain.people import PersonState
from funnel.services import brake, control

log = logging.getLogger(__name__)

MOST_UNANSWERED = 50
WHY = (
    "Over fifty people get your mails, and it is not said yet whether you are registered with the "
    "Information Commissioner's Office or exempt: fill in ico_answer in templates/privacy.yaml."
)


@dataclass(frozen=True)
class GoLive:
    """Holds the series of a practice that has not answered, once it has grown."""

    is_answered: bool

    def watch(self, session: Session, *, now: datetime) -> None:
        """Put the brake on where it is called for; safe to repeat. Let go too soon, it is back in
        a minute."""
        if self.is_answered or control.read(session, control.BRAKE).get("on"):
            return
        is_here = (Subscriber.state == PersonState.CONFIRMED) & Subscriber.is_test.is_(False)
        beyond = select(Subscriber.id).where(is_here).offset(MOST_UNANSWERED).limit(1)
        if session.scalar(beyond) is not None:
            log.warning("series mail is held: the question about the ICO is not answered")
            brake.hold(session, WHY, now=now)
