"""Noting what a restored database must not forget, outside the database and before it is done."""

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import event
from sqlalchemy.orm import Session, sessionmaker

from funnel.domain.journal import Done, Entry
from funnel.domain.people import fingerprint
from funnel.domain.ports import Journal

log = logging.getLogger(__name__)

_NOTED = "journal"


@dataclass(frozen=True)
class _Noted:
    at: datetime
    done: Done
    email_key: str
    about: str


def note(session: Session, done: Done, email_key: str, about: str = "", *, now: datetime) -> None:
    """Have a line written with this transaction, where its sessions keep a journal."""
    session.info.setdefault(_NOTED, []).append(_Noted(now, done, email_key, about))


@dataclass(frozen=True)
class JournalKeeping:
    """Writes what was noted just before its transaction commits.

    Before and not after: a line too many does no harm, and one that a crash swallowed could bring
    somebody back. A journal that cannot be written keeps nobody from saying stop: it is logged.
    """

    journal: Journal
    pepper: bytes

    def watch(self, sessions: sessionmaker[Session]) -> None:
        """Keep the journal of every transaction of these sessions."""
        event.listen(sessions, "before_commit", self._write)

    def _write(self, session: Session) -> None:
        if session.in_nested_transaction():
            return
        noted: list[_Noted] = session.info.pop(_NOTED, [])
        if not noted:
            return
        try:
            self.journal.append([self._entry(each) for each in noted])
        except OSError as error:
            log.error("the journal cannot be written: %s", type(error).__name__)

    def _entry(self, noted: _Noted) -> Entry:
        address_hash = fingerprint(noted.email_key, self.pepper)
        return Entry(noted.at, noted.done, address_hash, noted.about)
