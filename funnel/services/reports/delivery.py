"""How our mail stands: the doctor's findings, complaints and bounces, and what was heard."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session

from funnel.db.mail import Attempt, Message
from funnel.db.people import Subscriber
from funnel.domain.delivery import EventKind, MessageState
from funnel.domain.flow import UNLIMITED, Flow, Limits
from funnel.domain.mail_account import Heard
from funnel.domain.meters import Meter, bounce_meter, complaint_meter
from funnel.domain.ports import MailClass, Outcome
from funnel.services import list_pull, proof, quarantine
from funnel.services.doctor import heard
from funnel.services.list_pull import Progress
from funnel.services.proof import Proof
from funnel.services.quarantine import EventCounts, Quarantined
from funnel.services.throttle import peek_flow

PERIOD = timedelta(days=30)
_NOT_DELIVERED = (EventKind.BOUNCED, EventKind.DROPPED, EventKind.BLOCKED)


@dataclass(frozen=True)
class Delivery:
    """Everything of the desk's page "Delivery", read in one go."""

    proof: Proof
    complaints: Meter
    bounces: Meter
    heard: Heard
    lists: Progress
    events: EventCounts
    put_aside: list[Quarantined]
    flow: Flow
    limits: Limits

    @property
    def warm_up_day(self) -> int | None:
        """Which day of the warm-up it is, from 1; None when there is none, or it is over."""
        begun = self.limits.warm_up_from
        if begun is None or self.limits.warm_up_figure(self.flow.day) is None:
            return None
        return max((self.flow.day - begun).days, 0) + 1


def delivery(
    session: Session, *, now: datetime, machine: datetime, limits: Limits = UNLIMITED
) -> Delivery:
    """How it stands; the meters reach back thirty days, and test people do not count."""
    complaints, bounces = _meters(session, now - PERIOD)
    return Delivery(
        proof=proof.proof(session),
        complaints=complaints,
        bounces=bounces,
        heard=heard(session),
        lists=list_pull.progress(session),
        events=quarantine.counts(session),
        put_aside=quarantine.quarantined(session, limit=10),
        flow=peek_flow(session, limits, machine),
        limits=limits,
    )


def _meters(session: Session, since: datetime) -> tuple[Meter, Meter]:
    """One pass over what was closed since then.

    A confirm mail to an address that somebody made up says nothing of our list, so its bounce
    does not count; a report of one does.
    """
    told, is_confirm = Message.delivery, Message.mail_class == MailClass.CONFIRM
    is_refused = and_(
        Message.state == MessageState.FAILED, Attempt.outcome == Outcome.ADDRESS_REFUSED
    )
    is_taken = Message.state == MessageState.ACCEPTED
    has_arrived = and_(is_taken, or_(told.is_(None), told.not_in(_NOT_DELIVERED)))
    has_bounced = or_(told == EventKind.BOUNCED, is_refused)
    query = (
        select(
            func.sum(case((told == EventKind.COMPLAINED, 1), else_=0)),
            func.sum(case((has_arrived, 1), else_=0)),
            func.sum(case((and_(has_bounced, ~is_confirm), 1), else_=0)),
            func.sum(case((~is_confirm, 1), else_=0)),
        )
        .select_from(Message)
        .join(Subscriber, Subscriber.id == Message.subscriber_id)
        .outerjoin(Attempt, and_(Attempt.message_id == Message.id, Attempt.fence == Message.fence))
        .where(Message.closed_at > since, Subscriber.is_test.is_(False))
        .where(or_(is_taken, is_refused))
    )
    reports, arrived, bounces, tried = (found or 0 for found in session.execute(query).one())
    return complaint_meter(reports, arrived), bounce_meter(bounces, tried)
