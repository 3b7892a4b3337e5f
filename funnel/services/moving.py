"""Messages moved from state to state, with all that hangs on it, many at a time."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from funnel.db.bulk import Row, among, update_by_shape
from funnel.db.mail import Message
from funnel.domain.clock import Clock
from funnel.domain.delivery import OPEN_STATES, MessageState
from funnel.domain.ports import MailClass
from funnel.services.settling import SettledStep, steps_settled

_COLUMNS = (
    Message.id,
    Message.subscriber_id,
    Message.to_address,
    Message.enrolment_id,
    Message.step_key,
    Message.mail_class,
    Message.purpose,
    Message.state,
    Message.fence,
    Message.attempt,
    Message.due_at,
    Message.not_before,
    Message.is_resent,
    Message.is_hurried,
    Message.payload_sha256,
    Message.lost_claims,
    Message.asked_provider_at,
)


@dataclass(frozen=True, slots=True)
class LockedMessage:
    """A message as its locked row says it is."""

    id: UUID
    subscriber_id: int | None
    to_address: str | None
    enrolment_id: int | None
    step_key: str | None
    mail_class: MailClass
    purpose: str | None
    state: MessageState
    fence: int
    attempt: int
    due_at: datetime
    not_before: datetime
    is_resent: bool
    is_hurried: bool
    payload_sha256: str | None
    lost_claims: int
    asked_provider_at: datetime | None

    @property
    def whose(self) -> int:
        """The id of its person; 0 for mail to a stranger."""
        return self.subscriber_id or 0


@dataclass(frozen=True, slots=True)
class Move:
    """A message goes into a state; `also` are further columns that change with it."""

    message: LockedMessage
    state: MessageState
    why: str
    also: Mapping[str, object]


def lock_messages(
    session: Session, fences: Mapping[UUID, int], state: MessageState
) -> list[LockedMessage]:
    """Lock those of these messages that are still ours: with that fence, in that state.

    The people must be locked already.
    """
    query = select(*_COLUMNS).where(
        among(session, Message.id, list(fences)), Message.state == state
    )
    query = query.order_by(Message.id)
    rows = session.execute(query.with_for_update(of=Message, key_share=True))
    return [_locked(*row) for row in rows if row.fence == fences[row.id]]


def locked_where(session: Session, is_meant: ColumnElement[bool]) -> list[LockedMessage]:
    """Lock those messages that are meant and that nobody else has in hand.

    The people must be locked already.
    """
    query = select(*_COLUMNS).where(is_meant)
    rows = session.execute(query.with_for_update(of=Message, skip_locked=True, key_share=True))
    return [_locked(*row) for row in rows]


def locked(message: Message) -> LockedMessage:
    """The values of a message whose row is locked."""
    return _locked(*(getattr(message, column.key) for column in _COLUMNS))


def _locked(
    key: UUID,
    subscriber_id: int | None,
    to_address: str | None,
    enrolment_id: int | None,
    step_key: str | None,
    mail_class: str,
    purpose: str | None,
    state: str,
    *rest: Any,
) -> LockedMessage:
    """The values of a row of these columns, in their order."""
    person, step = (key, subscriber_id, to_address), (enrolment_id, step_key)
    return LockedMessage(*person, *step, MailClass(mail_class), purpose, MessageState(state), *rest)


def move(session: Session, moves: Collection[Move], *, clock: Clock) -> None:
    """Put messages into states, and move their sequences on where they are closed by it."""
    session.flush()
    now, machine = clock.now(), clock.machine()
    update_by_shape(session, Message, [_changes(each, now, machine) for each in moves])
    steps_settled(session, [step for each in moves if (step := _settled(each, now))], now=now)


def _changes(each: Move, now: datetime, machine: datetime) -> Row:
    row: Row = {"id": each.message.id, "state": each.state, "why": each.why, "lease_until": None}
    if each.state is MessageState.SCHEDULED:
        if not (each.message.is_resent or each.also.get("is_resent")):
            # Surely not sent: the words may be written anew on the next try.
            row["payload_sha256"] = None
    elif each.state is MessageState.UNKNOWN:
        if each.message.state is not MessageState.UNKNOWN:
            row |= {"doubt_since": machine, "asked_provider_at": None}
    elif each.state is not MessageState.SENDING:
        row["closed_at"] = now
        row["accepted_at"] = now if each.state is MessageState.ACCEPTED else None
    return row | dict(each.also)


def _settled(each: Move, now: datetime) -> SettledStep | None:
    """Late news of a closed message must not put its sequence back to that step."""
    message = each.message
    if each.state in OPEN_STATES or message.state not in OPEN_STATES:
        return None
    if message.enrolment_id is None or message.step_key is None:
        return None
    return SettledStep(message.enrolment_id, message.step_key, each.state, now, each.why)


def set_state(
    session: Session, message: Message, state: MessageState, why: str, *, clock: Clock
) -> None:
    """Put one message into a state, with all that hangs on it."""
    move(session, [Move(locked(message), state, why, {})], clock=clock)
    session.refresh(message)
