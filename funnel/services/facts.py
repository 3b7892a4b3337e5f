"""Writing down, once, that something became true of a person."""

from datetime import datetime

from sqlalchemy.orm import Session

from funnel.db.people import FunnelEvent, Subscriber
from funnel.db.upsert import insert_if_absent
from funnel.domain.sequence import Fact
from funnel.services import enrolment


def record_fact(session: Session, person: Subscriber, fact: Fact, *, now: datetime) -> bool:
    """Keep the first time of a fact; in the same transaction sequences end and start by it.

    Returns False, and does nothing, when it was already true.
    """
    is_new = insert_if_absent(
        session, FunnelEvent, subscriber_id=person.id, fact=fact, occurred_at=now
    )
    if is_new:
        enrolment.apply_fact(session, person, fact, now=now)
    return is_new
