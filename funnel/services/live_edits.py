"""How a new version reaches the people under way: statements over all of them at once."""

from datetime import datetime

from sqlalchemy import delete, exists, func, literal, select, update
from sqlalchemy.orm import Session, aliased

from funnel.db.mail import Enrolment, Message, OwedStep
from funnel.db.upsert import insert_into
from funnel.domain.delivery import NOT_STARTED, OPEN_STATES, MessageState
from funnel.domain.enrolment import EnrolmentState
from funnel.domain.impact import Group
from funnel.domain.sequence import Sequence
from funnel.services import blocks, stands, texts
from funnel.services.enrolment import release_all_of

LOST = "This mail was taken out of the sequence, so it does not go."
LET_GO = "The mail that held them was taken out of the sequence."
PUT_IN = "A mail was put in for them after the end."


def decide_again(session: Session, sequence: Sequence, *, now: datetime) -> None:
    """Have everyone who waits looked at once more: a delay counts anew from its anchor.

    Whoever is being decided for just now is waited for, and looked at again too.
    """
    session.execute(
        update(Enrolment)
        .where(
            Enrolment.sequence_key == sequence.key,
            Enrolment.state == EnrolmentState.ACTIVE,
            Enrolment.next_due_at.is_not(None),
        )
        .values(next_due_at=now)
        .execution_options(synchronize_session=False)
    )


def cancel_lost(session: Session, sequence: Sequence, *, now: datetime) -> None:
    """Cancel the mails, not started, of steps that the sequence has no more; their people go on."""
    mails = [step.key for step in sequence.steps if not step.ways]
    members = select(Enrolment.id).where(Enrolment.sequence_key == sequence.key)
    session.execute(
        update(Message)
        .where(
            Message.enrolment_id.in_(members),
            Message.step_key.not_in(mails),
            Message.state.in_(NOT_STARTED),
        )
        .values(state=MessageState.CANCELLED, closed_at=now, why=LOST, fence=Message.fence + 1)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        delete(OwedStep)
        .where(OwedStep.enrolment_id.in_(members), OwedStep.step_key.not_in(mails))
        .execution_options(synchronize_session=False)
    )
    _go_on(session, sequence, now)
    _let_go(session, sequence, mails, now)


def _go_on(session: Session, sequence: Sequence, now: datetime) -> None:
    """Look again at everyone who waited for a mail that is on its way no more."""
    is_open = exists().where(
        Message.enrolment_id == Enrolment.id, Message.state.in_(sorted(OPEN_STATES))
    )
    session.execute(
        update(Enrolment)
        .where(
            Enrolment.sequence_key == sequence.key,
            Enrolment.state == EnrolmentState.ACTIVE,
            Enrolment.next_due_at.is_(None),
            ~is_open,
        )
        .values(next_due_at=now)
        .execution_options(synchronize_session=False)
    )


def _let_go(session: Session, sequence: Sequence, mails: list[str], now: datetime) -> None:
    """Let those go on whom a mail held that the sequence has no more."""
    failed = aliased(Message)
    newest = (
        select(func.max(failed.closed_at))
        .where(failed.enrolment_id == Enrolment.id, failed.state == MessageState.FAILED)
        .scalar_subquery()
    )
    is_held_by_it = exists().where(
        Message.enrolment_id == Enrolment.id,
        Message.state == MessageState.FAILED,
        Message.step_key.not_in(mails),
        Message.closed_at == newest,
    )
    session.execute(
        update(Enrolment)
        .where(
            Enrolment.sequence_key == sequence.key,
            Enrolment.state == EnrolmentState.HELD,
            Enrolment.why != blocks.WHY,
            is_held_by_it,
        )
        .values(state=EnrolmentState.ACTIVE, next_due_at=now, why=LET_GO)
        .execution_options(synchronize_session=False)
    )


def owe(session: Session, sequence: Sequence, group: Group, *, now: datetime) -> int:
    """Have a step sent to those who are past it; returns to how many."""
    them = stands.people_in(sequence).where(stands.at(group.stands, group.step))
    rows = them.with_only_columns(
        Enrolment.id, literal(group.step), literal(now, OwedStep.asked_at.type)
    )
    columns = ["enrolment_id", "step_key", "asked_at"]
    made = session.execute(
        insert_into(session, OwedStep)
        .from_select(columns, rows)
        .on_conflict_do_nothing()
        .returning(OwedStep.enrolment_id)
    )
    return len(made.all())


def wake_owed(session: Session, sequence: Sequence, *, now: datetime) -> None:
    """Let those who came to the end go on for a step that they are owed."""
    owed = select(OwedStep.enrolment_id)
    session.execute(
        update(Enrolment)
        .where(
            Enrolment.sequence_key == sequence.key,
            Enrolment.state == EnrolmentState.FINISHED,
            Enrolment.id.in_(owed),
        )
        .values(state=EnrolmentState.ACTIVE, ended_at=None, next_due_at=now, why=PUT_IN)
        .execution_options(synchronize_session=False)
    )


def change_words(session: Session, mail_key: str, *, now: datetime) -> None:
    """Give the newest words to every mail that was never started, and let those go on whom the
    old words held.

    One that a worker has just taken is taken back; it leaves with the next batch.
    """
    newest = texts.require(session, "mail", mail_key)
    session.execute(
        update(Message)
        .where(
            Message.mail_key == mail_key,
            Message.state.in_(NOT_STARTED),
            Message.payload_sha256.is_(None),
            Message.is_resent.is_(False),
        )
        .values(text_version_id=newest.id, state=MessageState.SCHEDULED, fence=Message.fence + 1)
        .execution_options(synchronize_session=False)
    )
    release_all_of(session, mail_key, now=now)
