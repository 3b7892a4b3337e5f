"""For rehearsals: a mailer that keeps every mail as it would have arrived, and a blank press."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from uuid import UUID

from funnel.adapters.mime import build_mime
from funnel.domain.errors import MailRefused
from funnel.domain.ports import Outcome, OutgoingEmail, PressedGuide, SendResult

BLANK = b"%PDF-1.7\n%%EOF\n"


@dataclass(frozen=True)
class Kept:
    """One mail with its headers, decoded, in their order."""

    email: OutgoingEmail
    headers: tuple[tuple[str, str], ...]


class KeepingMailer:
    """Accepts what may leave, in memory; refuses what no provider could be given."""

    name = "rehearsal"
    batch_size = 20
    answer_seconds = 30.0
    knows_at_once = True

    def __init__(self) -> None:
        self.kept: list[Kept] = []

    def send(self, emails: Sequence[OutgoingEmail]) -> list[SendResult]:
        return [self._send(email) for email in emails]

    def _send(self, email: OutgoingEmail) -> SendResult:
        try:
            arrived = message_from_bytes(build_mime(email), policy=default)
        except MailRefused as refused:
            return SendResult(email.message_id, Outcome.REFUSED, str(refused))
        headers = tuple((name, str(value)) for name, value in arrived.items())
        self.kept.append(Kept(email, headers))
        return SendResult(email.message_id, Outcome.ACCEPTED, "Kept.", email.message_id.hex)

    def was_accepted(self, message_id: UUID, to_address: str, since: datetime) -> bool:  # noqa: ARG002 - a port's
        """Whether that message was kept."""
        return any(kept.email.message_id == message_id for kept in self.kept)

    def close(self) -> None:
        """Nothing is held open."""


class BlankPress:
    """Makes an empty stand-in at once, for a rehearsal whose guide nobody wants to see."""

    def press(
        self,
        document: Mapping[str, object],  # noqa: ARG002 - nothing is printed from it
        out: Path,
        edition: str = "guide",  # noqa: ARG002 - they are all blank
    ) -> PressedGuide:
        out.write_bytes(BLANK)
        return PressedGuide(1, len(BLANK), hashlib.sha256(BLANK).hexdigest())

    def warm(self) -> None:
        """It is always ready."""

    def close(self) -> None:
        """Nothing is held open."""
