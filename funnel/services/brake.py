"""Holding the series when too many report it or too many addresses do not exist."""

import logging
from datetime import datetime

from sqlalchemy import Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from funnel.db.mail import Attempt, Message
from funnel.db.people import Subscriber
from funnel.domain.brake import RECENT, RECENT_BOUNCES, Tally
from funnel.domain.delivery import EventKind, MessageState
from funnel.domain.ports import MailClass, Outcome
from funnel.services import control

log = logging.getLogger(__name__)


def watch(session: Session, *, now: datetime) -> None:
    """Put the brake on when the last mails call for it; it stays on until somebody lets go."""
    if control.read(session, control.BRAKE).get("on"):
        return
    why = tally(session).why_hold()
    if why is not None:
        log.warning("series mail is held: %s", why)
        control.write(session, control.BRAKE, {"on": True, "why": why, "since": now.isoformat()})


def let_go(session: Session, *, now: datetime) -> None:
    """Let series mail go again; only mails that leave from now on can put the brake on anew."""
    control.write(session, control.BRAKE, {"on": False, "let_go_at": now.isoformat()})


def tally(session: Session) -> Tally:
    """What became of the last mails, since the brake was let go last; test people do not count."""
    let_go_at = control.read(session, control.BRAKE).get("let_go_at")
    since = datetime.fromisoformat(str(let_go_at)) if let_go_at else None
    accepted, reports, _ = session.execute(_counts(_recent(RECENT, since))).one()
    # Anybody can ask for mail to an address that does not exist: no list of ours is to blame.
    asked_for = _recent(RECENT_BOUNCES, since).where(Message.mail_class != MailClass.CONFIRM)
    took, _, bounces = session.execute(_counts(asked_for)).one()
    return Tally(accepted, reports, took, bounces)


def _recent(limit: int, since: datetime | None) -> Select[str, str | None, str | None]:
    """The newest mails that were taken, and those whose address was refused at the door."""
    refused = and_(Message.state == MessageState.FAILED, Attempt.outcome == Outcome.ADDRESS_REFUSED)
    query = (
        select(Message.state, Message.delivery, Attempt.outcome)
        .join(Subscriber, Subscriber.id == Message.subscriber_id)
        .outerjoin(Attempt, and_(Attempt.message_id == Message.id, Attempt.fence == Message.fence))
        .where(Message.closed_at.is_not(None), Subscriber.is_test.is_(False))
        .where(or_(Message.state == MessageState.ACCEPTED, refused))
        .order_by(Message.closed_at.desc())
        .limit(limit)
    )
    return query if since is None else query.where(Message.closed_at > since)


def _counts(recent: Select[str, str | None, str | None]) -> Select[int, int, int]:
    """How many mails, how many reported as spam, how many bounced."""
    rows = recent.subquery()
    has_bounced = or_(
        rows.c.delivery == EventKind.BOUNCED, rows.c.outcome == Outcome.ADDRESS_REFUSED
    )
    return select(
        func.count(),
        func.coalesce(func.sum(case((rows.c.delivery == EventKind.COMPLAINED, 1), else_=0)), 0),
        func.coalesce(func.sum(case((has_bounced, 1), else_=0)), 0),
    ).select_from(rows)
