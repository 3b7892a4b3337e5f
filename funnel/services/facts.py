"""Writing down that something became true of a person, and what follows from it."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from funnel.db.people import FunnelEvent, Subscriber
from funnel.db.upsert import insert_if_absent
from funnel.domain.sequence import Fact
from funnel.services import enrolment


def record_fact(session: Session, person: Subscriber, fact: Fact, *, now: datetime) -> bool:
    """Keep the first time of a fact; in the same transaction sequences end and start by it.

    Returns False when it was already true: then only its last time is kept, and what may begin
    anew does.
    """
    is_new = insert_if_absent(
        session, FunnelEvent, subscriber_id=person.id, fact=fact, occurred_at=now
    )
    if is_new:
        enrolment.apply_fact(session, person, fact, now=now)
        return True
    session.execute(
        update(FunnelEvent)
        .where(FunnelEvent.subscriber_id == person.id, FunnelEvent.fact == fact)
        .values(again_at=now)
    )
    enrolment.repeat_fact(session, person, fact, now=now)
    return False
