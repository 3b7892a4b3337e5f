"""What came of a demo: the funnel's counts from the database, the mails from the mailbox itself."""

import sys
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from funnel.db.mail import Message
from funnel.db.people import FunnelEvent, VisitCount
from funnel.domain.delivery import MessageState
from funnel.domain.ports import MailboxReader
from funnel.domain.sequence import Fact
from funnel.domain.simulated import GUIDE_MAIL
from funnel.services.visits import CountedPage


@dataclass(frozen=True)
class DemoCounts:
    """The funnel step by step, then the mail: `duplicates` are files beyond the first of a mail."""

    visited: int
    requested: int
    confirmed: int
    downloaded: int
    joined: int
    completed: int
    waitlisted: int
    purchased: int
    unsubscribed: int
    sent: int
    unknown: int
    failed: int
    duplicates: int


def count(session: Session, mailbox: MailboxReader) -> DemoCounts:
    """Count everything. Mail whose arrival nobody can vouch for is `unknown`."""
    facts = _by(session, FunnelEvent.fact)
    states = _by(session, Message.state)
    visits = select(func.sum(VisitCount.visits)).where(VisitCount.page == CountedPage.LANDING)
    files = [_message_id(item.key) for item in mailbox.items(sys.maxsize)]
    return DemoCounts(
        visited=session.scalar(visits) or 0,
        **{fact.value: facts.get(fact, 0) for fact in Fact},
        sent=len(files),
        unknown=states.get(MessageState.UNKNOWN, 0) + states.get(MessageState.UNCONFIRMED, 0),
        failed=states.get(MessageState.FAILED, 0),
        duplicates=len(files) - _distinct_mails(session, files),
    )


def _by(session: Session, column: InstrumentedAttribute[str]) -> dict[str, int]:
    """How many rows there are of each value."""
    rows = session.execute(select(column, func.count()).group_by(column))
    return {row[0]: row[1] for row in rows}


def _message_id(key: str) -> UUID:
    """The message of a file in the mailbox: its name is time, message id, count."""
    return UUID(key.partition("-")[2].rpartition("-")[0])


def _distinct_mails(session: Session, files: list[UUID]) -> int:
    """How many different mails these are: the same mail to the same person is one, whatever its
    message id."""
    rows = session.execute(select(Message.id, Message.subscriber_id, Message.mail_key))
    mails = {message: (str(who), what) for message, who, what in rows}
    return len({mails.get(message, (str(message), "")) for message in files})


def without_guide(session: Session) -> int:
    """How many confirmed people the mail with their guide has not reached."""
    reached = select(Message.subscriber_id).where(
        Message.mail_key == GUIDE_MAIL, Message.state == MessageState.ACCEPTED
    )
    query = (
        select(func.count())
        .select_from(FunnelEvent)
        .where(FunnelEvent.fact == Fact.CONFIRMED, FunnelEvent.subscriber_id.not_in(reached))
    )
    return session.scalar(query) or 0
