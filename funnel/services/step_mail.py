"""Queueing the mails of steps, many at once and each of them once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from funnel.db.bulk import Row, among, insert_absent, update_rows
from funnel.db.mail import Message
from funnel.db.texts import TextVersion
from funnel.domain.delivery import OPEN_STATES, MessageState
from funnel.domain.people import Purpose
from funnel.domain.ports import MailClass
from funnel.services.outbox import PRIORITY

SURELY_NOT_SENT = frozenset({MessageState.CANCELLED, MessageState.FAILED, MessageState.SKIPPED})


@dataclass(frozen=True)
class StepMail:
    """The mail of one step for one enrolment; `mail` names its words within the sequence."""

    enrolment_id: int
    subscriber_id: int
    sequence_key: str
    step_key: str
    mail: str
    purpose: Purpose
    why: str
    variant: str | None = None
    is_hurried: bool = False

    @property
    def mail_key(self) -> str:
        """The key of its words."""
        return f"{self.sequence_key}/{self.mail}"

    @property
    def dedupe_key(self) -> str:
        """One mail for each enrolment and step, whatever its words."""
        return f"step:{self.enrolment_id}:{self.step_key}"


class Queued(Enum):
    """What became of a mail that was to be queued."""

    OPEN = "it is on its way"
    WENT = "it went before"
    NO_WORDS = "it has no words"


def queue_steps(session: Session, mails: Sequence[StepMail], *, now: datetime) -> dict[int, Queued]:
    """Queue the mail of a step for each of these enrolments, once; the outcome by enrolment.

    One that surely did not go before is queued anew, under the same id and in its newest words.
    """
    words = newest_words(session, {mail.mail_key for mail in mails})
    found = {mail.enrolment_id: Queued.NO_WORDS for mail in mails}
    ready = [mail for mail in mails if mail.mail_key in words]
    rows = {uuid4(): mail for mail in ready}
    made = {
        rows[handle].enrolment_id
        for handle in insert_absent(
            session,
            Message,
            [_new(handle, mail, words[mail.mail_key], now) for handle, mail in rows.items()],
        )
    }
    found |= dict.fromkeys(made, Queued.OPEN)
    known = [mail for mail in ready if mail.enrolment_id not in made]
    return found | (_queue_anew(session, known, words, now) if known else {})


def newest_words(session: Session, mail_keys: Collection[str]) -> dict[str, int]:
    """The id of the newest version of each of these mails that has words."""
    newest = (
        select(TextVersion.key, func.max(TextVersion.version).label("version"))
        .where(TextVersion.kind == "mail", TextVersion.key.in_(mail_keys))
        .group_by(TextVersion.key)
        .subquery()
    )
    query = select(TextVersion.key, TextVersion.id).join(
        newest, (TextVersion.key == newest.c.key) & (TextVersion.version == newest.c.version)
    )
    return dict(session.execute(query.where(TextVersion.kind == "mail")).all())


def _new(handle: UUID, mail: StepMail, text_version_id: int, now: datetime) -> Row:
    return {
        "id": handle,
        "subscriber_id": mail.subscriber_id,
        "enrolment_id": mail.enrolment_id,
        "step_key": mail.step_key,
        "dedupe_key": mail.dedupe_key,
        "mail_class": MailClass.DRIP,
        "purpose": mail.purpose,
        "priority": PRIORITY[MailClass.DRIP],
        "fence": 0,
        "is_resent": False,
        **_waiting(mail, text_version_id, now),
    }


def _waiting(mail: StepMail, text_version_id: int, now: datetime) -> Row:
    """The columns of a mail that was queued this instant."""
    return {
        "mail_key": mail.mail_key,
        "text_version_id": text_version_id,
        "variant": mail.variant,
        "is_hurried": mail.is_hurried,
        "state": MessageState.SCHEDULED,
        "created_at": now,
        "due_at": now,
        "not_before": now,
        "attempt": 0,
        "why": mail.why,
    }


def _queue_anew(
    session: Session, mails: Sequence[StepMail], words: dict[str, int], now: datetime
) -> dict[int, Queued]:
    query = select(Message.dedupe_key, Message.id, Message.state, Message.fence)
    query = query.where(among(session, Message.dedupe_key, [mail.dedupe_key for mail in mails]))
    known = {row.dedupe_key: row for row in session.execute(query.with_for_update(key_share=True))}
    found: dict[int, Queued] = {}
    anew: list[Row] = []
    for mail in mails:
        row = known.get(mail.dedupe_key)
        is_open = row is None or row.state in OPEN_STATES | SURELY_NOT_SENT
        found[mail.enrolment_id] = Queued.OPEN if is_open else Queued.WENT
        if row is not None and row.state in SURELY_NOT_SENT:
            again = _waiting(mail, words[mail.mail_key], now)
            anew.append({"id": row.id, "fence": row.fence + 1, **again, **_UNTOUCHED})
    update_rows(session, Message, anew)
    return found


_UNTOUCHED: Row = {
    "closed_at": None,
    "payload_sha256": None,
    "asked_provider_at": None,
    "doubt_since": None,
}
