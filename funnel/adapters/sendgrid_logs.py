"""Asks SendGrid's Email Logs whether it took a message: by its reader and time, then by our id."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

from funnel.adapters.clocks import boot_seconds
from funnel.adapters.sendgrid_api import Answer, AnswerLost, SendGridApi, Unreachable
from funnel.domain.errors import CannotTellNow

MOST = 50  # messages to one reader since the hand-over; with more, absence proves nothing
CLOCK_MARGIN = timedelta(days=1)  # ours may have been wrong at the hand-over
OK = 200
TOO_MANY = 429


class SendGridLogs:
    """Looks messages up. The filter knows no custom_args, so each candidate is opened."""

    def __init__(self, api: SendGridApi, seconds: float) -> None:
        """`seconds` is the most that one question may take."""
        self._api = api
        self._seconds = seconds

    def holds(self, message_id: UUID, to_address: str, since: datetime) -> bool | None:
        """Whether the logs hold that message; None when they never tell: refused, too much, not
        as described, or an address that cannot be asked for. Raises CannotTellNow: asked too
        often, too slow, out of order."""
        if "'" in to_address or "\\" in to_address:
            return None  # how to write a quote is not described: a guess could hide the message
        ends_at = boot_seconds() + self._seconds
        # The filter may mind capital letters, and SendGrid may have changed them.
        for address in dict.fromkeys([to_address, to_address.lower()]):
            found = self._is_sent_to(address, message_id, since - CLOCK_MARGIN, ends_at)
            if found is not False:
                return found
        return False

    def _is_sent_to(
        self, address: str, message_id: UUID, since: datetime, ends_at: float
    ) -> bool | None:
        candidates = self._candidates(address, since, ends_at)
        if candidates is None:
            return None
        is_certain = len(candidates) < MOST
        for candidate in candidates:
            send_id = self._send_id(candidate, ends_at)
            if send_id == str(message_id):
                return True
            is_certain = is_certain and send_id is not None
        return False if is_certain else None

    def _candidates(self, address: str, since: datetime, ends_at: float) -> list[str] | None:
        """The ids of what went to an address since then; None when that is not told."""
        stamp = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        query = f"to_email='{address}' AND sg_message_id_created_at > TIMESTAMP \"{stamp}\""
        body = json.dumps({"query": query, "limit": MOST}).encode()
        answer = self._ask(lambda seconds: self._api.post("/v3/logs", body, seconds), ends_at)
        try:
            return [str(message["sg_message_id"]) for message in answer["messages"]]
        except (KeyError, TypeError):
            return None

    def _send_id(self, candidate: str, ends_at: float) -> str | None:
        """Our id of a logged message; None when that is not told."""
        path = f"/v3/logs/{quote(candidate, safe='')}"
        answer = self._ask(lambda seconds: self._api.get(path, seconds), ends_at)
        try:
            return str(answer["custom_args"]["send_id"])
        except (KeyError, TypeError):
            return None

    def _ask(self, request: Callable[[float], Answer], ends_at: float) -> dict[str, Any]:
        """The object in the answer; empty when it is of no use."""
        answer = self._answer(request, ends_at - boot_seconds())
        if answer.status == TOO_MANY or answer.status // 100 == 5:
            raise CannotTellNow
        try:
            found = json.loads(answer.body) if answer.status == OK else {}
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def _answer(self, request: Callable[[float], Answer], seconds: float) -> Answer:
        if seconds <= 0:
            raise CannotTellNow
        try:
            return request(seconds)
        except (Unreachable, AnswerLost) as error:
            raise CannotTellNow from error
