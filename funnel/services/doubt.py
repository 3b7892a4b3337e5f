"""Picking up what a crash left behind, and settling messages nobody can vouch for."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, sessionmaker

from funnel.db.mail import Message
from funnel.domain.clock import Clock
from funnel.domain.delivery import MessageState, backoff, doubt_lasts, settle_doubt
from funnel.domain.ports import MailClass, Mailer
from funnel.services.moving import set_state

SWEEP_LIMIT = 200
LONGEST_PAUSE = timedelta(minutes=5)


@dataclass(frozen=True)
class Sweeper:
    """Ends leases that ran out and doubts that lasted long enough. Safe to run anywhere."""

    sessions: sessionmaker[Session]
    clock: Clock
    mailer: Mailer
    has_events: bool

    def sweep(self) -> int:
        """One round; returns how many messages were moved."""
        with self.sessions.begin() as session:
            return self._end_leases(session) + self._settle(session)

    def _end_leases(self, session: Session) -> int:
        """A claimed message was surely not sent; one being sent may have been."""
        query = select(Message).where(
            Message.state.in_([MessageState.CLAIMED, MessageState.SENDING]),
            Message.lease_until <= self.clock.machine(),
        )
        lost = list(session.scalars(_locked(query)))
        for message in lost:
            message.fence += 1
            if message.state == MessageState.CLAIMED:
                message.not_before = max(message.not_before, self._after_loss(message))
                why = "A worker stopped before it was sent; it goes on the next round."
                set_state(session, message, MessageState.SCHEDULED, why, clock=self.clock)
            else:
                why = "A worker stopped while it was being sent; we find out first."
                set_state(session, message, MessageState.UNKNOWN, why, clock=self.clock)
        return len(lost)

    def _after_loss(self, message: Message) -> datetime:
        """At once after the first lost claim, then later: its letter may be what stops workers."""
        claims = (message.fence + 1) // 2
        pause = backoff(claims - 1, random.random())  # noqa: S311 - it only spreads the tries
        return self.clock.now() + (min(pause, LONGEST_PAUSE) if claims > 1 else timedelta(0))

    def _settle(self, session: Session) -> int:
        query = select(Message).where(Message.state == MessageState.UNKNOWN)
        query = query.order_by(Message.priority.desc(), Message.doubt_since)
        doubted = list(session.scalars(_locked(query)))
        return sum(self._settle_one(session, message) for message in doubted)

    def _settle_one(self, session: Session, message: Message) -> bool:
        """Ask the provider where it can tell; otherwise wait, then follow the class's rule."""
        was_accepted = self.mailer.was_accepted(
            message.id, message.subscriber.email, message.doubt_since or message.created_at
        )
        if was_accepted is not None:
            state = MessageState.ACCEPTED if was_accepted else MessageState.SCHEDULED
            why = "Found with the provider." if was_accepted else "Not with the provider."
            set_state(session, message, state, why, clock=self.clock)
            return True
        mail_class = MailClass(message.mail_class)
        since = message.doubt_since or self.clock.machine()
        if self.clock.machine() < since + doubt_lasts(mail_class, self.has_events):
            return False
        state, why = settle_doubt(mail_class, message.is_resent)
        # Perhaps sent once already: from here on every copy must be the very same.
        message.is_resent = message.is_resent or state is MessageState.SCHEDULED
        set_state(session, message, state, why, clock=self.clock)
        return True


def _locked(query: Select[Message]) -> Select[Message]:
    return query.limit(SWEEP_LIMIT).with_for_update(skip_locked=True, of=Message, key_share=True)
