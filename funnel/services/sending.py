"""The sender: claim, intent, one provider call with no transaction open, finish.

The protocol is told in docs/sending.md; each step here is one of its paragraphs.
"""

import hashlib
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, joinedload, sessionmaker

from funnel.db.guides import Guide
from funnel.db.mail import Attempt, Message
from funnel.domain.clock import Clock
from funnel.domain.delivery import (
    OPEN_STATES,
    PATIENCE,
    MessageState,
    Patience,
    judge,
)
from funnel.domain.errors import FunnelError
from funnel.domain.ports import Mailer, Outcome, OutgoingEmail, SendResult
from funnel.services import control, people
from funnel.services.enrolment import step_settled
from funnel.services.letters import Draft, LetterWriter, draft
from funnel.services.objections import objection_to
from funnel.services.suppression import bounce

_ROW = {"of": Message, "key_share": True}
log = logging.getLogger(__name__)

FINISH_PAUSES_SECONDS = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0)


def nothing(_place: str) -> None:
    """What a sender does at the named places of its protocol, unless somebody wants to know."""


@dataclass(frozen=True)
class _Ready:
    """A letter whose intent may be written."""

    draft: Draft
    email: OutgoingEmail
    digest: str


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

    def send_batch(self) -> int:
        """Deal with one batch of due messages; returns how many were claimed."""
        if not self.is_allowed:
            return 0
        with self.sessions.begin() as session:
            drafts = self._claim(session)
        if not drafts:
            return 0
        self.reach("after_claim")
        ready = self._write(drafts)
        self.reach("after_render")
        started = self.clock.boot_seconds()
        with self.sessions.begin() as session:
            _lock_people(session, drafts)
            intended = [letter for letter in ready if self._intend(session, letter)]
        if not intended:
            return len(drafts)
        self.reach("after_intent")
        results = self._call(intended, started)
        self.reach("after_answer")
        self._insist(lambda: self._finish(intended, results))
        return len(drafts)

    def _claim(self, session: Session) -> list[Draft]:
        """Lease a batch of due messages to this worker, each with a fence of its own."""
        room = self._room(session)
        if room == 0:
            return []
        due = (
            select(Message.id)
            .where(Message.state == MessageState.SCHEDULED, Message.not_before <= self.clock.now())
            .order_by(Message.priority.desc(), Message.not_before)
            .limit(room)
            .with_for_update(skip_locked=True)
        )
        # Chosen first and then changed: as one statement Postgres may run the choice again and
        # take more than a batch.
        chosen = session.scalars(due).all()
        claimed = session.execute(
            update(Message)
            .where(Message.id.in_(chosen), Message.state == MessageState.SCHEDULED)
            .values(
                state=MessageState.CLAIMED,
                fence=Message.fence + 1,
                lease_until=self.clock.machine() + self.patience.lease,
                worker=self.worker,
            )
            .returning(Message.id, Message.fence)
            .execution_options(synchronize_session=False)
        )
        fences = {row.id: row.fence for row in claimed}
        messages = _load(session, list(fences))
        guides = _guides_of(session, messages)
        return [
            draft(message, fences[message.id], guides.get(message.subscriber_id))
            for message in messages
        ]

    def _room(self, session: Session) -> int:
        """How many may be claimed now: none when all mail is stopped, a probe in trouble."""
        if control.sending_state(session).is_paused:
            return 0
        breaker, now = control.read_breaker(session), self.clock.machine()
        room = breaker.room(self.mailer.batch_size, now)
        if room and breaker.probe_at is not None:
            control.write_breaker(session, breaker.probing(now))
        return room

    def _write(self, drafts: list[Draft]) -> list[_Ready]:
        """Render outside any transaction; a letter that cannot be written fails alone."""
        written = [(each, self._try_to_write(each)) for each in drafts]
        return [_Ready(each, email, _digest(email)) for each, email in written if email]

    def _try_to_write(self, each: Draft) -> OutgoingEmail | None:
        try:
            return self.writer.write(each)
        except FunnelError as error:
            self._close(each, MessageState.FAILED, f"It could not be written: {error}")
        except Exception:
            # The boundary of one letter: whatever is wrong with it must not hold up the others.
            log.exception("message %s could not be written", each.message_id)
            self._close(each, MessageState.FAILED, "It could not be written; see the log.")
        return None

    def _close(self, each: Draft, state: MessageState, why: str) -> None:
        with self.sessions.begin() as session:
            _lock_people(session, [each])
            self._move(session, each, MessageState.CLAIMED, state=state, why=why)

    def _intend(self, session: Session, letter: _Ready) -> bool:
        """Write the intent of one letter, after asking everything once more.

        True when it is now `sending` and may leave; otherwise it was closed, or taken over.
        """
        message = session.get(
            Message,
            letter.draft.message_id,
            with_for_update=_ROW,
            populate_existing=True,
        )
        if message is None or not _is_ours(message, letter.draft, MessageState.CLAIMED):
            return False
        objection = objection_to(
            session,
            message,
            digest=letter.digest,
            pepper=self.writer.links.pepper,
            now=self.clock.now(),
        )
        if objection is not None:
            message.not_before = objection.not_before or message.not_before
            set_state(session, message, objection.state, objection.why, clock=self.clock)
            return False
        self._start(session, message, letter)
        return True

    def _start(self, session: Session, message: Message, letter: _Ready) -> None:
        message.state = MessageState.SENDING
        message.attempt += 1
        message.lease_until = self.clock.machine() + self._sending_lease()
        message.payload_sha256 = letter.digest
        message.provider = self.mailer.name
        message.why = "Being handed over."
        session.add(
            Attempt(
                message_id=message.id,
                fence=message.fence,
                started_at=self.clock.machine(),
            )
        )

    def _sending_lease(self) -> timedelta:
        return timedelta(seconds=self.mailer.answer_seconds) + self.patience.sending_margin

    def _call(self, letters: list[_Ready], started: float) -> list[SendResult]:
        """Hand the batch over, unless this process slept so long that its lease may be old."""
        if self.clock.boot_seconds() - started > self.patience.start_seconds:
            why = "Too late to start; it goes on the next round."
            return [
                SendResult(each.draft.message_id, Outcome.NOT_SENT_THROTTLED, why)
                for each in letters
            ]
        return self.mailer.send([each.email for each in letters])

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

    def _finish(self, letters: list[_Ready], results: list[SendResult]) -> None:
        with self.sessions.begin() as session:
            _lock_people(session, [letter.draft for letter in letters])
            for letter, result in zip(letters, results, strict=True):
                self._record(session, letter.draft, result)
            self._learn(session, results)

    def _learn(self, session: Session, results: list[SendResult]) -> None:
        """Let the breaker know how the provider answered."""
        known = breaker = control.read_breaker(session)
        for result in results:
            breaker = breaker.after(result.outcome, result.why, self.clock.machine())
        if breaker != known:
            control.write_breaker(session, breaker)

    def _record(self, session: Session, each: Draft, result: SendResult) -> None:
        message = session.get(Message, each.message_id, with_for_update=_ROW)
        if message is None or not _is_ours(message, each, MessageState.SENDING):
            return
        self._end_attempt(session, message, result)
        verdict = judge(
            result.outcome,
            result.why,
            mail_class=each.mail_class,
            attempt=message.attempt,
            due_at=message.due_at,
            now=self.clock.now(),
            retry_at=result.retry_at,
            jitter=random.random(),  # noqa: S311 - spreads retries, keeps no secret
        )
        message.attempt -= 0 if verdict.counts_as_attempt else 1
        message.provider_id = result.provider_id
        message.not_before = verdict.not_before or message.not_before
        self._move(session, each, MessageState.SENDING, state=verdict.state, why=verdict.why)
        if result.outcome is Outcome.ADDRESS_REFUSED:
            bounce(session, message.subscriber, links=self.writer.links, now=self.clock.now())

    def _end_attempt(self, session: Session, message: Message, result: SendResult) -> None:
        attempt = session.get_one(Attempt, (message.id, message.fence))
        attempt.ended_at = self.clock.machine()
        attempt.status_code = result.status_code
        attempt.outcome = result.outcome

    def _move(
        self, session: Session, each: Draft, was: MessageState, *, state: MessageState, why: str
    ) -> None:
        """Change a message that is still ours, and move its sequence on when it is closed."""
        message = session.get(Message, each.message_id, with_for_update=_ROW)
        if message is not None and _is_ours(message, each, was):
            set_state(session, message, state, why, clock=self.clock)


def _lock_people(session: Session, drafts: list[Draft]) -> None:
    people.lock(session, {each.subscriber_id for each in drafts})


def set_state(
    session: Session, message: Message, state: MessageState, why: str, *, clock: Clock
) -> None:
    """Put a message into a state, with all that hangs on it."""
    was_open = message.state in OPEN_STATES
    message.state = state
    message.why = why
    message.lease_until = None
    if state is MessageState.SCHEDULED:
        if not message.is_resent:
            # Surely not sent: the words may be written anew on the next try.
            message.payload_sha256 = None
    elif state is MessageState.UNKNOWN:
        message.doubt_since = clock.machine()
    else:
        message.closed_at = clock.now()
        message.accepted_at = clock.now() if state is MessageState.ACCEPTED else None
        session.flush()
        if was_open:
            # Late news of a closed message must not put its sequence back to that step.
            step_settled(session, message, now=clock.now())


def _load(session: Session, ids: list[UUID]) -> list[Message]:
    query = (
        select(Message)
        .where(Message.id.in_(ids))
        .options(joinedload(Message.subscriber), joinedload(Message.text_version))
        .order_by(Message.priority.desc(), Message.not_before)
    )
    return list(session.scalars(query))


def _guides_of(session: Session, messages: list[Message]) -> dict[int, UUID]:
    """The handles of these people's guides, by subscriber id."""
    ids = [message.subscriber_id for message in messages]
    query = select(Guide.subscriber_id, Guide.public_id).where(Guide.subscriber_id.in_(ids))
    return {row.subscriber_id: row.public_id for row in session.execute(query)}


def _is_ours(message: Message, each: Draft, state: MessageState) -> bool:
    return message.fence == each.fence and message.state == state


def _digest(email: OutgoingEmail) -> str:
    whole = "\x00".join([email.to_address, email.subject, email.html, email.text])
    return hashlib.sha256(whole.encode()).hexdigest()
