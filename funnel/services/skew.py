"""Comparing this machine's clock with the database's and the provider's."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from funnel.domain.clock import Clock
from funnel.domain.gate import Gate
from funnel.domain.ports import Mailer
from funnel.domain.skew import Reading
from funnel.services import control

WRONG_CLOCK = "this machine's clock is wrong"
# What the provider said longer ago is no reason to stand still.
READING_LASTS = 3600.0
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClockWatch:
    """Keeps a worker with a wrong clock from doing anything, and says so.

    `clock` is the machine's, also where the funnel runs by another calendar.
    """

    sessions: sessionmaker[Session]
    clock: Clock
    mailer: Mailer
    gate: Gate
    worker: str

    @property
    def is_off(self) -> bool:
        """True while this machine's clock is known to be wrong."""
        return self.gate.is_closed_for(WRONG_CLOCK)

    def look(self) -> None:
        """Compare; close the gate while clocks disagree, and open it when they agree again."""
        wrong = next((each for each in self.readings() if each.is_off), None)
        if wrong is None:
            if self.gate.open(WRONG_CLOCK):
                self._note({})
        elif self.gate.close(WRONG_CLOCK):
            log.error("%s stands still. %s", self.worker, wrong.why)
            at = self.clock.machine().isoformat()
            self._note({"why": wrong.why, "worker": self.worker, "at": at})

    def readings(self) -> tuple[Reading, ...]:
        """What every other clock says that can be seen from here."""
        found = (self._database(), self._provider())
        return tuple(each for each in found if each is not None)

    def _note(self, value: dict[str, object]) -> None:
        with self.sessions.begin() as session:
            control.write(session, control.SKEW, value)

    def _database(self) -> Reading | None:
        """SQLite has no clock but this machine's."""
        if self.sessions.kw["bind"].dialect.name == "sqlite":
            return None
        with self.sessions.begin() as session:
            theirs: datetime = session.execute(text("SELECT clock_timestamp()")).scalar_one()
            return Reading("the database's", theirs, self.clock.machine())

    def _provider(self) -> Reading | None:
        """By the date of its last answer, where the mailer keeps it, and what passed since.

        What passed is not asked of the clock, which may have been put right meanwhile.
        """
        seen: tuple[datetime, float] | None = getattr(self.mailer, "last_date_seen", None)
        if seen is None:
            return None
        theirs, at = seen
        passed = self.clock.boot_seconds() - at
        if passed > READING_LASTS:
            return None
        return Reading("the provider's", theirs + timedelta(seconds=passed), self.clock.machine())
