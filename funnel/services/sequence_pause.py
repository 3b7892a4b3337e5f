"""Whole sequences that stand still: who stopped them, and since when."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from funnel.db.mail import Control
from funnel.services import control

PREFIX = "sequence:"
WHY = "Held: the whole series is paused."


@dataclass(frozen=True)
class Pause:
    """A sequence that was stopped, by whom and when."""

    since: datetime
    by: str


def paused(session: Session) -> dict[str, Pause]:
    """The sequences that stand still, by key."""
    query = select(Control.key, Control.value).where(Control.key.startswith(PREFIX))
    return {
        row.key.removeprefix(PREFIX): Pause(
            datetime.fromisoformat(str(row.value["since"])), str(row.value["by"])
        )
        for row in session.execute(query)
        if row.value.get("paused")
    }


def stop(session: Session, key: str, *, by: str, now: datetime) -> bool:
    """Let a sequence stand still; False when it did already, and the first one counts."""
    if key in paused(session):
        return False
    value: dict[str, object] = {"paused": True, "since": now.isoformat(), "by": by}
    control.write(session, f"{PREFIX}{key}", value)
    return True


def go(session: Session, key: str) -> bool:
    """Let a sequence go on; False when it was not stopped."""
    if key not in paused(session):
        return False
    control.write(session, f"{PREFIX}{key}", {"paused": False})
    return True
