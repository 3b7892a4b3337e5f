"""What the provider answered, recorded for a whole batch: its messages, tries and breaker."""

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import insert, literal, select, update
from sqlalchemy.orm import Session

from funnel.db.bulk import among
from funnel.db.mail import Attempt, Message
from funnel.domain.breaker import Breaker
from funnel.domain.clock import Clock
from funnel.domain.delivery import MessageState, judge
from funnel.domain.people import SuppressionReason
from funnel.domain.ports import MailClass, Outcome, SendResult
from funnel.links import Links
from funnel.services import control
from funnel.services.moving import LockedMessage, Move, lock_messages, move
from funnel.services.suppression import Recipient, suppress_recipient
from funnel.services.throttle import Throttle

_NOT_TAKEN = frozenset(
    {Outcome.NOT_SENT_RETRY, Outcome.NOT_SENT_THROTTLED, Outcome.ACCOUNT_REFUSED}
)
_TOO_MANY_REQUESTS = 429
_USUAL_WAIT = timedelta(seconds=60)


def open_attempts(session: Session, ids: Collection[UUID], *, clock: Clock) -> None:
    """Write down that these messages are being tried; their rows are locked."""
    at = literal(clock.machine(), Attempt.started_at.type)
    rows = select(Message.id, Message.fence, at).where(among(session, Message.id, ids))
    session.execute(insert(Attempt).from_select(["message_id", "fence", "started_at"], rows))


@dataclass(frozen=True)
class Recorder:
    """Records the answers to a batch. Safe to repeat: only what is still ours is touched."""

    clock: Clock
    links: Links
    throttle: Throttle

    def record(
        self,
        session: Session,
        fences: Mapping[UUID, int],
        results: Sequence[SendResult],
        sent_to: Mapping[UUID, str],
    ) -> None:
        """Move each message by its answer; the people of all of them must be locked.

        `sent_to` are the addresses that were written to: a person's may have changed since.
        """
        ours = {
            message.id: message for message in lock_messages(session, fences, MessageState.SENDING)
        }
        answered = [(ours[each.message_id], each) for each in results if each.message_id in ours]
        self._end_attempts(session, [result for _, result in answered])
        move(session, [self._move(*each) for each in answered], clock=self.clock)
        self._leave_alone(session, answered, sent_to)
        self._learn(session, results)
        self._give_back(session, answered)

    def _move(self, message: LockedMessage, result: SendResult) -> Move:
        verdict = judge(
            result.outcome,
            result.why,
            mail_class=message.mail_class,
            attempt=message.attempt,
            due_at=message.due_at,
            now=self.clock.now(),
            retry_at=result.retry_at,
            jitter=random.random(),  # noqa: S311 - spreads retries, keeps no secret
        )
        also: dict[str, object] = {"provider_id": result.provider_id}
        if not verdict.counts_as_attempt:
            also["attempt"] = message.attempt - 1
        if verdict.not_before is not None:
            also["not_before"] = verdict.not_before
        return Move(message, verdict.state, verdict.why, also)

    def _end_attempts(self, session: Session, results: Sequence[SendResult]) -> None:
        alike: dict[tuple[Outcome, int | None], list[UUID]] = {}
        for result in results:
            alike.setdefault((result.outcome, result.status_code), []).append(result.message_id)
        current = select(Message.fence).where(Message.id == Attempt.message_id).scalar_subquery()
        for (outcome, status_code), ids in alike.items():
            session.execute(
                update(Attempt)
                .where(among(session, Attempt.message_id, ids), Attempt.fence == current)
                .values(ended_at=self.clock.machine(), status_code=status_code, outcome=outcome)
                .execution_options(synchronize_session=False)
            )

    def _leave_alone(
        self,
        session: Session,
        answered: Sequence[tuple[LockedMessage, SendResult]],
        sent_to: Mapping[UUID, str],
    ) -> None:
        refused = [each for each, result in answered if result.outcome is Outcome.ADDRESS_REFUSED]
        for message in refused:
            to = Recipient(message.subscriber_id, sent_to[message.id].lower())
            suppress_recipient(
                session, to, SuppressionReason.BOUNCED, links=self.links, now=self.clock.now()
            )

    def _give_back(
        self, session: Session, answered: Sequence[tuple[LockedMessage, SendResult]]
    ) -> None:
        """What was not taken used up nothing of the rate; a provider that wants time gets it."""
        machine = self.clock.machine()
        free: list[MailClass] = [
            message.mail_class for message, result in answered if result.outcome in _NOT_TAKEN
        ]
        self.throttle.give_back(session, free, machine=machine)
        pauses = [at for _, result in answered if (at := _not_before(result, machine)) is not None]
        if pauses:
            self.throttle.slow_down(session, until=max(pauses), machine=machine)

    def _learn(self, session: Session, results: Sequence[SendResult]) -> None:
        """Let the breaker know how the provider answered; while all is well nothing is written."""
        known = control.read_breaker(session)
        if self._after(known, results) != known:
            known = control.read_breaker(session, lock=True)
            control.write_breaker(session, self._after(known, results))

    def _after(self, breaker: Breaker, results: Sequence[SendResult]) -> Breaker:
        for result in results:
            breaker = breaker.after(result, self.clock.machine())
        return breaker


def _not_before(result: SendResult, machine: datetime) -> datetime | None:
    """When the provider takes mail again, by its own word or as is usual; None: no such word."""
    is_throttled = result.status_code == _TOO_MANY_REQUESTS
    return result.retry_at or (machine + _USUAL_WAIT if is_throttled else None)
