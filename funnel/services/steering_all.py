"""The therapist's hand on a whole sequence: pause it, and skip, send or move all before a step."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, false, or_, select, update
from sqlalchemy.orm import Session

from funnel.db.bulk import Row, insert_absent
from funnel.db.mail import Enrolment, Message, OwedStep, StepSkip
from funnel.db.people import Subscriber
from funnel.domain.decision import upcoming
from funnel.domain.delivery import NOT_STARTED, MessageState
from funnel.domain.enrolment import LIVE, EnrolmentState
from funnel.domain.errors import InvalidInput, NotFound
from funnel.domain.sequence import Place, Sequence
from funnel.services import outbox, people, sequence_pause, texts
from funnel.services.advancing import SequenceEngine, skip_row
from funnel.services.house_rules import house_at
from funnel.services.reports.titles import step_title
from funnel.services.steering import Steered, hurry, jump
from funnel.services.step_mail import SURELY_NOT_SENT

CHUNK = 500
SLICES = 30  # a release is spread over so many equal parts of the house's spread
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)  # which step comes next does not hang on it


def pause_sequence(session: Session, key: str, *, by: str, now: datetime) -> Steered:
    """Let a whole sequence stand still: everybody keeps their place, and who comes new waits.

    Mails that were not started are cancelled. Pausing twice changes nothing; raises NotFound.
    """
    sequence = _sequence(session, key)
    count = 0
    if sequence_pause.stop(session, key, by=by, now=now):
        is_meant = and_(
            Enrolment.sequence_key == key,
            Enrolment.state == EnrolmentState.ACTIVE,
            or_(Enrolment.id.in_(_with_mail()), Enrolment.send_now.is_not(None)),
        )
        meant = select(Enrolment.id, Enrolment.subscriber_id).where(is_meant)
        for ids in _locked(session, meant):
            outbox.cancel_waiting(session, ids, why=sequence_pause.WHY, now=now)
            still = {"next_due_at": now, "send_now": None, "why": sequence_pause.WHY}
            _set(session, ids, still)
            count += len(ids)
    return Steered(f"Paused the whole of “{sequence.title}”.", count)


def resume_sequence(
    session: Session, key: str, *, engine: SequenceEngine, now: datetime
) -> Steered:
    """Let a whole sequence go on; what was held is released over the house's spread.

    Resuming twice changes nothing; raises NotFound.
    """
    sequence = _sequence(session, key)
    count = 0
    if sequence_pause.go(session, key):
        people.lock(
            session,
            select(Enrolment.subscriber_id).where(
                Enrolment.sequence_key == key, Enrolment.why == sequence_pause.WHY
            ),
        )
        spread = house_at(session, engine.rules, now).spread
        for part in range(SLICES):
            is_held = and_(
                Enrolment.sequence_key == key,
                Enrolment.state == EnrolmentState.ACTIVE,
                Enrolment.why == sequence_pause.WHY,
                Enrolment.id % SLICES == part,
            )
            released = session.execute(
                update(Enrolment)
                .where(is_held)
                .values(next_due_at=now + spread * part / SLICES, why="Released after a pause.")
                .returning(Enrolment.id)
                .execution_options(synchronize_session=False)
            )
            count += len(released.all())
    return Steered(f"Resumed the whole of “{sequence.title}”.", count)


def skip_all(session: Session, key: str, step: str, *, by: str, now: datetime) -> Steered:
    """Pass over a step for everyone who stands before it; a mail that is leaving is left alone."""
    sequence, count, why = _sequence(session, key, step), 0, f"Skipped by {by}."
    title = step_title(session, key, step)
    for ids in _before(session, sequence, step):
        outbox.cancel_waiting(session, ids, why=why, now=now)
        insert_absent(session, StepSkip, [skip_row(each, step, why, now) for each in ids])
        moved = {"last_step": step, "anchor_at": now, "onto": None, "send_now": None}
        _stand(session, ids, {**moved, "why": why}, now)
        count += len(ids)
    return Steered(f"Skipped “{title}” of “{sequence.title}” for {_people(count)}.", count)


def send_all_now(session: Session, key: str, step: str, *, by: str, now: datetime) -> Steered:
    """Send the mail of a step at once to everyone who stands before it and is not paused.

    Whoever gets another mail first, which is owed to them or waits to leave, is left alone, and so
    is whoever paused their mails themselves.
    """
    sequence, count = _sequence(session, key, step), 0
    if key in sequence_pause.paused(session):
        raise InvalidInput("step", "This series is paused. Resume it first.")
    title = step_title(session, key, step)
    going = Enrolment.state != EnrolmentState.PAUSED
    is_free = and_(going, ~_gets_another_first(step), ~_wants_quiet(now))
    for ids in _before(session, sequence, step, is_free):
        leaving = set(session.scalars(_with_mail().where(Message.enrolment_id.in_(ids))))
        hurry(session, sorted(leaving), now=now)
        why = f"{by} asked to send it now."
        others = [each for each in ids if each not in leaving]
        _stand(session, others, {"send_now": step, "why": why}, now)
        count += len(ids)
    return Steered(f"Sent “{title}” of “{sequence.title}” to {_people(count)} at once.", count)


def move_all(
    session: Session, key: str, step: str, onto: str, *, by: str, now: datetime
) -> Steered:
    """Move everyone who stands before a step to another one; whoever had that mail stays."""
    sequence, count = _sequence(session, key, step, onto), 0
    if step == onto:
        raise InvalidInput("step", "They stand there already.")
    title = step_title(session, key, onto)
    for ids in _before(session, sequence, step, ~_has_mail_of(onto)):
        outbox.cancel_waiting(session, ids, why="Another step comes first.", now=now)
        jump(session, sequence, ids, step, onto, by=by, now=now)
        why = f"Moved to “{title}” by {by}."
        moved = {"onto": onto, "anchor_at": now, "send_now": None, "why": why}
        _stand(session, ids, moved, now)
        count += len(ids)
    return Steered(f"Moved {_people(count)} of “{sequence.title}” to “{title}”.", count)


def count_before(session: Session, key: str, step: str) -> int:
    """How many people stand before a step and could be skipped or moved."""
    sequence = _sequence(session, key, step)
    return len(session.scalars(_ids_before(session, sequence, step)).all())


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"


def _sequence(session: Session, key: str, *steps: str) -> Sequence:
    """The sequence of this key, with these steps in it; raises NotFound."""
    found = texts.sequences(session).get(key)
    if found is None or any(found.step(step) is None for step in steps):
        raise NotFound
    return found


def _with_mail() -> Any:
    """The enrolments with a mail that was not started."""
    return select(Message.enrolment_id).where(Message.state.in_(NOT_STARTED))


def _has_mail_of(step: str) -> ColumnElement[bool]:
    """Holds for an enrolment whose mail of this step went, may have gone, or is on its way."""
    return exists().where(
        Message.enrolment_id == Enrolment.id,
        Message.step_key == step,
        Message.state.not_in(sorted(SURELY_NOT_SENT)),
    )


def _gets_another_first(step: str) -> ColumnElement[bool]:
    """Holds for an enrolment with a step that is owed, or a mail of another step that waits."""
    is_owed = exists().where(OwedStep.enrolment_id == Enrolment.id)
    waits = exists().where(
        Message.enrolment_id == Enrolment.id,
        Message.step_key != step,
        Message.state.in_(NOT_STARTED),
    )
    return or_(is_owed, waits)


def _wants_quiet(now: datetime) -> ColumnElement[bool]:
    """Holds for an enrolment of somebody who paused their mails."""
    return exists().where(Subscriber.id == Enrolment.subscriber_id, Subscriber.paused_until > now)


def _is_leaving() -> ColumnElement[bool]:
    return exists().where(
        Message.enrolment_id == Enrolment.id,
        Message.state.in_([MessageState.SENDING, MessageState.UNKNOWN]),
    )


def _ids_before(
    session: Session, sequence: Sequence, step: str, *also: ColumnElement[bool]
) -> Select[int, int]:
    """Those whose next step is this one; whose mail is just leaving are left alone."""
    query = select(Enrolment.last_step, Enrolment.onto).where(
        Enrolment.sequence_key == sequence.key, Enrolment.state.in_(LIVE)
    )
    here = [
        and_(
            Enrolment.last_step.is_not_distinct_from(last),
            Enrolment.onto.is_not_distinct_from(onto),
        )
        for last, onto in session.execute(query.distinct())
        if _next(sequence, last, onto) == step
    ]
    return select(Enrolment.id, Enrolment.subscriber_id).where(
        Enrolment.sequence_key == sequence.key,
        Enrolment.state.in_(LIVE),
        or_(false(), *here),
        ~_is_leaving(),
        *also,
    )


def _next(sequence: Sequence, last_step: str | None, onto: str | None) -> str | None:
    place = Place(anchor_at=_ANY_TIME, last_step=last_step, onto=onto, facts=frozenset())
    found = upcoming(sequence, place)
    return found.key if found else None


def _before(
    session: Session, sequence: Sequence, step: str, *also: ColumnElement[bool]
) -> Iterator[list[int]]:
    """Those before a step, some hundred at a time, with their people locked."""
    return _locked(session, _ids_before(session, sequence, step, *also))


def _locked(session: Session, meant: Select[int, int]) -> Iterator[list[int]]:
    """Those who are meant, some hundred at a time, with their people locked."""
    found = session.execute(meant.order_by(Enrolment.subscriber_id)).all()
    for start in range(0, len(found), CHUNK):
        part = found[start : start + CHUNK]
        people.lock(session, [who for _, who in part])
        # Who has moved on while we waited for the lock is not meant any more.
        again = meant.where(Enrolment.id.in_([each for each, _ in part]))
        ids = sorted(session.scalars(again))
        if ids:
            yield ids


def _stand(session: Session, ids: list[int], values: Row, now: datetime) -> None:
    """Set where these people stand; a place that was held goes on, a paused one stays so."""
    _set(session, ids, values)
    session.execute(
        update(Enrolment)
        .where(Enrolment.id.in_(ids), Enrolment.state != EnrolmentState.PAUSED)
        .values(state=EnrolmentState.ACTIVE, next_due_at=now)
        .execution_options(synchronize_session=False)
    )


def _set(session: Session, ids: list[int], values: Row) -> None:
    session.execute(
        update(Enrolment)
        .where(Enrolment.id.in_(ids))
        .values(**values)
        .execution_options(synchronize_session=False)
    )
