"""Noticing that the database was restored or copied, and standing still until somebody decides.

The database and a small file beside it both count the ticks. After a restore the file is ahead;
beside a copy there is none, or the copy lives elsewhere.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from funnel.db.mail import Control
from funnel.db.people import Subscriber
from funnel.db.place import place_of
from funnel.db.upsert import insert_if_absent
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
    """Compares the two marks at every tick of every process that sends, before it sends.

    Up to `margin` after a mark a mail may still have left before the next mark was due.
    """

    sessions: sessionmaker[Session]
    clock: Clock
    marks: Marks
    gate: Gate
    margin: timedelta

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
        value = _locked(session)
        known = _mark(value)
        if control.sending_state(session).restored is not None:
            return None
        place = place_of(session)
        beside = self.marks.read(known.installation) if known else self.marks.newest()
        has_people = session.scalar(select(Subscriber.id).limit(1)) is not None
        is_new, is_decided = bool(value.get("is_new")), bool(value.get("is_decided"))
        found = compare(known, beside, place, has_people=has_people, is_new=is_new)
        if found in {Lineage.FIRST, Lineage.SAME} or is_decided:
            return self._write(session, known, place, is_new=known is None or is_decided)
        restored.stand_still(session, self._gap(found, known), clock=self.clock)
        return None

    def _write(self, session: Session, known: Mark | None, place: str, *, is_new: bool) -> Mark:
        mark = Mark(
            installation=known.installation if known else uuid4().hex,
            generation=known.generation + 1 if known else 1,
            now=self.clock.now(),
            place=place,
        )
        value = {"installation": mark.installation, "generation": mark.generation}
        rest = {"now": mark.now.isoformat(), "place": mark.place, "is_new": is_new}
        control.write(session, control.LINEAGE, {**value, **rest})
        return mark

    def _gap(self, found: Lineage, known: Mark | None) -> Gap:
        """From the backup to the last sign of life, of which a mere copy knows nothing."""
        now = self.clock.now()
        newest = self.marks.newest()
        is_told = found is Lineage.RESTORED and newest is not None
        return Gap(
            is_copy=found is Lineage.COPIED,
            since=known.now if known else None,
            until=newest.now + self.margin if newest is not None and is_told else now,
        )

    def _keep(self, mark: Mark) -> None:
        try:
            self.marks.write(mark)
        except OSError as error:
            log.error("the mark beside the database cannot be written: %s", type(error).__name__)


def _locked(session: Session) -> dict[str, Any]:
    """What the database knows of itself, locked; empty before the very first look.

    The row is there before it is locked, so that of two first looks one waits for the other.
    """
    insert_if_absent(session, Control, key=control.LINEAGE, value={})
    query = select(Control.value).where(Control.key == control.LINEAGE).with_for_update()
    return session.scalars(query).one()


def _mark(value: dict[str, Any]) -> Mark | None:
    if not value:
        return None
    return Mark(
        installation=value["installation"],
        generation=value["generation"],
        now=datetime.fromisoformat(value["now"]),
        place=value["place"],
    )
