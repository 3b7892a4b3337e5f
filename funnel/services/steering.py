"""The therapist's hand on one person's place: pause, resume, skip, send now, move."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.orm import Session

from funnel.db.bulk import insert_absent
from funnel.db.mail import Enrolment, Message, OwedStep, StepSkip
from funnel.domain.decision import upcoming
from funnel.domain.delivery import NOT_STARTED
from funnel.domain.enrolment import LIVE, EnrolmentState
from funnel.domain.errors import InvalidInput, NotFound
from funnel.domain.holds import own_pause
from funnel.domain.progress import forecast, passed
from funnel.domain.sequence import House, Place, Sequence, Skip, Step
from funnel.services import blocks, outbox, people, places, sequence_pause, texts
from funnel.services.advancing import SequenceEngine, skip_row, skip_rows
from funnel.services.reports.titles import step_title
from funnel.services.step_mail import SURELY_NOT_SENT

STILL_HELD = (
    "Their mail server turns our mails away. Look at that, then “Try that mail again” first."
)


@dataclass(frozen=True)
class Steered:
    """What was done, as one sentence for the record, and to how many people."""

    sentence: str
    count: int = 1


@dataclass(frozen=True)
class _Seat:
    """A locked place, with all that deciding about it takes."""

    row: Enrolment
    sequence: Sequence
    place: Place
    house: House
    leaving: str | None
    start: datetime


def pause(session: Session, enrolment_id: int, *, by: str, now: datetime) -> Steered:
    """Let a person's place stand still; a mail that was not started is cancelled.

    Pausing twice changes nothing. Raises NotFound, or InvalidInput when the series is over.
    """
    row = _lock(session, enrolment_id)
    if row.state != EnrolmentState.PAUSED:
        row.state = EnrolmentState.PAUSED
        row.next_due_at = row.send_now = None
        row.why = f"Paused by {by}."
        session.flush()
        outbox.cancel_waiting(session, [row.id], why=row.why, now=now)
    return Steered(f"Paused {_title(session, row)} for one person.")


def resume(session: Session, enrolment_id: int, *, by: str, now: datetime) -> Steered:
    """Let a paused place go on from where it was. Resuming twice changes nothing.

    Raises InvalidInput while their mail server turns our mails away and nobody has looked.
    """
    row = _lock(session, enrolment_id)
    if row.state == EnrolmentState.PAUSED:
        if blocks.held_of(session, [row.subscriber_id]):
            raise InvalidInput("enrolment", STILL_HELD)
        row.state = EnrolmentState.ACTIVE
        row.next_due_at = now
        row.why = f"Resumed by {by}."
    return Steered(f"Resumed {_title(session, row)} for one person.")


def skip_next(
    session: Session,
    enrolment_id: int,
    step: str,
    *,
    engine: SequenceEngine,
    by: str,
    now: datetime,
) -> Steered:
    """Pass over the next mail, which must be that of `step`: pressed twice, it skips one.

    Raises NotFound, or InvalidInput when another mail is next or this one is leaving.
    """
    seat = _seat(session, _lock(session, enrolment_id), engine, now)
    title = step_title(session, seat.sequence.key, step)
    done = Steered(f"Skipped “{title}” of {_title(session, seat.row)} for one person.")
    if step not in seat.place.owed and _is_skipped(session, enrolment_id, step):
        return done
    seat = _take_back(session, seat, engine, now)
    skip = Skip(_known(seat, step), f"Skipped by {by}.")
    # One that is owed may have been passed over before, for a reason that counts no more.
    session.execute(delete(StepSkip).where(_skip_of(enrolment_id, step)))
    place = _pass_over(session, seat, (*_way_to(seat, step), skip), now)
    _stand(seat.row, place, f"“{title}” was skipped by {by}.", now)
    return done


def send_now(
    session: Session,
    enrolment_id: int,
    step: str,
    *,
    engine: SequenceEngine,
    by: str,
    now: datetime,
) -> Steered:
    """Send the next mail, which must be that of `step`, at once: no hour or gap holds it.

    What comes before it and would be passed over is passed over now. One that has gone or is
    leaving already goes once all the same. Raises NotFound, or InvalidInput when another mail is
    next, or none may go to them, also while they paused their mails themselves.
    """
    seat = _seat(session, _lock(session, enrolment_id), engine, now)
    title = step_title(session, seat.sequence.key, step)
    done = Steered(f"Sent “{title}” of {_title(session, seat.row)} to one person at once.")
    if seat.leaving == step:
        hurry(session, [enrolment_id], now=now)
        return done
    if step in seat.place.had:
        return done
    _refuse_still(session, seat, now)
    place = _pass_over(session, seat, _way_to(seat, step), now)
    _stand(seat.row, place, f"{by} asked to send it now.", now, send_now=step)
    return done


def move_to(
    session: Session,
    enrolment_id: int,
    step: str,
    *,
    engine: SequenceEngine,
    by: str,
    now: datetime,
) -> Steered:
    """Have a step come next, whatever came before; its delay counts from now.

    Steps that are jumped are noted as passed over, and a step that was skipped may come after
    all. Raises NotFound, or InvalidInput for a mail they had or while one is leaving.
    """
    seat = _seat(session, _lock(session, enrolment_id), engine, now)
    _known(seat, step)
    title = step_title(session, seat.sequence.key, step)
    done = Steered(f"Moved one person to “{title}” of {_title(session, seat.row)}.")
    if step in {seat.row.onto, seat.leaving}:
        return done
    if step in seat.place.had:
        raise InvalidInput("step", "That mail has gone to them before, and no mail goes twice.")
    seat = _take_back(session, seat, engine, now)
    here = upcoming(seat.sequence, replace(seat.place, owed=frozenset()))
    jump(session, seat.sequence, [enrolment_id], here.key if here else None, step, by=by, now=now)
    place = replace(seat.place, onto=step, anchor_at=now)
    _stand(seat.row, place, f"Moved to “{title}” by {by}.", now)
    return done


def jump(
    session: Session,
    sequence: Sequence,
    ids: list[int],
    here: str | None,
    step: str,
    *,
    by: str,
    now: datetime,
) -> None:
    """Note the steps between `here` and `step` as passed over; on a way back, as open again.

    Those whose mail went keep their own story.
    """
    keys = [each.key for each in sequence.steps]
    target = keys.index(step)
    start = keys.index(here) if here is not None else len(keys)
    session.execute(
        delete(StepSkip).where(StepSkip.enrolment_id.in_(ids), StepSkip.step_key.in_(keys[target:]))
    )
    between = [each for each in sequence.steps[start:target] if not each.ways]
    query = select(Message.enrolment_id, Message.step_key).where(
        Message.enrolment_id.in_(ids), Message.state.not_in(sorted(SURELY_NOT_SENT))
    )
    had = {tuple(row) for row in session.execute(query)}
    title = step_title(session, sequence.key, step)
    why = f"Passed over: {by} moved them on to “{title}”."
    rows = [
        skip_row(enrolment_id, each.key, why, now)
        for enrolment_id in ids
        for each in between
        if (enrolment_id, each.key) not in had
    ]
    insert_absent(session, StepSkip, rows)


def hurry(session: Session, ids: list[int], *, now: datetime) -> None:
    """Let mails of these enrolments that were not started leave at once."""
    session.execute(
        update(Message)
        .where(Message.enrolment_id.in_(ids), Message.state.in_(NOT_STARTED))
        .values(is_hurried=True, not_before=now)
        .execution_options(synchronize_session=False)
    )


def _lock(session: Session, enrolment_id: int) -> Enrolment:
    """The place, with its person locked first, as everybody does."""
    who = session.scalar(select(Enrolment.subscriber_id).where(Enrolment.id == enrolment_id))
    if who is None:
        raise NotFound
    people.lock(session, [who])
    row = session.get_one(
        Enrolment, enrolment_id, with_for_update={"key_share": True}, populate_existing=True
    )
    if row.state not in LIVE:
        raise InvalidInput("step", "This series is over for them.")
    return row


def _seat(session: Session, row: Enrolment, engine: SequenceEngine, now: datetime) -> _Seat:
    session.flush()
    (found,) = places.enrolled(session, Enrolment.id == row.id)
    batch = engine.load(session, [found], now=now)
    sequence = batch.sequences.get(row.sequence_key)
    if sequence is None:
        raise NotFound
    place = batch.place(found, sequence, now)
    start = max(now, found.next_due_at or now)
    return _Seat(row, sequence, place, batch.house, batch.leaving.get(row.id), start)


def _way_to(seat: _Seat, step: str) -> tuple[Skip, ...]:
    """What is passed over before the step's mail, which must be the next that is foretold."""
    found = forecast(seat.sequence, seat.place, seat.start, seat.house)
    if found is None:
        why = seat.place.refusal or "No mail comes next for them any more."
        raise InvalidInput("step", why)
    if found.key != step:
        raise InvalidInput("step", "By now another mail comes next for them. Please look again.")
    return found.skips


def _known(seat: _Seat, key: str) -> Step:
    step = seat.sequence.step(key)
    if step is None:
        raise NotFound
    return step


def _take_back(session: Session, seat: _Seat, engine: SequenceEngine, now: datetime) -> _Seat:
    """The same place without a mail on its way; InvalidInput when that has been started."""
    if seat.leaving is None:
        return seat
    why = "Another step comes first."
    outbox.cancel_waiting(session, [seat.row.id], why=why, now=now)
    seat = _seat(session, seat.row, engine, now)
    if seat.leaving is not None:
        raise InvalidInput("step", "A mail is just leaving for them. Please try in a minute.")
    return seat


def _refuse_still(session: Session, seat: _Seat, now: datetime) -> None:
    if pause := own_pause(seat.place, now):
        raise InvalidInput("step", pause.why)
    is_paused = seat.row.state == EnrolmentState.PAUSED
    if is_paused or seat.sequence.key in sequence_pause.paused(session):
        raise InvalidInput("step", "This series is paused. Resume it first.")
    if seat.leaving is not None:
        raise InvalidInput("step", "A mail is just leaving for them. Please try in a minute.")


def _stand(
    row: Enrolment, place: Place, why: str, now: datetime, *, send_now: str | None = None
) -> None:
    """Write where the person stands now; a place that was held goes on, a paused one stays so."""
    row.last_step, row.anchor_at, row.onto = place.last_step, place.anchor_at, place.onto
    row.send_now, row.why = send_now, why
    if row.state != EnrolmentState.PAUSED:
        row.state = EnrolmentState.ACTIVE
        row.next_due_at = now


def _pass_over(session: Session, seat: _Seat, skips: tuple[Skip, ...], now: datetime) -> Place:
    """Keep the steps that were passed over, and pay those that were owed; the place after it."""
    place = seat.place
    for skip in skips:
        rows = skip_rows(seat.row.id, seat.sequence, skip, seat.place.had, now)
        insert_absent(session, StepSkip, rows)
        place = passed(place, skip, now)
    keys = [skip.step.key for skip in skips]
    session.execute(
        delete(OwedStep).where(OwedStep.enrolment_id == seat.row.id, OwedStep.step_key.in_(keys))
    )
    return place


def _is_skipped(session: Session, enrolment_id: int, step: str) -> bool:
    return session.scalar(select(StepSkip.id).where(_skip_of(enrolment_id, step))) is not None


def _skip_of(enrolment_id: int, step: str) -> ColumnElement[bool]:
    return and_(StepSkip.enrolment_id == enrolment_id, StepSkip.step_key == step)


def _title(session: Session, row: Enrolment) -> str:
    sequence = texts.sequences(session).get(row.sequence_key)
    return f"“{sequence.title if sequence else row.sequence_key}”"
