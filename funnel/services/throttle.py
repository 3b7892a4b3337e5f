"""How many mails may be claimed now, and which of them wait for a calmer minute.

What went lately is kept in the database: restarts and any number of workers share it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from funnel.db.mail import Control
from funnel.domain.bucket import Bucket
from funnel.domain.clock import is_over
from funnel.domain.flow import UNLIMITED, CatchUp, Flow, Limits, Room
from funnel.domain.gate import Gate
from funnel.domain.ports import MailClass
from funnel.services import control

FLOW = "flow"
NO_ROOM = Room(0, 0)
# No provider's wish is heeded beyond this.
LONGEST_WAIT = timedelta(hours=1)


@dataclass(frozen=True)
class Claimed:
    """What a throttle asks about a claimed message."""

    message_id: UUID
    mail_class: MailClass
    to_address: str


@dataclass(frozen=True)
class Throttle:
    """The limits of this installation, and the gate of this process.

    `room` and `hold_back` are called inside the claim's transaction: `room` locks the counts, so
    that two workers cannot take the same token.
    """

    limits: Limits = UNLIMITED
    gate: Gate = field(default_factory=Gate)

    def room(self, session: Session, *, wanted: int, machine: datetime) -> Room:
        """How much of `wanted` may be claimed: none while all mail is stopped, or is to wait."""
        state = control.sending_state(session)
        is_trusted = self.gate.passes(state.generation)
        if state.is_paused or not is_trusted or provider_waits(state, machine):
            return NO_ROOM
        room = Room(wanted, wanted)
        if not self.limits.is_unlimited:
            room = read_flow(session, self.limits, machine).room(self.limits, wanted, machine)
        return replace(room, series=0) if state.holds_series else room

    def hold_back(
        self, session: Session, rows: Sequence[Claimed], *, now: datetime, machine: datetime
    ) -> dict[UUID, datetime]:
        """Take a token for each row that may go; for the others, the time they go back to.

        Called once, right after `room`, with every row that was claimed.
        """
        if self.limits.is_unlimited or not rows:
            return {}
        flow = read_flow(session, self.limits, machine)
        asked = [(each.mail_class, each.to_address.rpartition("@")[2].lower()) for each in rows]
        flow, waits = flow.admit(self.limits, asked, machine)
        write_flow(session, flow)
        held = zip(rows, waits, strict=True)
        return {each.message_id: now + wait for each, wait in held if wait}

    def give_back(
        self, session: Session, classes: Sequence[MailClass], *, machine: datetime
    ) -> None:
        """Count these mails as not sent after all: cancelled, not written, surely not taken."""
        if classes and not self.limits.is_unlimited:
            flow = read_flow(session, self.limits, machine)
            write_flow(session, flow.give_back(classes))

    def slow_down(self, session: Session, *, until: datetime, machine: datetime) -> None:
        """The provider wants nothing at all before `until` (machine time)."""
        known = control.sending_state(session)
        if known.not_before is not None and provider_waits(known, machine):
            until = max(until, known.not_before)
        until = min(until, machine + LONGEST_WAIT)
        control.write(session, control.WAITS, {"until": until.isoformat()})


def provider_waits(state: control.SendingState, machine: datetime) -> bool:
    """Whether the provider asked for no mail yet."""
    until = state.not_before
    return until is not None and not is_over(until, LONGEST_WAIT, machine)


def read_flow(session: Session, limits: Limits, machine: datetime) -> Flow:
    """What went lately, as of `machine`; locked until the transaction ends."""
    query = select(Control.value).where(Control.key == FLOW).with_for_update()
    value = session.scalars(query).first()
    if value is None:
        control.write(session, FLOW, {})
        value = session.scalars(query).one()
    return _from_json(value, machine.date()).at(limits, machine)


def peek_flow(session: Session, limits: Limits, machine: datetime) -> Flow:
    """What went lately, for a page to show; nothing is locked."""
    return _from_json(control.read(session, FLOW), machine.date()).at(limits, machine)


def write_flow(session: Session, flow: Flow) -> None:
    """Keep what went, for every worker."""
    catch_up = flow.catch_up
    control.write(
        session,
        FLOW,
        {
            "day": flow.day.isoformat(),
            "sent": flow.sent,
            "sent_series": flow.sent_series,
            "bucket": _bucket_json(flow.bucket),
            "catch_up": catch_up
            and {
                "per_hour": catch_up.per_hour,
                "since": catch_up.since.timestamp(),
                "at_least_until": catch_up.at_least_until.timestamp(),
                "bucket": _bucket_json(catch_up.bucket),
            },
            "minute": {
                domain: [[when.timestamp(), count] for when, count in went]
                for domain, went in flow.minute.items()
            },
        },
    )


def _bucket_json(bucket: Bucket | None) -> list[float] | None:
    if bucket is None:
        return None
    return [bucket.per_second, bucket.capacity, bucket.tokens, bucket.as_of.timestamp()]


def _from_json(value: Mapping[str, Any], today: date) -> Flow:
    if not value:
        return Flow(today)
    return Flow(
        day=date.fromisoformat(value["day"]),
        sent=value["sent"],
        sent_series=value["sent_series"],
        bucket=_bucket(value["bucket"]),
        catch_up=_catch_up(value["catch_up"]),
        minute={
            domain: tuple((_at(when), count) for when, count in went)
            for domain, went in value["minute"].items()
        },
    )


def _catch_up(value: Mapping[str, Any] | None) -> CatchUp | None:
    bucket = _bucket(value["bucket"]) if value else None
    if value is None or bucket is None:
        return None
    return CatchUp(value["per_hour"], _at(value["since"]), _at(value["at_least_until"]), bucket)


def _bucket(value: list[float] | None) -> Bucket | None:
    return None if value is None else Bucket(value[0], value[1], value[2], _at(value[3]))


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
