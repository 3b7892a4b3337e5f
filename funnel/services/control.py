"""Switches of the sender: stopped or going, slots of periodic work, gauges."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from funnel.db.mail import Control, Tick
from funnel.db.upsert import insert_if_absent
from funnel.domain.breaker import Breaker

PAUSED = "paused"
BRAKE = "brake"
LINEAGE = "lineage"
RESTORED = "restored"
BREAKER = "breaker"
PEPPER = "pepper"
LAST_TICK = "last_tick"
SLEPT = "slept"
SKEW = "skew"
WAITS = "provider_waits"
DOCTOR = "doctor"
UNPROVED = "unproved"
GOLIVE = "golive"
LISTS = "lists"
LONG_SLEEP = timedelta(hours=1)
SLOTS_AHEAD = timedelta(minutes=1)
FUNNEL = "Funnel itself"  # who stopped a restored database
_STOPS = (PAUSED, BRAKE, UNPROVED, GOLIVE, LINEAGE, RESTORED, WAITS)


class StopMode(StrEnum):
    """What the therapist stopped: everything, or the series and not what people asked for."""

    ALL = "all"
    SERIES = "series"


@dataclass(frozen=True)
class SendingState:
    """What may leave, since when not, and who stopped it.

    `is_paused`: nothing leaves. `holds_series`: no series mail leaves, because all mail or the
    series was stopped, or because the brake holds it for the reason `braked`, or because it is
    not known, for the reason `unproved`, that our mail will be believed, or because a question of
    the law is `unanswered`. `restored` says why a database that was restored or copied stands
    still; `generation` is that database's.
    `not_before`: the provider asked for no mail before then, by the machine's time.
    """

    is_paused: bool
    since: datetime | None = None
    by: str | None = None
    is_series_stopped: bool = False
    braked: str | None = None
    unproved: str | None = None
    unanswered: str | None = None
    restored: str | None = None
    generation: int = 0
    not_before: datetime | None = None

    @property
    def holds_series(self) -> bool:
        """True while no series mail may leave."""
        return self.is_paused or self.is_series_stopped or self.holds_by_itself

    @property
    def holds_by_itself(self) -> bool:
        """True while series mail waits though nobody stopped it."""
        return self.why_held is not None

    @property
    def why_held(self) -> str | None:
        """Why it waits though nobody stopped it; what somebody must let go is named first."""
        return self.braked or self.unanswered or self.unproved


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
    """What was stopped, by whom or by what; one statement."""
    query = select(Control.key, Control.value).where(Control.key.in_(_STOPS))
    found: dict[str, dict[str, Any]] = {row.key: row.value for row in session.execute(query)}
    stop, restored = (found.get(key, {}) for key in (PAUSED, RESTORED))
    brake, unproved, golive = (found.get(key, {}) for key in (BRAKE, UNPROVED, GOLIVE))
    is_stopped = bool(stop.get("on"))
    is_all = is_stopped and stop.get("mode", StopMode.ALL) == StopMode.ALL
    since = stop.get("since") if is_stopped else restored.get("since")
    return SendingState(
        is_paused=is_all or bool(restored.get("on")),
        since=datetime.fromisoformat(since) if since else None,
        by=stop.get("by") if is_stopped else (FUNNEL if restored.get("on") else None),
        is_series_stopped=is_stopped and not is_all,
        braked=brake["why"] if brake.get("on") else None,
        unproved=unproved["why"] if unproved.get("on") else None,
        unanswered=golive["why"] if golive.get("on") else None,
        restored=restored["why"] if restored.get("on") else None,
        generation=found.get(LINEAGE, {}).get("generation", 0),
        not_before=_instant(found.get(WAITS, {}).get("until")),
    )


def pause_sending(
    session: Session, *, by: str, now: datetime, mode: StopMode = StopMode.ALL
) -> None:
    """Stop all mail, or series mail: no more is claimed or started.

    Stopping twice keeps who did it first, and the wider of the two.
    """
    stop = read(session, PAUSED)
    known = stop.get("mode", StopMode.ALL) if stop.get("on") else None
    if known in {StopMode.ALL, mode}:
        return
    write(session, PAUSED, {"on": True, "since": now.isoformat(), "by": by, "mode": mode})


def resume_sending(session: Session) -> None:
    """Let mail go again. The brake and a restored database's stop are let go by themselves."""
    write(session, PAUSED, {"on": False})


def is_same_pepper(session: Session, digest: str) -> bool:
    """Whether suppressed addresses are still hashed as ever; the first digest is remembered."""
    known = read(session, PEPPER).get("digest")
    if known is None:
        write(session, PEPPER, {"digest": digest})
    return known in {None, digest}


def read_breaker(session: Session, *, lock: bool = False) -> Breaker:
    """Whether the provider is in trouble, by its last answers."""
    query = select(Control.value).where(Control.key == BREAKER)
    value = session.scalars(query.with_for_update() if lock else query).first() or {}
    return Breaker(
        doubts=int(str(value.get("doubts", 0))),
        probe_at=_instant(value.get("probe_at")),
        why=str(value.get("why", "")),
        lately=str(value.get("lately", "")),
        opened_at=_instant(value.get("opened_at")),
    )


def _instant(value: object) -> datetime | None:
    return datetime.fromisoformat(str(value)) if value else None


def write_breaker(session: Session, breaker: Breaker) -> None:
    """Keep the breaker for every worker, through restarts."""
    instants = {"probe_at": breaker.probe_at, "opened_at": breaker.opened_at}
    kept = {key: at.isoformat() if at else None for key, at in instants.items()}
    rest = {"doubts": breaker.doubts, "why": breaker.why, "lately": breaker.lately}
    write(session, BREAKER, {**kept, **rest})


def take_slot(session: Session, name: str, *, every: timedelta, now: datetime) -> bool:
    """True for the one caller that gets this slot of a periodic job.

    Slots ahead of time were taken by a clock that was put back since, and are free again: a job
    that is done twice does no harm, one that stands still for an hour does.
    """
    seconds = int(every.total_seconds())
    slot = datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)
    if insert_if_absent(session, Tick, name=name, slot=slot):
        return True
    session.execute(delete(Tick).where(Tick.name == name, Tick.slot > slot + SLOTS_AHEAD))
    return False


def forget_old_slots(session: Session, *, now: datetime) -> None:
    """Delete slots of over a day ago."""
    session.execute(delete(Tick).where(Tick.slot < now - timedelta(days=1)))


def record_tick(session: Session, *, now: datetime) -> bool:
    """Note that work is going on; True when it had not for over an hour, which is noted too."""
    last = last_tick(session)
    write(session, LAST_TICK, {"at": now.isoformat()})
    if last is None or now - last <= LONG_SLEEP:
        return False
    write(session, SLEPT, {"from": last.isoformat(), "until": now.isoformat()})
    return True


def last_tick(session: Session) -> datetime | None:
    """When work last went on, by the machine's time."""
    value = read(session, LAST_TICK).get("at")
    return datetime.fromisoformat(str(value)) if value else None
