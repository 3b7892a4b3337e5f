"""What a mail that has been dealt with means for its place in the sequence, many at a time."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, tuple_
from sqlalchemy.orm import Session

from funnel.db.bulk import Row, among, update_by_shape
from funnel.db.mail import Enrolment, OwedStep
from funnel.domain.delivery import MessageState
from funnel.domain.enrolment import LIVE, EnrolmentState

_DEALT_WITH = frozenset({MessageState.ACCEPTED, MessageState.UNCONFIRMED, MessageState.SKIPPED})


@dataclass(frozen=True, slots=True)
class SettledStep:
    """The mail of a step is closed: how, when, and why."""

    enrolment_id: int
    step_key: str
    state: MessageState
    at: datetime
    why: str


def steps_settled(session: Session, settled: Collection[SettledStep], *, now: datetime) -> None:
    """Move places on whose mail has been dealt with, in at most a handful of statements.

    A mail that went or was skipped moves the place on, even in a sequence that was stopped
    meanwhile and may start again; a failed one holds it there for a person to look at, or leaves
    it paused; a cancelled one leaves it to the next decision. One owed from behind moves nothing.
    """
    ids = [each.enrolment_id for each in settled]
    if not ids:
        return
    session.flush()
    places = _lock(session, ids)
    owed = _owed(session, ids)
    steps = [each for each in settled if each.enrolment_id in places]
    rows = [
        _row(each, places[each.enrolment_id], (each.enrolment_id, each.step_key) in owed, now)
        for each in steps
    ]
    update_by_shape(session, Enrolment, [row for row in rows if len(row) > 1])
    _pay(session, [each for each in steps if each.state in _DEALT_WITH], owed)
    _forget(session, ids)


@dataclass(frozen=True, slots=True)
class _Locked:
    state: EnrolmentState
    send_now: str | None


def _lock(session: Session, ids: Collection[int]) -> dict[int, _Locked]:
    query = select(Enrolment.id, Enrolment.state, Enrolment.send_now)
    locked = query.where(among(session, Enrolment.id, ids)).order_by(Enrolment.id)
    rows = session.execute(locked.with_for_update(key_share=True))
    return {row.id: _Locked(EnrolmentState(row.state), row.send_now) for row in rows}


def _owed(session: Session, ids: Collection[int]) -> set[tuple[int, str]]:
    query = select(OwedStep.enrolment_id, OwedStep.step_key).where(
        among(session, OwedStep.enrolment_id, ids)
    )
    return {(row.enrolment_id, row.step_key) for row in session.execute(query)}


def _row(each: SettledStep, place: _Locked, is_owed: bool, now: datetime) -> Row:
    row: Row = {"id": each.enrolment_id}
    if each.state in _DEALT_WITH:
        # What was asked for another step still holds.
        row["send_now"] = None if place.send_now == each.step_key else place.send_now
        if not is_owed:
            row |= {"last_step": each.step_key, "anchor_at": each.at, "onto": None}
    if place.state not in LIVE:
        return row
    if each.state is MessageState.FAILED and place.state is EnrolmentState.PAUSED:
        return row | {"why": f"Paused, and the mail failed. {each.why}"}
    if each.state is MessageState.FAILED:
        why = f"Held: the mail failed. {each.why}"
        return row | {"state": EnrolmentState.HELD, "next_due_at": None, "why": why}
    return row | {"next_due_at": now}


def _pay(session: Session, steps: list[SettledStep], owed: set[tuple[int, str]]) -> None:
    """A step that was owed has been sent, so it is owed no more."""
    paid = [key for each in steps if (key := (each.enrolment_id, each.step_key)) in owed]
    if paid:
        owed_step = tuple_(OwedStep.enrolment_id, OwedStep.step_key)
        session.execute(
            delete(OwedStep).where(owed_step.in_(paid)).execution_options(synchronize_session=False)
        )


def _forget(session: Session, ids: Collection[int]) -> None:
    """Whoever holds one of these places as an object reads it anew."""
    for known in list(session.identity_map.values()):
        if isinstance(known, Enrolment) and known.id in ids:
            session.expire(known)
