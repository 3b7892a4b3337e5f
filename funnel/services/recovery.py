"""After a restore: one decision about everything that fell due since the backup."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, case, delete, or_, select, tuple_, update
from sqlalchemy.orm import Session

from funnel.db.bulk import Row, insert_absent, update_by_shape
from funnel.db.mail import Enrolment, Message, OwedStep, StepSkip
from funnel.domain.delivery import OPEN_STATES, MessageState
from funnel.domain.enrolment import EnrolmentState
from funnel.domain.ports import MailClass
from funnel.domain.progress import forecast, passed
from funnel.domain.sequence import House, Place, Skip
from funnel.domain.sequence import Sequence as Series
from funnel.services import people, restored
from funnel.services.advancing import SequenceEngine, skip_rows
from funnel.services.places import Enrolled, enrolled
from funnel.services.restored import Gap, Standstill
from funnel.services.rights.replay import Replay, Replayed
from funnel.services.settling import SettledStep, steps_settled

PASSED = "It fell due before the database was restored, and may have gone then."
NOT_SENT = "Passed over: it fell due before the database was restored."
MAYBE = "It fell due before the database was restored, and may or may not have gone then."
GOES_ON = "Goes on after the database was restored."
BATCH = 500


class Due(StrEnum):
    """What becomes of the series mails that fell due since the backup."""

    SKIP = "skip"
    SEND = "send"


@dataclass(frozen=True)
class Recovered:
    """How many places go on, how many steps were passed over, and what the journal knew."""

    places: int
    passed: int
    replayed: Replayed


def decide(
    session: Session, due: Due, *, engine: SequenceEngine, replay: Replay, now: datetime
) -> Recovered | None:
    """Let mail go again in a restored database; None when nothing stands still.

    First of all, whoever was erased or said stop since the backup is, or does, so again.
    `skip` passes over every series mail that fell due, so that nobody gets one twice. `send` sends
    them, even where one may have gone. Either way a mail that is in doubt goes only when the
    provider says that it does not have it.
    """
    stopped = restored.standstill(session)
    if stopped is None:
        return None
    replayed = replay.apply(session, stopped.gap.since, now=now)
    doubted = _is_doubted(stopped)
    whose = select(Enrolment.subscriber_id).where(_is_held())
    people.lock(session, whose.union(select(Message.subscriber_id).where(doubted)))
    count = 0
    if due is Due.SKIP:
        _close(session, doubted, now)
        ids = session.scalars(select(Enrolment.id).where(_is_held()).order_by(Enrolment.id)).all()
        for first in range(0, len(ids), BATCH):
            count += _pass_over(session, ids[first : first + BATCH], stopped.gap, engine)
    places = restored.change(session, update(Enrolment).where(_is_held()), _going(now))
    restored.allow(session, now=now)
    return Recovered(places, count, replayed)


def _is_held() -> ColumnElement[bool]:
    return (Enrolment.state == EnrolmentState.HELD) & (Enrolment.why == restored.HELD)


def _going(now: datetime) -> Row:
    return {"state": EnrolmentState.ACTIVE, "next_due_at": now, "why": GOES_ON}


def _is_doubted(stopped: Standstill) -> ColumnElement[bool]:
    """The series mails that the stop put in doubt, whatever was found out since."""
    is_late = or_(Message.closed_at.is_(None), Message.closed_at >= stopped.since)
    is_due = Message.is_resent.is_(True) & (Message.due_at <= stopped.gap.until)
    # Whoever was let go alone meanwhile has moved on.
    still = Message.enrolment_id.in_(select(Enrolment.id).where(_is_held()))
    return is_due & is_late & still & (Message.mail_class == MailClass.DRIP)


def _close(session: Session, doubted: ColumnElement[bool], now: datetime) -> None:
    """End every doubt, and put each place to when its mail was due: that is what may have gone."""
    is_absent = Message.state == MessageState.SCHEDULED
    query = select(Message.enrolment_id, Message.step_key, Message.due_at).where(doubted)
    steps = [
        SettledStep(row.enrolment_id, row.step_key, MessageState.SKIPPED, row.due_at, NOT_SENT)
        for row in session.execute(query.where(Message.state != MessageState.FAILED))
    ]
    values = {
        "state": case((is_absent, MessageState.SKIPPED), else_=MessageState.UNCONFIRMED),
        "why": case((is_absent, NOT_SENT), else_=MAYBE),
        "fence": Message.fence + 1,
        "lease_until": None,
        "closed_at": now,
    }
    is_open = Message.state.in_(sorted(OPEN_STATES))
    restored.change(session, update(Message).where(doubted, is_open), values)
    steps_settled(session, steps, now=now)


def _pass_over(session: Session, ids: Sequence[int], gap: Gap, engine: SequenceEngine) -> int:
    """Move these places past every step that fell due in the gap; returns how many steps."""
    start = gap.since or gap.until
    rows = enrolled(session, Enrolment.id.in_(ids))
    batch = engine.load(session, rows, now=start)
    changes: list[Row] = []
    skips: list[Row] = []
    for row in rows:
        sequence = batch.sequences.get(row.sequence_key)
        if sequence is not None:
            place = replace(batch.place(row, sequence, start), send_now=None)
            after, met = _live_through(sequence, place, start, gap.until, batch.house)
            changes.append(_moved(row, after))
            for each in met:
                skips += skip_rows(row.id, sequence, each, place.had, gap.until)
    update_by_shape(session, Enrolment, changes)
    insert_absent(session, StepSkip, skips)
    _pay(session, [(skip["enrolment_id"], skip["step_key"]) for skip in skips])
    return sum(skip["why"] == PASSED for skip in skips)


def _live_through(
    sequence: Series, place: Place, start: datetime, end: datetime, house: House
) -> tuple[Place, list[Skip]]:
    """Where a person stands after the gap, as if every mail that fell due in it had gone."""
    met: list[Skip] = []
    for _ in sequence.steps:
        found = forecast(sequence, place, start, house)
        if found is None or found.at > end:
            break
        step = next(each for each in sequence.steps if each.key == found.key)
        for skip in (*found.skips, Skip(step, PASSED)):
            place = passed(place, skip, found.at)
            met.append(skip)
        place, start = replace(place, last_drip_at=found.at), found.at
    return place, met


def _moved(row: Enrolled, place: Place) -> Row:
    return {
        "id": row.id,
        "last_step": place.last_step,
        "anchor_at": place.anchor_at,
        "onto": place.onto,
        "send_now": None,
    }


def _pay(session: Session, steps: list[tuple[int, str]]) -> None:
    if steps:
        key = tuple_(OwedStep.enrolment_id, OwedStep.step_key)
        session.execute(delete(OwedStep).where(key.in_(steps)))
