"""Complaints about how we handled somebody's details: taken from anybody, kept sealed, answered."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from funnel.db.bulk import among
from funnel.db.complaints import Complaint
from funnel.db.mail import Message
from funnel.db.people import Subscriber
from funnel.domain.complaints import ComplaintState
from funnel.domain.errors import NotFound, VaultLocked
from funnel.domain.people import Address, SuppressionReason, fingerprint
from funnel.domain.ports import MailClass
from funnel.links import Links
from funnel.services import outbox, people
from funnel.services.front_gate import DAY, HOUR, MONTH, free_hour, note_refusal
from funnel.services.limits import take
from funnel.services.steering import Steered
from funnel.vault import Vault

A_DAY_IN_ALL = 300
LOCKED = "It cannot be read: no key in SECRET_KEY opens it."


@dataclass(frozen=True)
class Letter:
    """A complaint as it was typed, found good."""

    address: Address
    name: str | None
    words: str


@dataclass(frozen=True)
class Opened:
    """The words of a complaint, and the note of what came of it."""

    words: str
    outcome: str


@dataclass(frozen=True)
class Complaints:
    """Takes complaints, and opens them for whoever is to answer."""

    vault: Vault

    def take(
        self, session: Session, letter: Letter, *, links: Links, ip_key: str, now: datetime
    ) -> bool:
        """Keep a complaint and acknowledge it by mail; the same for every address.

        False, and nothing kept, for the sixth in an hour or the twenty-first in a day from one
        connection, and when strangers flood the form: whoever asks is told, so nothing is lost
        without a word.
        """
        network = fingerprint(ip_key, links.pepper)
        if not _may_complain(session, network, now):
            note_refusal(session, network, now=now)
            return False
        kept = Complaint(
            public_id=uuid4(),
            received_at=now,
            name=letter.name,
            email=letter.address.mailbox,
            email_key=letter.address.key,
            sealed_words=self.vault.seal(letter.words.encode()),
            state=ComplaintState.OPEN,
        )
        session.add(kept)
        if _acknowledge(session, kept, letter.address, links, now):
            kept.acknowledged_at = now
        return True

    def open(self, session: Session, complaint_id: int) -> Opened:
        """The words of a complaint; raises NotFound. Whoever calls it notes who has read it."""
        found = _find(session, complaint_id)
        outcome = found.sealed_outcome
        return Opened(self._read(found.sealed_words), self._read(outcome) if outcome else "")

    def _read(self, sealed: bytes) -> str:
        try:
            return self.vault.open(sealed).decode()
        except VaultLocked:
            return LOCKED

    def note_outcome(self, session: Session, complaint_id: int, outcome: str) -> Steered:
        """Keep what came of a complaint, in place of an older note; raises NotFound."""
        found = _find(session, complaint_id, lock=True)
        found.sealed_outcome = self.vault.seal(outcome.encode()) if outcome else None
        return Steered("Kept the note on a complaint.")


def ack_key(complaint: Complaint) -> str:
    """The key of the mail that acknowledges a complaint."""
    return f"complaint:{complaint.public_id}"


def _may_complain(session: Session, key: str, now: datetime) -> bool:
    """Counted apart from requests for the guide: whoever asked too often may still complain."""
    return (
        take(session, f"complaint-ip-hour:{key}", limit=5, window=HOUR, now=now)
        and take(session, f"complaint-ip-day:{key}", limit=20, window=DAY, now=now)
        and take(session, "complaint-day", limit=A_DAY_IN_ALL, window=DAY, now=now)
    )


def _acknowledge(
    session: Session, kept: Complaint, address: Address, links: Links, now: datetime
) -> bool:
    """Queue the mail that it came: one a day to an address, three a month. True when queued."""
    key = fingerprint(address.folded, links.pepper)
    may_get_more = take(session, f"complaint-ack:{key}", limit=1, window=DAY, now=now) and take(
        session, f"complaint-month:{key}", limit=3, window=MONTH, now=now
    )
    goes_at = free_hour(session, now=now, kind="complaint") if may_get_more else None
    return goes_at is not None and outbox.put_service_mail(
        session,
        None,
        "complaint_received",
        mail_class=MailClass.RECEIPT,
        dedupe_key=ack_key(kept),
        to_address=address.mailbox,
        not_before=goes_at,
        now=now,
    )


def _find(session: Session, complaint_id: int, *, lock: bool = False) -> Complaint:
    found = session.get(Complaint, complaint_id, with_for_update=lock)
    if found is None:
        raise NotFound
    return found


def is_there(session: Session, complaint_id: int) -> bool:
    """Whether a complaint is kept."""
    return session.get(Complaint, complaint_id) is not None


def acknowledged(session: Session, complaint_id: int, *, now: datetime) -> Steered:
    """Somebody told the person by hand that it came; raises NotFound."""
    _find(session, complaint_id, lock=True).acknowledged_at = now
    return Steered("Noted that a complaint was acknowledged by hand.")


def answered(session: Session, complaint_id: int, *, now: datetime) -> Steered:
    """The person was told what came of it; telling it twice keeps the first time.

    Raises NotFound.
    """
    found = _find(session, complaint_id, lock=True)
    found.state, found.closed_at = ComplaintState.ANSWERED, None
    found.answered_at = found.answered_at or now
    return Steered("Noted that a complaint was answered.")


def close(session: Session, complaint_id: int, *, links: Links, now: datetime) -> Steered:
    """Nothing more is to be done; raises NotFound. What an erased person wrote goes with it."""
    found = _find(session, complaint_id, lock=True)
    if _is_of_somebody_erased(session, found, links):
        delete_all(session, [found.id])
        return Steered("Closed a complaint, and deleted it: whoever wrote it was erased.")
    found.state, found.closed_at = ComplaintState.CLOSED, found.closed_at or now
    return Steered("Closed a complaint.")


def _is_of_somebody_erased(session: Session, found: Complaint, links: Links) -> bool:
    key = fingerprint(found.email_key, links.pepper)
    reasons = people.suppressions(session, {key}).get(key, frozenset())
    is_here = select(Subscriber.id).where(Subscriber.email_key == found.email_key)
    return SuppressionReason.ERASED in reasons and session.scalar(is_here) is None


def delete_all(session: Session, ids: Collection[int]) -> None:
    """Delete complaints, each with the mail that acknowledged it."""
    found = session.scalars(select(Complaint).where(among(session, Complaint.id, ids))).all()
    acknowledged_by = [ack_key(each) for each in found]
    session.execute(delete(Message).where(Message.dedupe_key.in_(acknowledged_by)))
    session.execute(delete(Complaint).where(among(session, Complaint.id, ids)))


def reopen(session: Session, complaint_id: int) -> Steered:
    """It is not dealt with after all; raises NotFound."""
    found = _find(session, complaint_id, lock=True)
    found.state, found.answered_at, found.closed_at = ComplaintState.OPEN, None, None
    return Steered("Opened a complaint again.")
