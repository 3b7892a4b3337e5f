"""After an outage, a stop or a holiday the series drains calmly instead of all at once."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, func, select, type_coerce
from sqlalchemy.orm import Session

from funnel.db.mail import Enrolment, Message
from funnel.domain.delivery import MessageState
from funnel.domain.enrolment import EnrolmentState
from funnel.domain.flow import CATCH_UP_FACTOR, CatchUp, Limits, normal_hour
from funnel.domain.ports import MailClass
from funnel.services.house_rules import absences
from funnel.services.throttle import read_flow, write_flow

LATE = timedelta(hours=1)
LOOK_BACK = timedelta(days=14)
A_DAY = timedelta(days=1)
HOUR_MICROSECONDS = 3_600_000_000


def watch(session: Session, limits: Limits, *, now: datetime, machine: datetime) -> None:
    """Begin to catch up when series mail is late, and stop when nobody waits any more."""
    flow = read_flow(session, limits, machine)
    if flow.catch_up is None:
        if _is_late(session, now):
            begin(session, limits, now=now, machine=machine)
        elif _is_back(session, now):
            begin(session, limits, now=now, machine=machine, lasts=A_DAY)
    elif machine >= flow.catch_up.at_least_until and not _is_anybody_due(session, now):
        write_flow(session, replace(flow, catch_up=None))


def begin(
    session: Session,
    limits: Limits,
    *,
    now: datetime,
    machine: datetime,
    lasts: timedelta = timedelta(0),
) -> None:
    """From now on series mail leaves at no more than twice its usual rate."""
    flow = read_flow(session, limits, machine)
    if flow.catch_up is None:
        per_hour = CATCH_UP_FACTOR * usual_hour(session, now)
        write_flow(session, replace(flow, catch_up=CatchUp.begin(per_hour, machine, lasts)))


def is_series_due(session: Session, now: datetime) -> bool:
    """Whether a series mail could leave right now but for the sender's limits."""
    return _has(session, _waiting(now))


def usual_hour(session: Session, now: datetime) -> int:
    """How many series mails went in a usual hour of the last fortnight."""
    hours = (
        select(_hour(session).label("hour"), func.count().label("mails"))
        .where(Message.closed_at > now - LOOK_BACK, Message.accepted_at.is_not(None))
        .where(Message.mail_class == MailClass.DRIP)
        .group_by("hour")
        .subquery()
    )
    query = select(func.coalesce(func.sum(hours.c.mails), 0), func.count()).select_from(hours)
    sent, many = session.execute(query).one()
    return normal_hour(int(sent), many)


def _hour(session: Session) -> ColumnElement[Any]:
    if session.get_bind().dialect.name == "sqlite":
        return type_coerce(Message.accepted_at, BigInteger) // HOUR_MICROSECONDS
    return func.date_trunc("hour", Message.accepted_at)


def _is_late(session: Session, now: datetime) -> bool:
    """Whether a series mail has been due for an hour: it was kept from leaving."""
    return _has(session, _waiting(now - LATE))


def _is_back(session: Session, now: datetime) -> bool:
    """Whether the practice was away until yesterday, so that everybody's mail is due today."""
    yesterday = now.date() - A_DAY
    away = absences(session)
    is_away_still = any(each.first <= now.date() <= each.last for each in away)
    return not is_away_still and any(each.last == yesterday for each in away)


def _is_anybody_due(session: Session, now: datetime) -> bool:
    is_going = Enrolment.state == EnrolmentState.ACTIVE
    due = select(Enrolment.id).where(is_going, Enrolment.next_due_at <= now)
    return is_series_due(session, now) or _has(session, due)


def _waiting(until: datetime) -> Select[Any]:
    return select(Message.id).where(
        Message.state == MessageState.SCHEDULED,
        Message.not_before <= until,
        Message.mail_class == MailClass.DRIP,
    )


def _has(session: Session, rows: Select[Any]) -> bool:
    return session.execute(rows.limit(1)).first() is not None
