"""People moving through sequences: starting, advancing, stopping."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from funnel.db.mail import Enrolment, Message, StepSkip
from funnel.db.people import Subscriber
from funnel.db.upsert import insert_if_absent
from funnel.domain.decision import next_step
from funnel.domain.delivery import OPEN_STATES, MessageState
from funnel.domain.enrolment import EnrolmentState
from funnel.domain.people import Standing, why_not_send
from funnel.domain.ports import MailClass
from funnel.domain.sequence import (
    Decision,
    Fact,
    Finish,
    Halt,
    Place,
    Send,
    Sequence,
    Skip,
    Wait,
)
from funnel.services import outbox, people, texts

LIVE = (EnrolmentState.ACTIVE, EnrolmentState.PAUSED, EnrolmentState.HELD)
LOOK_AGAIN_AFTER = timedelta(hours=1)
_DEALT_WITH = frozenset({MessageState.ACCEPTED, MessageState.UNCONFIRMED, MessageState.SKIPPED})
_COUNTS_AS_SENT = sorted({*OPEN_STATES, MessageState.ACCEPTED, MessageState.UNCONFIRMED})


def enrol(session: Session, person: Subscriber, sequence: Sequence, *, now: datetime) -> None:
    """Start a person in a sequence, once. Someone who had stopped goes on from where they were."""
    is_new = insert_if_absent(
        session,
        Enrolment,
        subscriber_id=person.id,
        sequence_key=sequence.key,
        state=EnrolmentState.ACTIVE,
        started_at=now,
        anchor_at=now,
        next_due_at=now,
        why="Just started.",
    )
    if not is_new:
        session.execute(
            update(Enrolment)
            .where(
                Enrolment.subscriber_id == person.id,
                Enrolment.sequence_key == sequence.key,
                Enrolment.state == EnrolmentState.STOPPED,
            )
            .values(
                state=EnrolmentState.ACTIVE,
                anchor_at=now,
                next_due_at=now,
                ended_at=None,
                why="Started again.",
            )
        )


def apply_fact(session: Session, person: Subscriber, fact: Fact, *, now: datetime) -> None:
    """End the sequences this fact is the goal of, and start those that it opens."""
    known = texts.sequences(session)
    exits = [key for key, sequence in known.items() if fact in sequence.exits_on]
    end_sequences(session, person, exits, fact, now=now)
    start_by(session, person, fact, now=now)


def start_by(session: Session, person: Subscriber, fact: Fact, *, now: datetime) -> None:
    """Start the sequences that this fact opens, of those the person agreed to."""
    for sequence in texts.sequences(session).values():
        if fact in sequence.starts_on:
            _start_if_agreed(session, person, sequence, now)


def _start_if_agreed(
    session: Session, person: Subscriber, sequence: Sequence, now: datetime
) -> None:
    if any(consent.purpose == sequence.purpose for consent in person.consents):
        enrol(session, person, sequence, now=now)


def end_sequences(
    session: Session, person: Subscriber, keys: list[str], fact: Fact, *, now: datetime
) -> None:
    """End a person's live places in these sequences and cancel what has not been started."""
    place = Place(anchor_at=now, last_step=None, facts=frozenset({fact}))
    for enrolment in _live(session, person.id, keys):
        sequence = texts.sequences(session)[enrolment.sequence_key]
        why = next_step(sequence, place, now).why
        _end(session, enrolment, EnrolmentState.EXITED, why, now)


def stop_all(
    session: Session, person: Subscriber, *, why: str, now: datetime, keys: list[str] | None = None
) -> None:
    """Stop a person's sequences, or only those of `keys`, and cancel what was not started."""
    for enrolment in _live(session, person.id, keys):
        _end(session, enrolment, EnrolmentState.STOPPED, why, now)


def _live(session: Session, subscriber_id: int, keys: list[str] | None) -> list[Enrolment]:
    query = select(Enrolment).where(
        Enrolment.subscriber_id == subscriber_id, Enrolment.state.in_(LIVE)
    )
    if keys is not None:
        query = query.where(Enrolment.sequence_key.in_(keys))
    return list(session.scalars(query.with_for_update(key_share=True)))


def _end(
    session: Session, enrolment: Enrolment, state: EnrolmentState, why: str, now: datetime
) -> None:
    enrolment.state = state
    enrolment.ended_at = now
    enrolment.next_due_at = None
    enrolment.why = why
    session.flush()
    outbox.cancel_waiting(session, [enrolment.id], why=why, now=now)


@dataclass
class _Batch:
    """What the decisions of one batch need, loaded in a handful of queries."""

    sequences: dict[str, Sequence]
    facts: dict[int, frozenset[Fact]]
    standings: dict[int, Standing]
    last_drips: dict[int, datetime]

    def place(self, enrolment: Enrolment, sequence: Sequence) -> Place:
        who = enrolment.subscriber_id
        return Place(
            anchor_at=enrolment.anchor_at,
            last_step=enrolment.last_step,
            facts=self.facts.get(who, frozenset()),
            zone=enrolment.subscriber.time_zone,
            last_drip_at=self.last_drips.get(who),
            refusal=why_not_send(self.standings[who], MailClass.DRIP, sequence.purpose),
        )


def advance_due(session: Session, *, pepper: bytes, now: datetime, limit: int = 200) -> int:
    """Decide for every enrolment that is due; returns how many were looked at.

    Each decision and its effect are one transaction with the row locked, so running this twice,
    or in two places, is harmless.
    """
    query = (
        select(Enrolment)
        .where(Enrolment.state == EnrolmentState.ACTIVE, Enrolment.next_due_at <= now)
        .order_by(Enrolment.next_due_at)
        .limit(limit)
        .with_for_update(skip_locked=True, of=Enrolment, key_share=True)
    )
    due = list(session.scalars(query))
    if due:
        batch = _load(session, due, pepper)
        for enrolment in due:
            _advance(session, enrolment, batch, now)
    return len(due)


def _load(session: Session, due: list[Enrolment], pepper: bytes) -> _Batch:
    ids = {enrolment.subscriber_id for enrolment in due}
    persons = list(session.scalars(select(Subscriber).where(Subscriber.id.in_(ids))))
    return _Batch(
        sequences=texts.sequences(session),
        facts=people.facts_of(session, ids),
        standings=people.standings(session, persons, pepper=pepper),
        last_drips=_last_drips(session, ids),
    )


def _last_drips(session: Session, ids: set[int]) -> dict[int, datetime]:
    """When each person last got, or is just getting, a series mail."""
    sent_at = func.max(func.coalesce(Message.accepted_at, Message.due_at))
    query = (
        select(Message.subscriber_id, sent_at.label("sent_at"))
        .where(
            Message.subscriber_id.in_(ids),
            Message.mail_class == MailClass.DRIP,
            Message.state.in_(_COUNTS_AS_SENT),
        )
        .group_by(Message.subscriber_id)
    )
    return {row.subscriber_id: row.sent_at for row in session.execute(query)}


def _advance(session: Session, enrolment: Enrolment, batch: _Batch, now: datetime) -> None:
    sequence = batch.sequences.get(enrolment.sequence_key)
    if sequence is None:
        _end(session, enrolment, EnrolmentState.STOPPED, "This sequence no longer exists.", now)
        return
    while True:
        decision = next_step(sequence, batch.place(enrolment, sequence), now)
        if not isinstance(decision, Skip):
            break
        _skip(session, enrolment, decision, now)
    _settle(session, enrolment, sequence, decision, now)
    if isinstance(decision, Send):
        batch.last_drips[enrolment.subscriber_id] = now


def _skip(session: Session, enrolment: Enrolment, decision: Skip, now: datetime) -> None:
    insert_if_absent(
        session,
        StepSkip,
        enrolment_id=enrolment.id,
        step_key=decision.step.key,
        occurred_at=now,
        why=decision.why,
    )
    enrolment.last_step = decision.step.key
    enrolment.anchor_at = now


def _settle(
    session: Session, enrolment: Enrolment, sequence: Sequence, decision: Decision, now: datetime
) -> None:
    match decision:
        case Send(step, why):
            _send(session, enrolment, sequence, step.key, why, now)
        case Wait(_, until, why):
            enrolment.next_due_at = until
            enrolment.why = why
        case Finish(why, is_exit):
            state = EnrolmentState.EXITED if is_exit else EnrolmentState.FINISHED
            _end(session, enrolment, state, why, now)
            if not is_exit:
                _start_followers(session, enrolment, now)
        case Halt(why):
            _end(session, enrolment, EnrolmentState.STOPPED, why, now)


def _send(
    session: Session, enrolment: Enrolment, sequence: Sequence, key: str, why: str, now: datetime
) -> None:
    try:
        is_open = outbox.put_step(
            session, enrolment, key, purpose=sequence.purpose, why=why, now=now
        )
    except LookupError as error:
        # One step without words must not stop everybody else's mail.
        enrolment.next_due_at = now + LOOK_AGAIN_AFTER
        enrolment.why = f"Held: {error}."
        return
    if is_open:
        enrolment.next_due_at = None
        enrolment.why = "The mail is on its way."
    else:
        enrolment.last_step = key
        enrolment.why = "This mail went out before, so the next one follows."


def _start_followers(session: Session, enrolment: Enrolment, now: datetime) -> None:
    for sequence in texts.sequences(session).values():
        if sequence.follows == enrolment.sequence_key:
            _start_if_agreed(session, enrolment.subscriber, sequence, now)


def release(session: Session, subscriber_id: int, *, now: datetime) -> int:
    """Let a person's held places go on; the failed mail is queued anew, in its newest words.

    Returns how many were released; without any nothing changes.
    """
    released = session.execute(
        update(Enrolment)
        .where(Enrolment.subscriber_id == subscriber_id, Enrolment.state == EnrolmentState.HELD)
        .values(state=EnrolmentState.ACTIVE, next_due_at=now, why="Tried again.")
        .returning(Enrolment.id)
    )
    return len(released.all())


def release_all_of(session: Session, mail_key: str, *, now: datetime) -> None:
    """Let everyone go on whom this mail held: its words have changed."""
    failed = select(Message.enrolment_id).where(
        Message.mail_key == mail_key, Message.state == MessageState.FAILED
    )
    session.execute(
        update(Enrolment)
        .where(Enrolment.id.in_(failed), Enrolment.state == EnrolmentState.HELD)
        .values(state=EnrolmentState.ACTIVE, next_due_at=now, why="The words were mended.")
        .execution_options(synchronize_session=False)
    )


def step_settled(session: Session, message: Message, *, now: datetime) -> None:
    """Move a sequence on when the mail of its step has been dealt with.

    A mail that went or was skipped moves the place on, even in a sequence that was stopped
    meanwhile and may start again; a failed one holds it there for a person to look at; a
    cancelled one leaves it to the next decision.
    """
    if message.enrolment_id is None:
        return
    enrolment = session.get(Enrolment, message.enrolment_id, with_for_update={"key_share": True})
    if enrolment is None:
        return
    if message.state in _DEALT_WITH:
        enrolment.last_step = message.step_key
        enrolment.anchor_at = message.accepted_at or now
    if enrolment.state not in LIVE:
        return
    if message.state == MessageState.FAILED:
        enrolment.state = EnrolmentState.HELD
        enrolment.next_due_at = None
        enrolment.why = f"Held: the mail failed. {message.why}"
        return
    enrolment.next_due_at = now
