"""A fence round a mailer: nobody outside gets mail, whatever a copied database holds."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from funnel.domain.ports import Mailer, Outcome, OutgoingEmail, SendResult

WHY = "Not sent: this installation may not write to that address (ALLOWED_RECIPIENTS)."


class FencedMailer:
    """Hands on what goes to these domains, to those below them, or to these addresses."""

    def __init__(self, inner: Mailer, recipients: Sequence[str]) -> None:
        self._inner = inner
        self._recipients = frozenset(each.lower() for each in recipients)
        self.name = inner.name
        self.batch_size = inner.batch_size
        self.answer_seconds = inner.answer_seconds
        self.knows_at_once = inner.knows_at_once

    @property
    def last_date_seen(self) -> tuple[datetime, float] | None:
        """What the provider's clock said last, and at which of our seconds since the start."""
        seen: tuple[datetime, float] | None = getattr(self._inner, "last_date_seen", None)
        return seen

    def send(self, emails: Sequence[OutgoingEmail]) -> list[SendResult]:
        inside = [email for email in emails if self._is_inside(email.to_address)]
        answers = iter(self._inner.send(inside) if inside else [])
        allowed = {email.message_id for email in inside}
        return [
            next(answers)
            if email.message_id in allowed
            else SendResult(email.message_id, Outcome.REFUSED, WHY)
            for email in emails
        ]

    def was_accepted(self, message_id: UUID, to_address: str, since: datetime) -> bool | None:
        return self._inner.was_accepted(message_id, to_address, since)

    def close(self) -> None:
        self._inner.close()

    def _is_inside(self, address: str) -> bool:
        whole = address.lower()
        labels = whole.rpartition("@")[2].rstrip(".").split(".")
        domains = (".".join(labels[start:]) for start in range(len(labels)))
        return whole in self._recipients or any(each in self._recipients for each in domains)
