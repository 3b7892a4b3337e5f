"""One kept connection to a mail server, opened when it is needed and again when it went stale."""

import smtplib
import ssl
from dataclasses import dataclass

from funnel.adapters.smtp_answers import judge_final, judge_refusal, judge_sign_in, name_of
from funnel.adapters.smtp_dialogue import Dialogue, Envelope, Lost, Patience, Refusal
from funnel.adapters.smtp_server import SmtpServer
from funnel.domain.ports import Outcome, OutgoingEmail, SendResult

CLOSING = 421


@dataclass(frozen=True)
class Letter:
    """An email and its octets."""

    email: OutgoingEmail
    content: bytes

    @property
    def envelope(self) -> Envelope:
        return Envelope(self.email.from_address, self.email.to_address)


class Line:
    """Delivers letters one after the other; for one thread at a time.

    After anything but a plain acceptance the connection is closed: whatever the server then
    waits for, it never gets the next reader's mail in place of this one's.
    """

    def __init__(self, server: SmtpServer, patience: Patience, tls: ssl.SSLContext) -> None:
        self._server = server
        self._patience = patience
        self._tls = tls
        self._dialogue: Dialogue | None = None

    def deliver(self, letter: Letter, upcoming: Letter | None) -> SendResult:
        """Hand over a letter; `upcoming` is the next one for this line, if there is one."""
        email = letter.email
        try:
            return self._hand_over(letter, upcoming)
        except smtplib.SMTPException as error:
            return judge_sign_in(email, error)
        except (OSError, Lost) as error:
            why = f"The mail server could not be reached ({name_of(error)})."
            return SendResult(email.message_id, Outcome.NOT_SENT_RETRY, why)

    def rest(self) -> None:
        """Keep the connection for later, unless the server waits for a mail that will not come."""
        if self._dialogue is not None and not self._dialogue.is_at_rest:
            self._drop()

    def close(self) -> None:
        """Close in order; a later letter opens a new connection."""
        if self._dialogue is not None:
            self._dialogue.say_goodbye()
            self._dialogue = None

    def _hand_over(self, letter: Letter, upcoming: Letter | None) -> SendResult:
        """Deliver one letter; what it raises happened before the final dot."""
        refusal = self._announce(letter.envelope)
        if refusal is not None:
            self._drop()  # it may be waiting for content already
            return judge_refusal(letter.email, refusal)
        dialogue = self._open()
        try:
            dialogue.tell(letter.content)
        except Lost:
            self._drop()
            raise
        return self._finish(letter.email, dialogue, upcoming)

    def _announce(self, envelope: Envelope) -> Refusal | None:
        """A kept connection may have gone stale unnoticed: then, and only then, open another."""
        if self._dialogue is not None:
            try:
                refusal = self._dialogue.announce(envelope)
            except Lost:
                self._drop()
            else:
                if refusal is None or refusal.code != CLOSING:
                    return refusal
                self._drop()
        try:
            return self._open().announce(envelope)
        except Lost:
            self._drop()
            raise

    def _finish(
        self, email: OutgoingEmail, dialogue: Dialogue, upcoming: Letter | None
    ) -> SendResult:
        try:
            code = dialogue.finish(upcoming.envelope if upcoming else None)
        except Lost as error:
            self._drop()
            why = f"The mail server did not answer after the whole mail ({name_of(error)})."
            return SendResult(email.message_id, Outcome.AMBIGUOUS, why)
        if code // 100 != 2:
            self._drop()
        return judge_final(email, code)

    def _open(self) -> Dialogue:
        if self._dialogue is None:
            self._dialogue = Dialogue(self._server, self._patience, self._tls)
        return self._dialogue

    def _drop(self) -> None:
        if self._dialogue is not None:
            self._dialogue.hang_up()
            self._dialogue = None
