"""Sends through any SMTP server over one kept connection, and never guesses what became of a mail.

A failure before the final dot means that nothing was sent. Silence after it means that nobody
can know.
"""

import smtplib
import ssl
import threading
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from funnel.adapters.mime import build_mime
from funnel.adapters.smtp_dialogue import Dialogue, Lost, Patience, Refusal, Step
from funnel.adapters.smtp_server import read_smtp_url
from funnel.domain.errors import MailRefused
from funnel.domain.ports import Outcome, OutgoingEmail, SendResult

CLOSING = 421
TOO_LARGE = 552
NEEDS_SIGN_IN = frozenset({530, 534, 535, 538})


class SmtpMailer:
    """Hands mails to an SMTP server, one at a time; threads wait for each other.

    `url` is `smtp://user:password@host:port?starttls=1` or `smtps://...`; raises SettingInvalid.
    """

    name = "smtp"
    batch_size = 1
    knows_at_once = False

    def __init__(
        self,
        url: str,
        *,
        patience: Patience | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._server = read_smtp_url(url)
        self._patience = patience or Patience()
        self.answer_seconds = _longest_call(self._patience)
        self._tls = tls or ssl.create_default_context()
        self._lock = threading.Lock()
        self._dialogue: Dialogue | None = None

    def send(self, emails: Sequence[OutgoingEmail]) -> list[SendResult]:
        if not self._lock.acquire(timeout=self._patience.turn):
            return [_busy(email) for email in emails]
        try:
            return [self._send(email) for email in emails]
        finally:
            self._lock.release()

    def was_accepted(self, message_id: UUID, to_address: str, since: datetime) -> None:
        """An SMTP server cannot be asked."""

    def close(self) -> None:
        """Close the kept connection; a later send opens a new one."""
        with self._lock:
            if self._dialogue is not None:
                self._dialogue.say_goodbye()
                self._dialogue = None

    def _send(self, email: OutgoingEmail) -> SendResult:
        try:
            return self._hand_over(email, build_mime(email))
        except MailRefused as refused:
            return SendResult(email.message_id, Outcome.REFUSED, str(refused))
        except smtplib.SMTPException as error:
            return _judge_sign_in(email, error)
        except (OSError, Lost) as error:
            why = f"The mail server could not be reached ({_name_of(error)})."
            return SendResult(email.message_id, Outcome.NOT_SENT_RETRY, why)

    def _hand_over(self, email: OutgoingEmail, content: bytes) -> SendResult:
        """Deliver one mail; what it raises happened before the final dot."""
        refusal = self._announce(email)
        if refusal is not None:
            self._drop()  # it may be waiting for content already
            return _judge_refusal(email, refusal)
        dialogue = self._open()
        try:
            dialogue.tell(content)
        except Lost:
            self._drop()
            raise
        return self._finish(email, dialogue)

    def _announce(self, email: OutgoingEmail) -> Refusal | None:
        """A kept connection may have gone stale unnoticed: then, and only then, open another."""
        if self._dialogue is not None:
            try:
                refusal = self._dialogue.announce(email.from_address, email.to_address)
            except Lost:
                self._drop()
            else:
                if refusal is None or refusal.code != CLOSING:
                    return refusal
                self._drop()
        try:
            return self._open().announce(email.from_address, email.to_address)
        except Lost:
            self._drop()
            raise

    def _finish(self, email: OutgoingEmail, dialogue: Dialogue) -> SendResult:
        try:
            code = dialogue.finish()
        except Lost as error:
            self._drop()
            why = f"The mail server did not answer after the whole mail ({_name_of(error)})."
            return SendResult(email.message_id, Outcome.AMBIGUOUS, why)
        if code // 100 != 2:
            self._drop()
        return _judge_final(email, code)

    def _open(self) -> Dialogue:
        if self._dialogue is None:
            self._dialogue = Dialogue(self._server, self._patience, self._tls)
        return self._dialogue

    def _drop(self) -> None:
        if self._dialogue is not None:
            self._dialogue.hang_up()
            self._dialogue = None


def _longest_call(patience: Patience) -> float:
    """Seconds for waiting our turn, a stale connection, a fresh one, and the last reply."""
    stale_and_fresh = 2 * (patience.hand_over + patience.command)
    return patience.turn + stale_and_fresh + patience.connect + patience.final


def _busy(email: OutgoingEmail) -> SendResult:
    why = "Another mail is still being handed over."
    return SendResult(email.message_id, Outcome.NOT_SENT_THROTTLED, why)


def _judge_sign_in(email: OutgoingEmail, error: smtplib.SMTPException) -> SendResult:
    """Nothing was sent. Is it our account and settings, or only a bad moment?"""
    code = error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else None
    why = f"The mail server did not let us in ({type(error).__name__})."
    is_bad_moment = isinstance(error, smtplib.SMTPServerDisconnected) or (
        code is not None and code // 100 != 5
    )
    outcome = Outcome.NOT_SENT_RETRY if is_bad_moment else Outcome.ACCOUNT_REFUSED
    return SendResult(email.message_id, outcome, why, status_code=code)


def _judge_refusal(email: OutgoingEmail, refusal: Refusal) -> SendResult:
    """A refused sender is about us, a refused recipient or content about this mail."""
    why = f"The mail server refused the {refusal.step} ({refusal.code})."
    is_about_us = refusal.code in NEEDS_SIGN_IN or (
        refusal.step is Step.SENDER and refusal.code != TOO_LARGE
    )
    if refusal.code // 100 != 5:
        outcome = Outcome.NOT_SENT_RETRY
    elif is_about_us:
        outcome = Outcome.ACCOUNT_REFUSED
    elif refusal.is_about_address:
        outcome = Outcome.ADDRESS_REFUSED
    else:
        outcome = Outcome.REFUSED
    return SendResult(email.message_id, outcome, why, status_code=refusal.code)


def _judge_final(email: OutgoingEmail, code: int) -> SendResult:
    outcome = {
        2: Outcome.ACCEPTED,
        4: Outcome.NOT_SENT_RETRY,
        5: Outcome.REFUSED,
    }.get(code // 100, Outcome.AMBIGUOUS)
    why = f"The mail server answered {code} to the whole mail."
    return SendResult(email.message_id, outcome, why, status_code=code)


def _name_of(error: BaseException) -> str:
    return type(error.__cause__ or error).__name__
