"""What waits while mail is stopped, for whoever stopped it to see."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from funnel.db.mail import Message
from funnel.domain.delivery import MessageState
from funnel.domain.ports import MailClass


@dataclass(frozen=True)
class Waiting:
    """Mails that are due and wait: of the series, and those that people asked for."""

    series: int
    service: int

    @property
    def say(self) -> str:
        """Both in a sentence."""
        return f"Due and waiting: {self.series:,} of the series, {self.service:,} other."


def waiting(session: Session, *, now: datetime) -> Waiting:
    """What is due right now and has not left."""
    is_due = (Message.state == MessageState.SCHEDULED) & (Message.not_before <= now)
    query = select(Message.mail_class, func.count()).where(is_due).group_by(Message.mail_class)
    counts = {row[0]: row[1] for row in session.execute(query)}
    series = counts.pop(MailClass.DRIP, 0)
    return Waiting(series, sum(counts.values()))
