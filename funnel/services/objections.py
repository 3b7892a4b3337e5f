"""Everything that is asked once more, in the very transaction that lets a mail go."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, literal, select
from sqlalchemy.orm import Session

from funnel.db.mail import Enrolment, Message
from funnel.domain.delivery import MessageState
from funnel.domain.enrolment import EnrolmentState
from funnel.domain.holds import hold_for
from funnel.domain.people import Purpose, why_not_send
from funnel.domain.ports import MailClass
from funnel.domain.sequence import Place, Sequence
from funnel.services import control, people, texts

_MAY_HAVE_GONE = (
    MessageState.SENDING,
    MessageState.UNKNOWN,
    MessageState.ACCEPTED,
    MessageState.UNCONFIRMED,
)


@dataclass(frozen=True)
class Objection:
    """Why a mail does not leave now, and the state it goes to; `not_before` when only held."""

    state: MessageState
    why: str
    not_before: datetime | None = None


def objection_to(
    session: Session, message: Message, *, digest: str, pepper: bytes, now: datetime
) -> Objection | None:
    """What speaks against sending this message with these words at `now`; None when nothing."""
    if control.sending_state(session).is_paused:
        return Objection(MessageState.SCHEDULED, "Held: all mail is stopped.")
    refusal = _refusal(session, message, pepper)
    if refusal:
        return Objection(MessageState.CANCELLED, refusal)
    if message.payload_sha256 not in {None, digest}:
        why = "An earlier copy with other words may have gone, so this one does not."
        return Objection(MessageState.UNCONFIRMED, why)
    return None if message.enrolment_id is None else _by_sequence(session, message, now)


def _refusal(session: Session, message: Message, pepper: bytes) -> str | None:
    person = message.subscriber
    session.refresh(person)
    standing = people.standings(session, [person], pepper=pepper)[person.id]
    purpose = Purpose(message.purpose) if message.purpose else None
    return why_not_send(standing, MailClass(message.mail_class), purpose)


def _by_sequence(session: Session, message: Message, now: datetime) -> Objection | None:
    enrolment = session.get_one(Enrolment, message.enrolment_id, populate_existing=True)
    if enrolment.state != EnrolmentState.ACTIVE:
        return Objection(MessageState.CANCELLED, enrolment.why)
    sequence = texts.sequences(session).get(enrolment.sequence_key)
    facts = people.facts_of(session, [message.subscriber_id])
    if sequence is None or sequence.exits_on & facts.get(message.subscriber_id, frozenset()):
        return Objection(MessageState.CANCELLED, "The goal of this sequence was reached.")
    if _has_expired(sequence, message, now):
        return Objection(MessageState.SKIPPED, "Skipped: its time had passed.")
    return _hold(session, sequence, message, now)


def _has_expired(sequence: Sequence, message: Message, now: datetime) -> bool:
    lives = next((s.expires_after for s in sequence.steps if s.key == message.step_key), None)
    return lives is not None and now > message.due_at + lives


def _hold(
    session: Session, sequence: Sequence, message: Message, now: datetime
) -> Objection | None:
    """A mail that waited for a retry or a pause may have missed its hours meanwhile."""
    last = _last_other(session, message, now) if sequence.min_gap else None
    zone = message.subscriber.time_zone
    place = Place(now, None, frozenset(), zone, last, send_now=message.is_hurried)
    hold = hold_for(sequence, sequence.step(message.step_key), place, now)
    return Objection(MessageState.SCHEDULED, hold.why, hold.until) if hold else None


def _last_other(session: Session, message: Message, now: datetime) -> datetime | None:
    """When this person last got another series mail; one that may be leaving counts as now."""
    # A bare value here would lose the column's type, and SQLite would store it as text.
    as_now = literal(now, Message.accepted_at.type)
    query = select(func.max(func.coalesce(Message.accepted_at, Message.closed_at, as_now))).where(
        Message.subscriber_id == message.subscriber_id,
        Message.id != message.id,
        Message.mail_class == MailClass.DRIP,
        Message.state.in_(_MAY_HAVE_GONE),
    )
    return session.scalars(query).one()
