"""The sequence engine: deciding for everyone who is due, a batch at a time."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, tuple_, update
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from funnel.db.bulk import Row, insert_absent, update_by_shape
from funnel.db.mail import Enrolment, OwedStep, StepSkip
from funnel.domain.decision import next_step
from funnel.domain.enrolment import EnrolmentState
from funnel.domain.progress import Progress, progress
from funnel.domain.sequence import Finish, Halt, Place, Send, Skip, Wait
from funnel.domain.sequence import Sequence as Series
from funnel.services import outbox, places, sequence_pause
from funnel.services.enrolment import start_followers
from funnel.services.house_rules import Rules, plain_rules
from funnel.services.places import SET_ASIDE, Batch, Enrolled, Patterns
from funnel.services.step_mail import Queued, StepMail, queue_steps

log = logging.getLogger(__name__)

BATCH = 1000
LOOK_AGAIN_AFTER = timedelta(hours=1)
ON_ITS_WAY = "The mail is on its way."


def no_patterns(_session: Session, _who: Collection[int]) -> Mapping[int, str]:
    """Nobody's self-check is known."""
    return {}


@dataclass
class _Written:
    """What a batch of decisions comes to, written at its end."""

    changes: list[Row] = field(default_factory=list)
    skips: list[Row] = field(default_factory=list)
    paid: list[tuple[int, str]] = field(default_factory=list)
    letters: dict[int, tuple[StepMail, Row]] = field(default_factory=dict)
    ended: list[tuple[int, str]] = field(default_factory=list)
    finished: list[Enrolled] = field(default_factory=list)


@dataclass(frozen=True)
class SequenceEngine:
    """Decides what happens next to people in sequences. Any number may run at once, anywhere."""

    pepper: bytes
    rules: Rules = plain_rules
    patterns: Patterns = no_patterns

    def advance_due(self, session: Session, *, now: datetime, limit: int = BATCH) -> int:
        """Decide for enrolments that are due; returns how many were looked at.

        Decisions and their effects are one transaction with the rows locked, so running this
        twice, or in two places, is harmless. What cannot be decided is set aside alone.
        """
        rows = places.claim_due(session, now=now, limit=limit)
        if rows:
            self._together(session, rows, now)
        return len(rows)

    def load(self, session: Session, rows: Sequence[Enrolled], *, now: datetime) -> Batch:
        """All that decisions about these enrolments need."""
        return places.load(
            session, rows, pepper=self.pepper, rules=self.rules, patterns=self.patterns, now=now
        )

    def _together(self, session: Session, rows: list[Enrolled], now: datetime) -> None:
        """Advance these rows; when that fails, in two halves, until the bad one is alone."""
        try:
            with session.begin_nested():
                self._advance(session, rows, now)
        except Exception as error:
            if isinstance(error, SQLAlchemyError) and not isinstance(
                error, DataError | IntegrityError
            ):
                raise
            # The boundary of one row: whatever is wrong with it must not hold up the others.
            if len(rows) == 1:
                _set_aside(session, rows[0], error, now)
                return
            half = len(rows) // 2
            self._together(session, rows[:half], now)
            self._together(session, rows[half:], now)

    def _advance(self, session: Session, rows: list[Enrolled], now: datetime) -> None:
        batch, written = self.load(session, rows, now=now), _Written()
        for row in sorted(rows, key=lambda row: _rank(row, batch)):
            _decide(row, batch, written, now)
        write(session, batch, written, now)


def _rank(row: Enrolled, batch: Batch) -> int:
    """What matters more is decided first."""
    sequence = batch.sequences.get(row.sequence_key)
    return -sequence.priority if sequence else 0


def _set_aside(session: Session, row: Enrolled, error: Exception, now: datetime) -> None:
    log.error("enrolment %s could not be decided: %s", row.id, type(error).__name__)
    session.execute(
        update(Enrolment)
        .where(Enrolment.id == row.id)
        .values(next_due_at=now + LOOK_AGAIN_AFTER, why=SET_ASIDE)
        .execution_options(synchronize_session=False)
    )


def _decide(row: Enrolled, batch: Batch, written: _Written, now: datetime) -> None:
    sequence = batch.sequences.get(row.sequence_key)
    if sequence is None:
        _end(row, EnrolmentState.STOPPED, "This sequence no longer exists.", written, now)
        return
    place = batch.place(row, sequence, now)
    if row.id in batch.leaving:
        _while_leaving(row, sequence, place, written, now)
        return
    found = progress(sequence, place, now, batch.house)
    if row.sequence_key in batch.paused and _would_move(found):
        _look_at(row, now + LOOK_AGAIN_AFTER, sequence_pause.WHY, written)
        return
    _note_skips(row, sequence, place, found, written, now)
    _settle(row, sequence, found, batch, written, now)


def _would_move(found: Progress) -> bool:
    """Whether a step would be dealt with now, or is due and kept back by something else."""
    is_held = isinstance(found.decision, Wait) and found.decision.why.startswith("Held:")
    return bool(found.skips) or is_held or isinstance(found.decision, Send)


def _while_leaving(
    row: Enrolled, sequence: Series, place: Place, written: _Written, now: datetime
) -> None:
    """Nothing but an end is decided while a mail is on its way."""
    match next_step(sequence, place, now):
        case Finish(why, is_exit=True):
            _end(row, EnrolmentState.EXITED, why, written, now)
        case Halt(why):
            _end(row, EnrolmentState.STOPPED, why, written, now)
        case _:
            _look_at(row, None, ON_ITS_WAY, written)


def _look_at(row: Enrolled, at: datetime | None, why: str, written: _Written) -> None:
    written.changes.append({"id": row.id, "next_due_at": at, "why": why})


def _note_skips(
    row: Enrolled,
    sequence: Series,
    before: Place,
    found: Progress,
    written: _Written,
    now: datetime,
) -> None:
    for skip in found.skips:
        if skip.step.key in before.owed:
            written.paid.append((row.id, skip.step.key))
        written.skips += skip_rows(row.id, sequence, skip, before.had, now)


def skip_rows(
    enrolment_id: int, sequence: Series, skip: Skip, had: Collection[str], now: datetime
) -> list[Row]:
    """The rows of the mails that a skip passes over; those that a person had are none.

    A fork is no mail itself, but passes over those between it and where it leads.
    """
    if not skip.step.ways:
        told = {skip.step.key: skip.why}
    else:
        why = f"Not for them: the way led on to '{skip.onto}'."
        told = dict.fromkeys(sequence.mails_between(skip.step.key, skip.onto), why)
    return [skip_row(enrolment_id, key, told[key], now) for key in told if key not in had]


def skip_row(enrolment_id: int, step_key: str, why: str, now: datetime) -> Row:
    """The row of a step that was passed over."""
    return {"enrolment_id": enrolment_id, "step_key": step_key, "occurred_at": now, "why": why}


def _settle(
    row: Enrolled,
    sequence: Series,
    found: Progress,
    batch: Batch,
    written: _Written,
    now: datetime,
) -> None:
    moved: Row = {"id": row.id}
    if found.skips:
        stands = found.place
        moved |= {
            "last_step": stands.last_step,
            "anchor_at": stands.anchor_at,
            "onto": stands.onto,
            "send_now": stands.send_now,
        }
    match found.decision:
        case Send():
            letter = _letter(row, sequence, found.decision)
            written.letters[row.id] = (letter, moved)
            batch.drips.setdefault(row.subscriber_id, []).append(now)
            _beside(row, batch, None)
        case Wait(_, until, why):
            written.changes.append({**moved, "next_due_at": until, "why": why})
            _beside(row, batch, until)
        case Finish(why, is_exit):
            state = EnrolmentState.EXITED if is_exit else EnrolmentState.FINISHED
            _end(row, state, why, written, now, moved)
            if not is_exit:
                written.finished.append(row)
            batch.beside.get(row.subscriber_id, {}).pop(row.id, None)
        case Halt(why):
            _end(row, EnrolmentState.STOPPED, why, written, now, moved)
            batch.beside.get(row.subscriber_id, {}).pop(row.id, None)


def _beside(row: Enrolled, batch: Batch, due: datetime | None) -> None:
    """What was decided here is what the person's other sequences see."""
    others = batch.beside.get(row.subscriber_id, {})
    if row.id in others:
        others[row.id] = (others[row.id][0], due)


def _letter(row: Enrolled, sequence: Series, decision: Send) -> StepMail:
    return StepMail(
        enrolment_id=row.id,
        subscriber_id=row.subscriber_id,
        sequence_key=sequence.key,
        step_key=decision.step.key,
        mail=decision.mail,
        purpose=sequence.purpose,
        why=decision.why,
        variant=decision.variant,
        is_hurried=row.send_now == decision.step.key,
    )


def _end(
    row: Enrolled,
    state: EnrolmentState,
    why: str,
    written: _Written,
    now: datetime,
    moved: Row | None = None,
) -> None:
    end: Row = {"state": state, "ended_at": now, "next_due_at": None, "send_now": None, "why": why}
    written.changes.append({**(moved or {"id": row.id}), **end})
    written.ended.append((row.id, why))


def write(session: Session, batch: Batch, written: _Written, now: datetime) -> None:
    """Write down a batch of decisions."""
    queued = queue_steps(session, [mail for mail, _ in written.letters.values()], now=now)
    for enrolment_id, outcome in queued.items():
        mail, moved = written.letters[enrolment_id]
        written.changes.append(moved | _queued(mail, outcome, now))
    update_by_shape(session, Enrolment, written.changes)
    insert_absent(session, StepSkip, written.skips)
    if written.paid:
        key = tuple_(OwedStep.enrolment_id, OwedStep.step_key)
        session.execute(delete(OwedStep).where(key.in_(written.paid)))
    for enrolment_id, why in written.ended:
        if enrolment_id in batch.leaving:
            outbox.cancel_waiting(session, [enrolment_id], why=why, now=now)
    if written.finished:
        ended = [(row.subscriber_id, row.sequence_key, row.started_at) for row in written.finished]
        start_followers(session, ended, now=now)


def _queued(mail: StepMail, outcome: Queued, now: datetime) -> Row:
    """What a place notes of its mail that was to be queued."""
    match outcome:
        case Queued.OPEN:
            return {"next_due_at": None, "why": ON_ITS_WAY}
        case Queued.WENT:
            why = "This mail went out before, so the next one follows."
            moved = {"last_step": mail.step_key, "onto": None, "send_now": None}
            return {**moved, "next_due_at": now, "why": why}
        case Queued.NO_WORDS:
            # One step without words must not stop everybody else's mail.
            why = f"Held: there is no mail text '{mail.mail_key}' yet."
            return {"next_due_at": now + LOOK_AGAIN_AFTER, "why": why}
