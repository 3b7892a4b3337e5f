"""Sends through SendGrid's v3 API: many readers a request, nothing tracked, nothing retried."""

import ssl
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from funnel.adapters.clocks import SystemClock, boot_seconds
from funnel.adapters.mime import check
from funnel.adapters.sendgrid_answers import REFUSED, judge
from funnel.adapters.sendgrid_api import Answer, AnswerLost, Patience, SendGridApi, Unreachable
from funnel.adapters.sendgrid_logs import SendGridLogs
from funnel.adapters.sendgrid_requests import SendRequest, requests_for
from funnel.domain.clock import Clock
from funnel.domain.errors import MailRefused
from funnel.domain.ports import Outcome, OutgoingEmail, SendResult

MAX_SPLITS = 50  # of one call: enough to find three bad mails in five hundred
DOUBTS_TO_STOP = 3  # unclear answers of one call, after which it asks no more
CONCERN_ALL = frozenset({Outcome.ACCOUNT_REFUSED, Outcome.NOT_SENT_THROTTLED})


class SendGridMailer:
    """Hands mails to SendGrid over kept-alive connections; safe to share by threads.

    Mails of one form go in one request. Raises SettingInvalid for an API key or address that
    cannot be one. The key appears in no log, no repr and no error. `connections` is how many
    requests one call makes at a time; whoever asks about our account shares its `api`.
    """

    name = "sendgrid"
    batch_size = 500
    knows_at_once = False

    def __init__(
        self,
        api_key: str,
        base_url: str = "https://api.sendgrid.com",
        *,
        patience: Patience | None = None,
        tls: ssl.SSLContext | None = None,
        connections: int = 4,
        clock: Clock | None = None,
    ) -> None:
        self._patience = patience or Patience()
        self.answer_seconds = self._patience.begin + self._patience.total
        self._clock = clock or SystemClock()
        self._connections = connections
        self.api = SendGridApi(
            api_key, base_url, patience=self._patience, tls=tls, clock=self._clock
        )
        self._logs = SendGridLogs(self.api, self._patience.total)

    @property
    def last_date_seen(self) -> tuple[datetime, float] | None:
        """What SendGrid's clock and ours said at its last answer."""
        return self.api.last_date_seen

    def send(self, emails: Sequence[OutgoingEmail]) -> list[SendResult]:
        results = {email.message_id: refused for email in emails if (refused := _refusal(email))}
        requests = requests_for([email for email in emails if email.message_id not in results])
        call = _Call(self._post, self._patience, self._clock)
        if len(requests) <= 1:
            answered = [call.deliver(request) for request in requests]
        else:
            with ThreadPoolExecutor(min(self._connections, len(requests))) as threads:
                answered = list(threads.map(call.deliver, requests))
        results |= {result.message_id: result for some in answered for result in some}
        return [results[email.message_id] for email in emails]

    def was_accepted(self, message_id: UUID, to_address: str, since: datetime) -> bool | None:
        """What SendGrid's logs say; None without access to them (not every plan has it).

        Raises CannotTellNow when they are away or asked too often.
        """
        return self._logs.holds(message_id, to_address, since)

    def close(self) -> None:
        """Close the kept connections; a later send opens new ones."""
        self.api.close()

    def _post(self, body: bytes) -> Answer:
        return self.api.post("/v3/mail/send", body, self._patience.total)


class _Call:
    """One call to send: what its requests have learnt, shared by its threads."""

    def __init__(self, post: Callable[[bytes], Answer], patience: Patience, clock: Clock) -> None:
        self._post = post
        self._patience = patience
        self._clock = clock
        self._begins_until = boot_seconds() + patience.begin
        self._lock = threading.Lock()
        self._stop: SendResult | None = None
        self._doubts = 0
        self._splits = 0

    def deliver(self, request: SendRequest) -> list[SendResult]:
        """Send a request. One that is refused is halved down to the mail at fault: a refused
        request was not accepted for anybody, so what is asked again was never sent."""
        held_back = self._why_not()
        if held_back is not None:
            return [_as(held_back, email) for email in request.emails]
        if request.is_too_large and len(request.emails) > 1:
            return self._deliver_halves(request)
        results = self._ask(request)
        if results[0].status_code in REFUSED and len(request.emails) > 1:
            return self._deliver_halves(request)
        self._learn(results[0])
        return results

    def _deliver_halves(self, request: SendRequest) -> list[SendResult]:
        with self._lock:
            self._splits += 1
            if self._splits > MAX_SPLITS and self._stop is None:
                self._stop = _not_asked("SendGrid refused too many mails at once.")
        return [result for half in request.halves() for result in self.deliver(half)]

    def _ask(self, request: SendRequest) -> list[SendResult]:
        try:
            answer = self._post(request.body)
        except Unreachable as error:
            why = f"SendGrid could not be reached ({error})."
            return _all(request, Outcome.NOT_SENT_RETRY, why)
        except AnswerLost as error:
            return _all(request, Outcome.AMBIGUOUS, f"SendGrid's answer was lost ({error}).")
        return judge(request.emails, answer, self._clock.machine())

    def _why_not(self) -> SendResult | None:
        """Why no further request may begin, as the result of one that was not sent."""
        if self._stop is None and boot_seconds() >= self._begins_until:
            return _not_asked("There was no time left to ask SendGrid.")
        return self._stop

    def _learn(self, result: SendResult) -> None:
        with self._lock:
            self._doubts += result.outcome is Outcome.AMBIGUOUS
            if result.outcome in CONCERN_ALL:
                self._stop = result
            elif self._doubts >= DOUBTS_TO_STOP and self._stop is None:
                self._stop = _not_asked("SendGrid gave no clear answers, so it was not asked.")


def _refusal(email: OutgoingEmail) -> SendResult | None:
    try:
        check(email)
    except MailRefused as refused:
        return SendResult(email.message_id, Outcome.REFUSED, str(refused))
    return None


def _all(request: SendRequest, outcome: Outcome, why: str) -> list[SendResult]:
    return [SendResult(email.message_id, outcome, why) for email in request.emails]


def _not_asked(why: str) -> SendResult:
    """For what was not asked: no try of the mail, and no word of the provider's."""
    return SendResult(UUID(int=0), Outcome.NOT_SENT_THROTTLED, why)


def _as(result: SendResult, email: OutgoingEmail) -> SendResult:
    return replace(result, message_id=email.message_id)
