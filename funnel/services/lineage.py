"""Noticing that the database was restored or copied, and standing still until somebody decides.

The database and a small file beside it both count the ticks. After a restore the file is ahead;
beside a copy there is none, or the copy lives elsewhere.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from funnel.db.mail import Control
from funnel.db.people import Subscriber
from funnel.db.place import place_of
from funnel.domain.clock import Clock
from funnel.domain.gate import Gate
from funnel.domain.lineage import Lineage, Mark, compare
from funnel.domain.ports import Marks
from funnel.services import control, restored
from funnel.services.restored import Gap

NOT_LOOKED_YET = "the database was not looked at yet"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LineageWatch:
    """Compares the two marks at every tick of every process that sends, before it sends."""

    sessions: sessionmaker[Session]
    clock: Clock
    marks: Marks
    gate: Gate

    def look(self) -> None:
        """Compare, and count this tick; or stop all mail when this is not the database we left.

        The gate opens with the first look. A mark that cannot be written stops nothing: a later
        restore may then go unnoticed, so it is logged each time.
        """
        with self.sessions.begin() as session:
            mark = self._count(session)
        if mark is not None:
            self._keep(mark)
            self.gate.trust(mark.generation)
        self.gate.open(NOT_LOOKED_YET)

    def _count(self, session: Session) -> Mark | None:
        """The mark of this tick, written to the database; None while all stands still."""
        known, is_decided = _known(session)
        if control.sending_state(session).restored is not None:
            return None
        place = place_of(session)
        beside = self.marks.read(known.installation) if known else self.marks.newest()
        has_people = session.scalar(select(Subscriber.id).limit(1)) is not None
        found = compare(known, beside, place, has_people=has_people)
        if found in {Lineage.FIRST, Lineage.SAME} or is_decided:
            return self._write(session, known, place)
        restored.stand_still(session, self._gap(found, known), clock=self.clock)
        return None

    def _write(self, session: Session, known: Mark | None, place: str) -> Mark:
        mark = Mark(
            installation=known.installation if known else uuid4().hex,
            generation=known.generation + 1 if known else 1,
            now=self.clock.now(),
            place=place,
        )
        value = {"installation": mark.installation, "generation": mark.generation}
        control.write(
            session, control.LINEAGE, {**value, "now": mark.now.isoformat(), "place": mark.place}
        )
        return mark

    def _gap(self, found: Lineage, known: Mark | None) -> Gap:
        """From the backup to the last sign of life, of which a mere copy knows nothing."""
        now = self.clock.now()
        newest = self.marks.newest()
        is_told = found is Lineage.RESTORED and newest is not None
        return Gap(
            is_copy=found is Lineage.COPIED,
            since=known.now if known else None,
            until=newest.now if newest is not None and is_told else now,
        )

    def _keep(self, mark: Mark) -> None:
        try:
            self.marks.write(mark)
        except OSError as error:
            log.error("the mark beside the database cannot be written: %s", type(error).__name__)


def _known(session: Session) -> tuple[Mark | None, bool]:
    """The database's own mark, locked; and whether somebody decided that it is the right one."""
    query = select(Control.value).where(Control.key == control.LINEAGE).with_for_update()
    value = session.scalars(query).first()
    if not value:
        return None, False
    mark = Mark(
        installation=str(value["installation"]),
        generation=int(str(value["generation"])),
        now=datetime.fromisoformat(str(value["now"])),
        place=str(value["place"]),
    )
    return mark, bool(value.get("is_decided"))
