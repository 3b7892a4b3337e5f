"""Picking up what a crash left behind, and settling messages nobody can vouch for."""

import random
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, literal_column, select
from sqlalchemy.orm import Session, sessionmaker

from funnel.db.bulk import among
from funnel.db.mail import Attempt, Message
from funnel.db.people import Subscriber
from funnel.domain.clock import MOST_APART, Clock, is_over
from funnel.domain.delivery import (
    PATIENCE,
    MessageState,
    Patience,
    backoff,
    doubt_lasts,
    settle_doubt,
)
from funnel.domain.errors import CannotTellNow
from funnel.domain.ports import MailClass, Mailer
from funnel.services import people
from funnel.services.moving import LockedMessage, Move, lock_messages, locked_where, move
from funnel.services.throttle import Throttle

SWEEP_LIMIT = 200
ASK_LIMIT = 30
ASK_SECONDS = 20.0
LONGEST_PAUSE = timedelta(minutes=5)


@dataclass(frozen=True)
class _Doubted:
    """A message in doubt, with what the provider is asked about it."""

    message_id: UUID
    subscriber_id: int | None
    fence: int
    mail_class: MailClass
    to_address: str
    since: datetime
    handed_over_at: datetime
    asked_at: datetime | None
    is_resent: bool


@dataclass(frozen=True)
class _Answer:
    """What the provider said at `at`: it has the message, it has it not, or nothing.

    `is_away` when it may say more later.
    """

    was_accepted: bool | None
    at: datetime
    is_away: bool = False


@dataclass(frozen=True)
class Sweeper:
    """Ends leases that ran out and doubts that lasted long enough. Safe to run anywhere."""

    sessions: sessionmaker[Session]
    clock: Clock
    mailer: Mailer
    has_events: bool
    patience: Patience = PATIENCE
    throttle: Throttle = field(default_factory=Throttle)

    def sweep(self) -> int:
        """One round; returns how many messages were moved."""
        with self.sessions.begin() as session:
            ended = self._end_leases(session)
        return ended + self._settle()

    def _end_leases(self, session: Session) -> int:
        """A claimed message was surely not sent; one being sent may have been."""
        is_lost = self._is_lost()
        query = select(Message.id, Message.subscriber_id).where(is_lost).limit(SWEEP_LIMIT)
        found = session.execute(query).all()
        if not found:
            return 0
        people.lock(session, {row.subscriber_id for row in found})
        lost = locked_where(
            session, among(session, Message.id, [row.id for row in found]) & is_lost
        )
        move(session, [self._taken_over(message) for message in lost], clock=self.clock)
        unsent = [each.mail_class for each in lost if each.state is MessageState.CLAIMED]
        self.throttle.give_back(session, unsent, machine=self.clock.machine())
        return len(lost)

    def _is_lost(self) -> ColumnElement[bool]:
        # Bare values, so that the databases see that the index of leases will do.
        is_leased = Message.state.in_([literal_column("'claimed'"), literal_column("'sending'")])
        now = self.clock.machine()
        longest = max(self.patience.lease, self.patience.call_lease(self.mailer.answer_seconds))
        # A lease further ahead was given by a clock that was put back since.
        too_long = Message.lease_until > now + longest + MOST_APART
        return is_leased & ((Message.lease_until <= now) | too_long)

    def _taken_over(self, message: LockedMessage) -> Move:
        fence = message.fence + 1
        if message.state is MessageState.SENDING:
            why = "A worker stopped while it was being sent; we find out first."
            return Move(message, MessageState.UNKNOWN, why, {"fence": fence})
        why = "A worker stopped before it was sent; it goes on the next round."
        also = {
            "fence": fence,
            "not_before": max(message.not_before, self._after_loss(message)),
            "lost_claims": message.lost_claims + 1,
        }
        return Move(message, MessageState.SCHEDULED, why, also)

    def _after_loss(self, message: LockedMessage) -> datetime:
        """At once after the first lost claim, then later: its letter may be what stops workers."""
        lost = message.lost_claims
        pause = backoff(lost, random.random())  # noqa: S311 - it only spreads the tries
        return self.clock.now() + (min(pause, LONGEST_PAUSE) if lost else timedelta(0))

    def _settle(self) -> int:
        """Ask about the messages in doubt with no transaction open, then settle what can be."""
        with self.sessions.begin() as session:
            doubted = _doubted(session)
        if not doubted:
            return 0
        answers = self._ask(doubted)
        with self.sessions.begin() as session:
            return self._conclude(session, doubted, answers)

    def _ask(self, doubted: Collection[_Doubted]) -> dict[UUID, _Answer]:
        """Ask the provider about some of them: each question may be a call over the network.

        Once it is away it is not asked again in this round: the others have the same answer.
        """
        answers: dict[UUID, _Answer] = {}
        away: _Answer | None = None
        limit = SWEEP_LIMIT if self.mailer.knows_at_once else ASK_LIMIT
        end = self.clock.boot_seconds() + ASK_SECONDS
        for each in doubted:
            if len(answers) == limit or self.clock.boot_seconds() > end:
                break
            if self._may_ask(each):
                answer = away or self._asked(each)
                away = answer if answer.is_away else None
                answers[each.message_id] = answer
        return answers

    def _asked(self, each: _Doubted) -> _Answer:
        at = self.clock.machine()
        try:
            found = self.mailer.was_accepted(each.message_id, each.to_address, each.handed_over_at)
        except CannotTellNow:
            return _Answer(None, at, is_away=True)
        return _Answer(found, at)

    def _may_ask(self, each: _Doubted) -> bool:
        """A provider's log lags behind, so it is given time, and more time after a no; but no
        more than the doubt lasts."""
        now = self.clock.machine()
        if self.mailer.knows_at_once:
            return True
        again, settle = self.patience.ask_again, min(self.patience.settle, self._lasts(each))
        asked_long_ago = each.asked_at is None or is_over(each.asked_at + again, again, now)
        return asked_long_ago and is_over(each.since + settle, settle, now)

    def _lasts(self, each: _Doubted) -> timedelta:
        return doubt_lasts(each.mail_class, self.has_events, settle=self.patience.settle)

    def _conclude(
        self,
        session: Session,
        doubted: Collection[_Doubted],
        answers: dict[UUID, _Answer],
    ) -> int:
        asked = [each for each in doubted if self._can_settle(each, answers)]
        people.lock(session, {each.subscriber_id for each in asked})
        fences = {each.message_id: each.fence for each in asked}
        messages = lock_messages(session, fences, MessageState.UNKNOWN)
        moves = [self._settled(message, answers[message.id]) for message in messages]
        move(session, [each for each in moves if each is not None], clock=self.clock)
        return sum(each is not None and each.state is not MessageState.UNKNOWN for each in moves)

    def _can_settle(self, each: _Doubted, answers: dict[UUID, _Answer]) -> bool:
        """By the provider's word where it gives one; otherwise when the wait is over."""
        answer = answers.get(each.message_id)
        if answer is None or answer.was_accepted is not None:
            return answer is not None
        lasts = self._lasts(each)
        is_last_word = settle_doubt(each.mail_class, each.is_resent)[0] is MessageState.UNCONFIRMED
        if answer.is_away and is_last_word:
            lasts = max(lasts, self.patience.keep_asking)
        return is_over(each.since + lasts, lasts, self.clock.machine())

    def _settled(self, message: LockedMessage, answer: _Answer) -> Move | None:
        if answer.was_accepted:
            return Move(message, MessageState.ACCEPTED, "Found with the provider.", {})
        if answer.was_accepted is None:
            return _by_class(message)
        if self.mailer.knows_at_once:
            return Move(message, MessageState.SCHEDULED, "Not with the provider.", {})
        return self._absent(message, answer.at)

    def _absent(self, message: LockedMessage, at: datetime) -> Move | None:
        """Absent once may mean that its log lags behind; twice, with time between, is a no."""
        first = message.asked_provider_at
        if first is None:
            why = "Not with the provider so far; it is asked once more."
            return Move(message, MessageState.UNKNOWN, why, {"asked_provider_at": at})
        if not is_over(first + self.patience.ask_again, self.patience.ask_again, at):
            return None
        why = "Twice not with the provider, so the very same mail goes again."
        return Move(message, MessageState.SCHEDULED, why, {"is_resent": True})


def _by_class(message: LockedMessage) -> Move:
    state, why = settle_doubt(message.mail_class, message.is_resent)
    # Perhaps sent once already: from here on every copy must be the very same.
    is_resent = message.is_resent or state is MessageState.SCHEDULED
    return Move(message, state, why, {"is_resent": is_resent})


def _doubted(session: Session) -> list[_Doubted]:
    """The messages in doubt, the most urgent first."""
    first_try = select(func.min(Attempt.started_at)).where(Attempt.message_id == Message.id)
    query = (
        select(
            Message.id,
            Message.subscriber_id,
            Message.fence,
            Message.mail_class,
            Message.doubt_since,
            Message.created_at,
            Message.asked_provider_at,
            Message.is_resent,
            func.coalesce(Message.to_address, Subscriber.email).label("email"),
            first_try.scalar_subquery().label("tried_at"),
        )
        .outerjoin(Subscriber, Subscriber.id == Message.subscriber_id)
        # A bare value, so that the databases see that the index of doubts will do.
        .where(Message.state == literal_column("'unknown'"))
        .order_by(Message.priority.desc(), Message.doubt_since)
        .limit(SWEEP_LIMIT)
    )
    return [_as_doubted(row) for row in session.execute(query)]


def _as_doubted(row: Row[*tuple[Any, ...]]) -> _Doubted:
    tried_at = row.tried_at or row.created_at
    return _Doubted(
        message_id=row.id,
        subscriber_id=row.subscriber_id,
        fence=row.fence,
        mail_class=MailClass(row.mail_class),
        to_address=row.email,
        since=row.doubt_since or tried_at,
        handed_over_at=tried_at,
        asked_at=row.asked_provider_at,
        is_resent=row.is_resent,
    )
