"""The sender: claim, intent, one provider call with no transaction open, finish.

The protocol is told in docs/sending.md; each step here is one of its paragraphs.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from funnel.domain.clock import Clock
from funnel.domain.delivery import PATIENCE, MessageState, Patience
from funnel.domain.errors import FunnelError
from funnel.domain.ports import Mailer, Outcome, OutgoingEmail, SendResult
from funnel.services import control, people
from funnel.services.answers import Recorder, open_attempts
from funnel.services.claiming import Claims
from funnel.services.house_rules import Rules, house_at, plain_rules
from funnel.services.letters import Draft, LetterWriter
from funnel.services.moving import LockedMessage, Move, lock_messages, move
from funnel.services.objections import Inquiry, Objection, inquire
from funnel.services.throttle import Throttle

log = logging.getLogger(__name__)

FINISH_PAUSES_SECONDS = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0)


def nothing(_place: str) -> None:
    """What a sender does at the named places of its protocol, unless somebody wants to know."""


@dataclass(frozen=True)
class _Written:
    """A letter that was written, or the sentence why it could not be."""

    draft: Draft
    email: OutgoingEmail | None
    digest: str = ""
    why: str = ""


@dataclass(frozen=True)
class Sender:
    """Sends what is due, a batch at a time. Any number may run at once, anywhere."""

    sessions: sessionmaker[Session]
    clock: Clock
    mailer: Mailer
    writer: LetterWriter
    worker: str
    is_allowed: bool = True
    pause: Callable[[float], None] = time.sleep
    patience: Patience = PATIENCE
    reach: Callable[[str], None] = nothing
    throttle: Throttle = field(default_factory=Throttle)
    rules: Rules = plain_rules

    def send_batch(self) -> int:
        """Deal with one batch of due messages; returns how many were claimed."""
        if not self.is_allowed:
            return 0
        with self.sessions.begin() as session:
            drafts = self._claims.take(session)
        if not drafts:
            return 0
        self.reach("after_claim")
        written = [self._write(draft) for draft in drafts]
        self.reach("after_render")
        started = self.clock.boot_seconds()
        with self.sessions.begin() as session:
            leaving = self._intend(session, written)
        if leaving:
            self.reach("after_intent")
            results = self._call(leaving, started)
            self.reach("after_answer")
            self._insist(lambda: self._finish(leaving, results))
        return len(drafts)

    @property
    def _claims(self) -> Claims:
        return Claims(self.clock, self.mailer, self.throttle, self.worker, self.patience.lease)

    def _write(self, draft: Draft) -> _Written:
        """Render outside any transaction; a letter that cannot be written fails alone."""
        try:
            email = self.writer.write(draft)
        except FunnelError as error:
            return _Written(draft, None, why=f"It could not be written: {error}")
        except Exception:
            # The boundary of one letter: whatever is wrong with it must not hold up the others.
            log.exception("message %s could not be written", draft.message_id)
            return _Written(draft, None, why="It could not be written; see the log.")
        return _Written(draft, email, _digest(email))

    def _intend(self, session: Session, written: Sequence[_Written]) -> list[_Written]:
        """Ask everything once more and write the intent of all that may leave.

        Returns the letters that are now `sending`; the others were closed, held or taken over.
        """
        _lock_people(session, written)
        claimed = lock_messages(session, _fences(written), MessageState.CLAIMED)
        ours = {message.id: message for message in claimed}
        now = self.clock.now()
        inquiry = inquire(
            session,
            claimed,
            pepper=self.writer.links.pepper,
            now=now,
            house=house_at(session, self.rules, now),
        )
        asked = [
            (each, message, _objection(inquiry, message, each))
            for each in written
            if (message := ours.get(each.draft.message_id)) is not None
        ]
        lease_until = self.clock.machine() + self._call_lease
        moves = [self._intent(*each, lease_until=lease_until) for each in asked]
        move(session, moves, clock=self.clock)
        leaving = [each for each, _, objection in asked if objection is None]
        stopped = [message.mail_class for _, message, objection in asked if objection]
        open_attempts(session, list(_fences(leaving)), clock=self.clock)
        if not leaving:
            self._unprobe(session)
        self.throttle.give_back(session, stopped, machine=self.clock.machine())
        return leaving

    def _unprobe(self, session: Session) -> None:
        """A provider in trouble was not asked after all: the next mail may ask it at once."""
        if control.read_breaker(session).is_open:
            breaker = control.read_breaker(session, lock=True)
            control.write_breaker(session, breaker.unprobed(self.clock.machine()))

    def _intent(
        self,
        each: _Written,
        message: LockedMessage,
        objection: Objection | None,
        *,
        lease_until: datetime,
    ) -> Move:
        if objection is None:
            also = {
                "attempt": message.attempt + 1,
                "lease_until": lease_until,
                "payload_sha256": each.digest,
                "provider": self.mailer.name,
            }
            return Move(message, MessageState.SENDING, "Being handed over.", also)
        held = {"not_before": objection.not_before} if objection.not_before else {}
        return Move(message, objection.state, objection.why, held)

    @property
    def _call_lease(self) -> timedelta:
        return self.patience.call_lease(self.mailer.answer_seconds)

    def _call(self, letters: Sequence[_Written], started: float) -> list[SendResult]:
        """Hand the batch over, unless this process slept so long that its lease may be old."""
        if self.clock.boot_seconds() - started > self.patience.start_seconds:
            why = "Too late to start; it goes on the next round."
            return [
                SendResult(each.draft.message_id, Outcome.NOT_SENT_THROTTLED, why)
                for each in letters
            ]
        return self.mailer.send([each.email for each in letters if each.email is not None])

    def _insist(self, record: Callable[[], None]) -> None:
        """Record an answer that is in hand, also when the database is away for a while.

        Giving up would make it a doubt. Repeating is safe, for the fence is asked each time.
        """
        for pause_seconds in FINISH_PAUSES_SECONDS:
            try:
                record()
            except DBAPIError:
                log.warning("an answer could not be recorded; once more in %s s", pause_seconds)
                self.pause(pause_seconds)
            else:
                return
        record()

    def _finish(self, letters: Sequence[_Written], results: Sequence[SendResult]) -> None:
        answers = [result for _, result in zip(letters, results, strict=True)]
        recorder = Recorder(self.clock, self.writer.links, self.throttle)
        with self.sessions.begin() as session:
            _lock_people(session, letters)
            sent_to = {each.draft.message_id: each.draft.to_address for each in letters}
            recorder.record(session, _fences(letters), answers, sent_to)


def _lock_people(session: Session, letters: Sequence[_Written]) -> None:
    people.lock(session, {each.draft.subscriber_id for each in letters})


def _fences(letters: Sequence[_Written]) -> dict[UUID, int]:
    return {each.draft.message_id: each.draft.fence for each in letters}


def _objection(inquiry: Inquiry, message: LockedMessage, each: _Written) -> Objection | None:
    if each.email is None:
        return Objection(MessageState.FAILED, each.why)
    return inquiry.objection_to(message, each.digest)


def _digest(email: OutgoingEmail) -> str:
    whole = "\x00".join([email.to_address, email.subject, email.html, email.text])
    return hashlib.sha256(whole.encode()).hexdigest()
