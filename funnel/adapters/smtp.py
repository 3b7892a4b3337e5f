"""Sends through any SMTP server over a few kept connections; never guesses what became of a mail.

A failure before the final dot means that nothing was sent. Silence after it means that nobody
can know.
"""

import ssl
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from math import ceil
from uuid import UUID

from funnel.adapters.clocks import boot_seconds
from funnel.adapters.mime import build_mime
from funnel.adapters.smtp_answers import RefusedByPolicy
from funnel.adapters.smtp_dialogue import Patience
from funnel.adapters.smtp_line import Letter, Line
from funnel.adapters.smtp_server import read_smtp_url
from funnel.domain.errors import MailRefused
from funnel.domain.ports import Outcome, OutgoingEmail, SendResult

TROUBLES_TO_STOP = 3  # mails of one call without a clear answer
BUSY = "Other mails are still being handed over."
TROUBLED = "The mail server gave no clear answers, so this mail was not begun."
# A worker that dies leaves its whole batch in doubt, and no mail server can be asked about it.
MAILS_A_CONNECTION = 10
WORTH_A_CONNECTION = 4  # mails: fewer go sooner one after the other than over another connection
# A call this short needs no third connection: threads would only wait for each other.
SHORT_CALL_SECONDS = 0.1
AT_LEAST = 2  # connections, so that one mail that hangs does not hold all the others


class SmtpMailer:
    """Hands mails to an SMTP server over at most as many connections as MAIL_URL says.

    `url` is `smtp://user:password@host:port?starttls=1` or `smtps://...`; raises SettingInvalid.
    Safe to share by threads: they wait for each other's connections.
    """

    name = "smtp"
    knows_at_once = False

    def __init__(
        self,
        url: str,
        *,
        patience: Patience | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._server = read_smtp_url(url)
        self.batch_size = MAILS_A_CONNECTION * self._server.connections
        self._patience = patience or Patience()
        self.answer_seconds = _longest_call(self._patience)
        self._tls = tls or ssl.create_default_context()
        self._free = threading.Semaphore(self._server.connections)
        self._resting: list[Line] = []
        self._closing = threading.Lock()
        self._seconds_a_mail: float | None = None  # over one connection, as last seen

    def send(self, emails: Sequence[OutgoingEmail]) -> list[SendResult]:
        began = boot_seconds()
        call = _Call(emails, began + self._patience.begin)
        lines = self._lines_for(len(emails))
        if lines <= 1:
            self._work(call)
        else:
            with ThreadPoolExecutor(lines) as threads:
                for done in [threads.submit(self._work, call) for _ in range(lines)]:
                    done.result()
        if emails:
            self._seconds_a_mail = (boot_seconds() - began) * lines / len(emails)
        return call.results()

    def _lines_for(self, mails: int) -> int:
        """How many connections make the call short, by how long mails took in the last one."""
        most = min(self._server.connections, ceil(mails / WORTH_A_CONNECTION))
        if self._seconds_a_mail is None:
            return most
        wanted = ceil(mails * self._seconds_a_mail / SHORT_CALL_SECONDS)
        return min(most, max(AT_LEAST, wanted))

    def was_accepted(self, message_id: UUID, to_address: str, since: datetime) -> None:
        """An SMTP server cannot be asked."""

    def close(self) -> None:
        """Close the kept connections once they are free; a later send opens new ones."""
        with self._closing:
            for _ in range(self._server.connections):
                self._free.acquire()
            while self._resting:
                self._resting.pop().close()
            self._free.release(self._server.connections)

    def _work(self, call: "_Call") -> None:
        """Deliver what is left of a call, over one connection."""
        with self._a_line() as line:
            letter = call.next_letter() if line is not None else None
            while line is not None and letter is not None:
                upcoming = call.next_letter()
                call.note(line.deliver(letter, upcoming))
                letter = None if call.is_over() else upcoming

    @contextmanager
    def _a_line(self) -> Iterator[Line | None]:
        """A connection for this thread alone; None when none becomes free in time."""
        if not self._free.acquire(timeout=self._patience.turn):
            yield None
            return
        try:
            line = self._resting.pop()
        except IndexError:
            line = Line(self._server, self._patience, self._tls)
        try:
            yield line
        finally:
            line.rest()
            self._resting.append(line)
            self._free.release()


class _Call:
    """The mails of one call to send, taken by its threads in order, and what became of them."""

    def __init__(self, emails: Sequence[OutgoingEmail], begins_until: float) -> None:
        self._emails = emails
        self._waiting = iter(emails)
        self._begins_until = begins_until
        self._lock = threading.Lock()
        self._results: dict[UUID, SendResult] = {}
        self._troubles = 0
        self._has_accepted = False
        self._rest = SendResult(UUID(int=0), Outcome.NOT_SENT_THROTTLED, BUSY)
        self._is_stopped = False

    def is_over(self) -> bool:
        """Whether no further mail may begin."""
        return self._is_stopped or boot_seconds() >= self._begins_until

    def next_letter(self) -> Letter | None:
        """The next mail that may leave; None when there is none, or no time left."""
        while not self.is_over():
            with self._lock:
                email = next(self._waiting, None)
            if email is None:
                return None
            try:
                return Letter(email, build_mime(email))
            except MailRefused as refused:
                self._keep(SendResult(email.message_id, Outcome.REFUSED, str(refused)))
        return None

    def note(self, result: SendResult) -> None:
        """Keep what became of a mail. What concerns all of them stops the call: an account that
        is refused at once, a server without clear answers after a few."""
        self._keep(result)
        with self._lock:
            is_by_policy = isinstance(result, RefusedByPolicy)
            if result.outcome is Outcome.ACCOUNT_REFUSED and not is_by_policy:
                self._stop(result)
            elif self._is_unclear(result):
                self._troubles += 1
                if self._troubles >= TROUBLES_TO_STOP:
                    self._stop(replace(self._rest, outcome=Outcome.NOT_SENT_RETRY, why=TROUBLED))

    def _is_unclear(self, result: SendResult) -> bool:
        if isinstance(result, RefusedByPolicy):
            return not self._has_accepted
        return result.status_code is None or result.outcome is Outcome.AMBIGUOUS

    def results(self) -> list[SendResult]:
        """One result for each mail, in order; what was never begun was surely not sent."""
        return [self._final(email.message_id) for email in self._emails]

    def _final(self, message_id: UUID) -> SendResult:
        result = self._results.get(message_id) or replace(self._rest, message_id=message_id)
        if isinstance(result, RefusedByPolicy) and self._has_accepted:
            return replace(result, outcome=Outcome.REFUSED)
        return result

    def _keep(self, result: SendResult) -> None:
        self._results[result.message_id] = result
        if result.outcome is Outcome.ACCEPTED:
            self._has_accepted = True

    def _stop(self, rest: SendResult) -> None:
        if not self._is_stopped:
            self._is_stopped, self._rest = True, rest


def _longest_call(patience: Patience) -> float:
    """Seconds: beginning as late as is allowed, a stale connection, a fresh one, the last reply."""
    stale_and_fresh = 2 * (patience.hand_over + patience.command)
    begins = max(patience.turn, patience.begin)
    return begins + stale_and_fresh + patience.connect + patience.final
