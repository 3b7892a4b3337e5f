"""A restored database stands still: what fell due since its backup may have gone already."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    CursorResult,
    Update,
    case,
    select,
    union,
    update,
)
from sqlalchemy.orm import Session

from funnel.db.guides import Guide
from funnel.db.mail import Enrolment, Message
from funnel.domain.clock import Clock
from funnel.domain.delivery import OPEN_STATES, MessageState
from funnel.domain.enrolment import EnrolmentState
from funnel.services import control, guides, people

log = logging.getLogger(__name__)

HELD = "Held: the database was restored, and this mail may have gone already."
DOUBT = "It fell due since the backup and may have gone; we find out first."
_HELD: dict[str, Any] = {"state": EnrolmentState.HELD, "why": HELD, "next_due_at": None}


@dataclass(frozen=True)
class Gap:
    """What a database does not know: from its backup `since` to the last sign of life `until`."""

    is_copy: bool
    since: datetime | None
    until: datetime

    @property
    def why(self) -> str:
        """The sentence that the desk and the command line show."""
        since = _day(self.since) if self.since else "a day before such days were noted"
        if self.is_copy:
            return f"This database is a copy, or was moved; its last sign of life is of {since}."
        return f"This database was restored from a backup of {since}."


def _day(when: datetime) -> str:
    return f"{when.day} {when:%B %Y, %H:%M} UTC"


@dataclass(frozen=True)
class Standstill:
    """What stands still and waits for a decision, as the desk and the command line show it."""

    gap: Gap
    since: datetime
    held: int
    doubted: int


def standstill(session: Session) -> Standstill | None:
    """The restored database's stop; None when there is none."""
    value: dict[str, Any] = control.read(session, control.RESTORED)
    if not value.get("on"):
        return None
    started = value["from"]
    return Standstill(
        gap=Gap(
            is_copy=value["is_copy"],
            since=datetime.fromisoformat(started) if started else None,
            until=datetime.fromisoformat(value["until"]),
        ),
        since=datetime.fromisoformat(value["since"]),
        held=value["held"],
        doubted=value["doubted"],
    )


def stand_still(session: Session, gap: Gap, *, clock: Clock) -> None:
    """Stop all mail, and mark whatever fell due in the gap as being in doubt."""
    places, mails = _due_places(gap.until), _due_mails(gap.until)
    unready = Guide.ready_at.is_(None) & (Guide.requested_at <= gap.until)
    whose: CompoundSelect[Any] = union(
        select(Enrolment.subscriber_id).where(places),
        select(Message.subscriber_id).where(mails),
        select(Guide.subscriber_id).where(unready),
    )
    people.lock(session, select(whose.subquery().c.subscriber_id))
    held = change(session, update(Enrolment).where(places), _HELD)
    doubted = change(session, update(Message).where(mails), _doubt(clock))
    for guide in session.scalars(select(Guide).where(unready)):
        # It may have been announced in the gap, so it is not announced by itself once more.
        doubted += guides.doubt_ready(session, guide, now=clock.now())
    log.error("all mail is stopped: %s", gap.why)
    _stop(session, gap, held=held, doubted=doubted, now=clock.now())


def _due_mails(until: datetime) -> ColumnElement[bool]:
    return Message.state.in_(sorted(OPEN_STATES)) & (Message.not_before <= until)


def _due_places(until: datetime) -> ColumnElement[bool]:
    """Whoever was to be looked at in the gap, or had a mail on its way then."""
    leaving = select(Message.enrolment_id).where(
        _due_mails(until), Message.enrolment_id.is_not(None)
    )
    is_due = (Enrolment.next_due_at <= until) | Enrolment.id.in_(leaving)
    return (Enrolment.state == EnrolmentState.ACTIVE) & is_due


def _doubt(clock: Clock) -> dict[str, Any]:
    """A copy may be with them: news of it counts, and no copy goes in other words."""
    return {
        "state": MessageState.UNKNOWN,
        "why": DOUBT,
        "fence": Message.fence + 1,
        "lease_until": None,
        "doubt_since": clock.machine(),
        "attempt": case((Message.attempt == 0, 1), else_=Message.attempt),
        "is_resent": True,
    }


def change(session: Session, statement: Update, values: dict[str, Any]) -> int:
    """Returns how many rows were changed."""
    silently = statement.values(values).execution_options(synchronize_session=False)
    changed: CursorResult[Any] = session.execute(silently)  # type: ignore[assignment]
    return changed.rowcount


def _stop(session: Session, gap: Gap, *, held: int, doubted: int, now: datetime) -> None:
    value: dict[str, object] = {
        "on": True,
        "why": gap.why,
        "since": now.isoformat(),
        "is_copy": gap.is_copy,
        "from": gap.since.isoformat() if gap.since else None,
        "until": gap.until.isoformat(),
        "held": held,
        "doubted": doubted,
    }
    control.write(session, control.RESTORED, value)


def allow(session: Session, *, now: datetime) -> None:
    """Take this database as the right one from here on, under a name of its own.

    Its generation goes on above whatever a running process saw of the database that was lost:
    there are fewer ticks than seconds.
    """
    known = control.read(session, control.LINEAGE)
    fresh: dict[str, object] = {
        "installation": uuid4().hex,
        "generation": int(now.timestamp()),
        "now": now.isoformat(),
        "place": known.get("place", ""),
        "is_decided": True,
    }
    control.write(session, control.LINEAGE, fresh)
    control.write(session, control.RESTORED, {"on": False})
