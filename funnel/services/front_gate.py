"""The front gate: how often the public forms may be used, and the proof of work under attack.

Everything is counted in the database, so that all processes agree and a restart forgets nothing.
"""

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from funnel.db.mail import Control
from funnel.db.upsert import insert_if_absent
from funnel.domain.people import Address, fingerprint
from funnel.domain.ports import ProofOfWork
from funnel.domain.proof_of_work import Alarm, Pressure, ProofMode, is_asked
from funnel.links import Links
from funnel.services import control, limits

log = logging.getLogger(__name__)

MODE, ALARM = "proof_mode", "proof_alarm"
HOUR, DAY, MONTH = timedelta(hours=1), timedelta(days=1), timedelta(days=30)
PROOF_LIFE = timedelta(hours=2)
MAILS_AN_HOUR = 60


@dataclass(frozen=True)
class GateState:
    """Whether a proof is asked for, and who or what wants it so."""

    mode: ProofMode = ProofMode.AUTO
    by: str | None = None
    alarm: Alarm = field(default_factory=Alarm)

    def is_asking(self, now: datetime) -> bool:
        """True while visitors are asked for a proof."""
        return is_asked(self.mode, self.alarm, now)


def gate_state(session: Session) -> GateState:
    """How the gate stands; one small statement."""
    query = select(Control.key, Control.value).where(Control.key.in_((MODE, ALARM)))
    found = {row.key: row.value for row in session.execute(query)}
    chosen = found.get(MODE, {})
    by = chosen.get("by")
    return GateState(
        mode=ProofMode(str(chosen.get("mode", ProofMode.AUTO))),
        by=str(by) if by else None,
        alarm=_alarm(found.get(ALARM, {})),
    )


def set_mode(session: Session, mode: ProofMode, *, by: str) -> None:
    """Ask for the proof from now on, or never, or leave it to the pressure."""
    control.write(session, MODE, {"mode": mode, "by": by})


def admits(
    session: Session,
    proof: str,
    *,
    network: str,
    proofs: ProofOfWork,
    now: datetime,
    machine: datetime,
) -> bool:
    """Whether a posted form may go on: no proof is asked for, or it brings one never used before.

    A form without one counts as pressure, so that the gate stays while the attack does.
    """
    if not gate_state(session).is_asking(now):
        return True
    name = proofs.solved(proof, machine)
    if name and limits.take(session, f"proof:{name}", limit=1, window=PROOF_LIFE, now=now):
        return True
    note_refusal(session, network, now=now)
    return False


def visitor_may_ask(session: Session, network: str, *, now: datetime) -> bool:
    """Five requests an hour and twenty a day from one connection, known by a keyed hash."""
    by_hour = limits.take(session, f"ip-hour:{network}", limit=5, window=HOUR, now=now)
    by_day = limits.take(session, f"ip-day:{network}", limit=20, window=DAY, now=now)
    if not (by_hour and by_day):
        log.warning("a request was let lie: over 5 an hour, or 20 a day, from one connection")
        note_refusal(session, network, now=now)
    return by_hour and by_day


def address_may_get_more(
    session: Session,
    address: Address,
    kind: str,
    *,
    links: Links,
    network: str | None,
    now: datetime,
) -> bool:
    """Confirm mails to one address: one a day of each kind, three a month of all kinds together;
    and three more for news of somebody who has confirmed before.

    `network` is the connection that asks; None where nobody does.
    """
    key = fingerprint(address.folded, links.pepper)
    month = "confirm-month-news" if kind == "news" else "confirm-month"
    may = limits.take(
        session, f"confirm-{kind}:{key}", limit=1, window=DAY, now=now
    ) and limits.take(session, f"{month}:{key}", limit=3, window=MONTH, now=now)
    if not may and network is not None:
        note_refusal(session, network, now=now)
    return may


def free_hour(session: Session, *, now: datetime, kind: str = "confirm") -> datetime | None:
    """When the next mail of this kind may go: at most sixty an hour in all, later ones wait.

    None when a whole day is full: then it is an attack and no crowd of visitors.
    """
    asked = limits.count(session, f"{kind}-asked:{now:%Y%m%d%H}", window=2 * HOUR, now=now)
    _feel(session, Pressure(mails=asked), now)
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    for hour in (this_hour + HOUR * later for later in range(24)):
        key = f"{kind}-hour:{hour:%Y%m%d%H}"
        if limits.take(session, key, limit=MAILS_AN_HOUR, window=2 * DAY, now=now):
            return max(hour, now)
    log.warning("no more %s mails today: over sixty an hour were asked for", kind)
    return None


def note_refusal(session: Session, network: str, *, now: datetime) -> None:
    """Count a connection that was refused, once in an hour however often it comes."""
    hour = f"{now:%Y%m%d%H}"
    if limits.count(session, f"refused:{hour}:{network}", window=2 * HOUR, now=now) == 1:
        refused = limits.count(session, f"refused:{hour}", window=2 * HOUR, now=now)
        _feel(session, Pressure(refused=refused), now)


def _feel(session: Session, pressure: Pressure, now: datetime) -> None:
    """Raise the alarm, or keep it up; nothing is written while nothing changes."""
    query = select(Control).where(Control.key == ALARM)
    row = session.scalars(query).first()
    before = _alarm(row.value if row else {})
    if before.after(pressure, now) is before:
        return
    insert_if_absent(session, Control, key=ALARM, value={})
    row = session.scalars(query.with_for_update().execution_options(populate_existing=True)).one()
    before = _alarm(row.value)
    after = before.after(pressure, now)
    if after is not before:
        row.value = {
            "since": after.since.isoformat() if after.since else None,
            "loud_at": after.loud_at.isoformat() if after.loud_at else None,
            "why": after.why,
        }
        session.flush()
    if after.is_on(now) and not before.is_on(now):
        log.warning("visitors are asked for a small proof of work from now on: %s", after.why)


def _alarm(value: dict[str, object]) -> Alarm:
    since, loud_at = value.get("since"), value.get("loud_at")
    return Alarm(
        since=datetime.fromisoformat(str(since)) if since else None,
        loud_at=datetime.fromisoformat(str(loud_at)) if loud_at else None,
        why=str(value.get("why", "")),
    )
