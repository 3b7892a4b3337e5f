"""Switches of the sender: stopped or going, slots of periodic work, gauges."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from funnel.db.mail import Control, Tick
from funnel.db.upsert import insert_if_absent
from funnel.domain.breaker import Breaker

PAUSED = "paused"
BREAKER = "breaker"
PEPPER = "pepper"
LAST_TICK = "last_tick"


@dataclass(frozen=True)
class SendingState:
    """Whether mail may leave, since when not, and who stopped it."""

    is_paused: bool
    since: datetime | None = None
    by: str | None = None


def read(session: Session, key: str) -> dict[str, object]:
    """The value of a switch; empty when it was never set."""
    row = session.get(Control, key)
    return dict(row.value) if row else {}


def write(session: Session, key: str, value: dict[str, object]) -> None:
    """Set a switch."""
    insert_if_absent(session, Control, key=key, value=value)
    session.get_one(Control, key).value = value
    session.flush()


def sending_state(session: Session) -> SendingState:
    """Whether the therapist stopped all mail."""
    value = read(session, PAUSED)
    if not value.get("on"):
        return SendingState(is_paused=False)
    return SendingState(True, datetime.fromisoformat(str(value["since"])), str(value["by"]))


def pause_sending(session: Session, *, by: str, now: datetime) -> None:
    """Stop all mail: nothing more is claimed or started. Stopping twice keeps the first."""
    if not sending_state(session).is_paused:
        write(session, PAUSED, {"on": True, "since": now.isoformat(), "by": by})


def resume_sending(session: Session) -> None:
    """Let mail go again."""
    write(session, PAUSED, {"on": False})


def is_same_pepper(session: Session, digest: str) -> bool:
    """Whether suppressed addresses are still hashed as ever; the first digest is remembered."""
    known = read(session, PEPPER).get("digest")
    if known is None:
        write(session, PEPPER, {"digest": digest})
    return known in {None, digest}


def read_breaker(session: Session) -> Breaker:
    """Whether the provider is in trouble, by its last answers."""
    value = read(session, BREAKER)
    probe_at = value.get("probe_at")
    return Breaker(
        doubts=int(str(value.get("doubts", 0))),
        probe_at=datetime.fromisoformat(str(probe_at)) if probe_at else None,
        why=str(value.get("why", "")),
    )


def write_breaker(session: Session, breaker: Breaker) -> None:
    """Keep the breaker for every worker, through restarts."""
    probe_at = breaker.probe_at.isoformat() if breaker.probe_at else None
    write(session, BREAKER, {"doubts": breaker.doubts, "probe_at": probe_at, "why": breaker.why})


def take_slot(session: Session, name: str, *, every: timedelta, now: datetime) -> bool:
    """True for the one caller that gets this slot of a periodic job."""
    seconds = int(every.total_seconds())
    slot = datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)
    return insert_if_absent(session, Tick, name=name, slot=slot)


def forget_old_slots(session: Session, *, now: datetime) -> None:
    """Delete slots of over a day ago."""
    session.execute(delete(Tick).where(Tick.slot < now - timedelta(days=1)))


def record_tick(session: Session, *, now: datetime) -> None:
    """Note that work is going on."""
    write(session, LAST_TICK, {"at": now.isoformat()})


def last_tick(session: Session) -> datetime | None:
    """When work last went on, by the machine's time."""
    value = read(session, LAST_TICK).get("at")
    return datetime.fromisoformat(str(value)) if value else None
