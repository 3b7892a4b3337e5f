"""People moving through sequences: starting, advancing, stopping."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from funnel.db.bulk import Row, among, insert_absent
from funnel.db.mail import Enrolment, Message
from funnel.db.people import Consent, Subscriber
from funnel.db.upsert import insert_if_absent
from funnel.domain.decision import next_step
from funnel.domain.delivery import MessageState
from funnel.domain.enrolment import LIVE, EnrolmentState
from funnel.domain.progress import heeds
from funnel.domain.sequence import Fact, Place, Sequence
from funnel.services import blocks, outbox, texts
from funnel.services.looking_again import ask_again, look_again


def enrol(
    session: Session,
    subscriber_id: int,
    sequence: Sequence,
    *,
    now: datetime,
    may_begin_anew: bool = True,
) -> None:
    """Start a person in a sequence.

    Someone who had stopped goes on from where they were; someone whose last round is over begins
    anew where the sequence and the caller allow it, and so long after. Otherwise nothing changes.
    """
    if _start(session, subscriber_id, sequence, now, may_begin_anew=may_begin_anew):
        blocks.hold_beside(session, [subscriber_id], now=now)


def _start(
    session: Session, subscriber_id: int, sequence: Sequence, now: datetime, *, may_begin_anew: bool
) -> bool:
    if _begin(session, subscriber_id, sequence, 1, now):
        return True
    last = _last_round(session, subscriber_id, sequence.key)
    if last is not None and last.state == EnrolmentState.STOPPED:
        _go_on(last, now)
        session.flush()
        return True
    if may_begin_anew and last is not None and _may_begin_anew(last, sequence, now):
        return _begin(session, subscriber_id, sequence, last.round + 1, now)
    return False


def _begin(
    session: Session, subscriber_id: int, sequence: Sequence, number: int, now: datetime
) -> bool:
    return insert_if_absent(session, Enrolment, **_row(subscriber_id, sequence.key, number, now))


def _row(subscriber_id: int, key: str, number: int, now: datetime) -> Row:
    return {
        "subscriber_id": subscriber_id,
        "sequence_key": key,
        "round": number,
        "state": EnrolmentState.ACTIVE,
        "started_at": now,
        "anchor_at": now,
        "next_due_at": now,
        "why": "Just started." if number == 1 else f"Started for the {_ordinal(number)} time.",
    }


def _ordinal(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")


def _last_round(session: Session, subscriber_id: int, key: str) -> Enrolment | None:
    query = select(Enrolment).where(
        Enrolment.subscriber_id == subscriber_id, Enrolment.sequence_key == key
    )
    newest = query.order_by(Enrolment.round.desc()).limit(1).with_for_update(key_share=True)
    return session.scalars(newest.execution_options(populate_existing=True)).first()


def _go_on(enrolment: Enrolment, now: datetime) -> None:
    enrolment.state = EnrolmentState.ACTIVE
    enrolment.anchor_at = enrolment.next_due_at = now
    enrolment.ended_at = enrolment.send_now = None
    enrolment.why = "Started again."


def _may_begin_anew(last: Enrolment, sequence: Sequence, now: datetime) -> bool:
    if sequence.again_after is None or last.ended_at is None:
        return False
    is_over = last.state in {EnrolmentState.FINISHED, EnrolmentState.EXITED}
    return is_over and now >= last.ended_at + sequence.again_after


def apply_fact(session: Session, person: Subscriber, fact: Fact, *, now: datetime) -> None:
    """What follows from a fact that has just become true.

    The sequences that it is the goal of end, those that it opens start, and where it may change
    what comes next the person is looked at again at once.
    """
    known = texts.sequences(session)
    held = blocks.held_of(session, [person.id])
    exits = [key for key, sequence in known.items() if fact in sequence.exits_on]
    end_sequences(session, person, exits, fact, now=now)
    heeding = [key for key, sequence in known.items() if heeds(sequence, fact)]
    ask_again(session, person.id, heeding, now=now)
    start_by(session, person, fact, now=now)
    if held:  # also where the series that was held has just come to its goal
        blocks.hold(session, person.id, now=now)


def repeat_fact(session: Session, person: Subscriber, fact: Fact, *, now: datetime) -> None:
    """What follows from a fact that has become true once more.

    It ends later rounds that it is the goal of, is looked at again by those that wait for it, and
    opens a new round of sequences that allow it.
    """
    known = texts.sequences(session)
    heeding = [key for key, sequence in known.items() if heeds(sequence, fact)]
    look_again(session, person.id, heeding, now=now)
    for sequence in known.values():
        if fact in sequence.exits_on:
            end_sequences(session, person, [sequence.key], fact, now=now)
        opens = fact in sequence.starts_on and sequence.again_after is not None
        if opens and _has_agreed(session, person.id, sequence):
            last = _last_round(session, person.id, sequence.key)
            if last is not None and _may_begin_anew(last, sequence, now):
                _begin(session, person.id, sequence, last.round + 1, now)
                blocks.hold_beside(session, [person.id], now=now)


def start_by(
    session: Session,
    person: Subscriber,
    fact: Fact,
    *,
    now: datetime,
    may_begin_anew: bool = True,
) -> None:
    """Start the sequences that this fact opens, of those the person agreed to."""
    for sequence in texts.sequences(session).values():
        if fact in sequence.starts_on and _has_agreed(session, person.id, sequence):
            enrol(session, person.id, sequence, now=now, may_begin_anew=may_begin_anew)


def _has_agreed(session: Session, subscriber_id: int, sequence: Sequence) -> bool:
    query = select(Consent.purpose).where(
        Consent.subscriber_id == subscriber_id, Consent.purpose == sequence.purpose
    )
    return session.scalar(query) is not None


def end_sequences(
    session: Session, person: Subscriber, keys: list[str], fact: Fact, *, now: datetime
) -> None:
    """End a person's live places in these sequences and cancel what has not been started."""
    place = Place(anchor_at=now, last_step=None, facts=frozenset({fact}))
    ended = _live(session, person.id, keys)
    for enrolment in ended:
        sequence = texts.sequences(session)[enrolment.sequence_key]
        why = next_step(sequence, place, now).why
        _end(session, enrolment, EnrolmentState.EXITED, why, now)
    if ended:
        # What gave way to these sequences may go now.
        look_again(session, person.id, list(texts.sequences(session)), now=now)


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
    enrolment.next_due_at = enrolment.send_now = None
    enrolment.why = why
    session.flush()
    outbox.cancel_waiting(session, [enrolment.id], why=why, now=now)


def start_followers(
    session: Session, finished: Collection[tuple[int, str, datetime]], *, now: datetime
) -> None:
    """Start the sequences that follow those that people came to the end of, where they agreed.

    `finished` is who, which sequence, and when they began it. Whoever comes to the end twice, for
    a mail that was put in behind them, is started once. A handful of statements for each follower.
    """
    for sequence in texts.sequences(session).values():
        began = {who: at for who, key, at in finished if key == sequence.follows}
        if not began:
            continue
        query = select(Consent.subscriber_id).where(Consent.purpose == sequence.purpose)
        agreed = session.scalars(query.where(among(session, Consent.subscriber_id, list(began))))
        _follow(session, {who: began[who] for who in agreed}, sequence, now)


def _follow(
    session: Session, began: Mapping[int, datetime], sequence: Sequence, now: datetime
) -> None:
    query = select(Enrolment.subscriber_id, func.max(Enrolment.started_at))
    theirs = query.where(
        Enrolment.sequence_key == sequence.key, among(session, Enrolment.subscriber_id, list(began))
    )
    known = dict(session.execute(theirs.group_by(Enrolment.subscriber_id)).all())
    fresh = [_row(who, sequence.key, 1, now) for who in began if who not in known]
    insert_absent(session, Enrolment, fresh)
    blocks.hold_beside(session, began.keys() - known.keys(), now=now)
    for who, last in known.items():
        enrol(session, who, sequence, now=now, may_begin_anew=last < began[who])


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
    """Let everyone go on whom this mail held: its words have changed. Whose mail server turns our
    mails away stays held."""
    failed = select(Message.enrolment_id).where(
        Message.mail_key == mail_key, Message.state == MessageState.FAILED
    )
    session.execute(
        update(Enrolment)
        .where(Enrolment.id.in_(failed), Enrolment.state == EnrolmentState.HELD)
        .where(Enrolment.why != blocks.WHY)
        .values(state=EnrolmentState.ACTIVE, next_due_at=now, why="The words were mended.")
        .execution_options(synchronize_session=False)
    )
