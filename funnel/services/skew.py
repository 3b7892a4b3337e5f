"""Comparing this machine's clock with the database's and the provider's."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from funnel.domain.gate import Gate
from funnel.domain.ports import Mailer
from funnel.domain.skew import Reading
from funnel.services import control

WRONG_CLOCK = "this machine's clock is wrong"
# What the provider said longer ago is no reason to stand still.
READING_LASTS = timedelta(hours=1)
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClockWatch:
    """Keeps a worker with a wrong clock from claiming mails, and says so. `machine` is its time."""

    sessions: sessionmaker[Session]
    machine: Callable[[], datetime]
    mailer: Mailer
    gate: Gate
    worker: str

    def look(self) -> None:
        """Compare; close the gate while clocks disagree, and open it when they agree again."""
        found = (self._database(), self._provider())
        wrong = next((each for each in found if each is not None and each.is_off), None)
        if wrong is None:
            if self.gate.open(WRONG_CLOCK):
                self._note({})
        elif self.gate.close(WRONG_CLOCK):
            log.error("%s sends nothing. %s", self.worker, wrong.why)
            at = self.machine().isoformat()
            self._note({"why": wrong.why, "worker": self.worker, "at": at})

    def _note(self, value: dict[str, object]) -> None:
        with self.sessions.begin() as session:
            control.write(session, control.SKEW, value)

    def _database(self) -> Reading | None:
        """SQLite has no clock but this machine's."""
        if self.sessions.kw["bind"].dialect.name == "sqlite":
            return None
        with self.sessions.begin() as session:
            theirs: datetime = session.execute(text("SELECT clock_timestamp()")).scalar_one()
            return Reading("the database's", theirs, self.machine())

    def _provider(self) -> Reading | None:
        """By the date of its last answer, where the mailer keeps it."""
        seen: tuple[datetime, datetime] | None = getattr(self.mailer, "last_date_seen", None)
        if seen is None or abs(self.machine() - seen[1]) > READING_LASTS:
            return None
        return Reading("the provider's", *seen)
