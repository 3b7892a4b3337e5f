"""What keeps the sender from sending, or slows it down, as the desk shows it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from funnel.domain.brake import Tally
from funnel.domain.flow import UNLIMITED, Flow, Limits
from funnel.services import brake, control
from funnel.services.doctor import heard
from funnel.services.throttle import peek_flow

EVENTS_SILENT_AFTER = timedelta(days=3)
SLEEP_IS_NEWS = timedelta(days=1)


@dataclass(frozen=True)
class SenderHealth:
    """Everything that is unusual about the sender; None where there is nothing to tell.

    `trouble` is what the provider answered while the breaker has been open too long; `skew` a
    wrong clock; `slept` when the machine slept last, within a day.
    """

    tally: Tally
    flow: Flow
    limits: Limits = UNLIMITED
    trouble: str | None = None
    skew: str | None = None
    slept: tuple[datetime, datetime] | None = None
    last_event_at: datetime | None = None

    @property
    def is_day_full(self) -> bool:
        """True when no series mail goes any more today, by SEND_DAILY or the warm-up."""
        return self.flow.is_day_full(self.limits)

    @property
    def warm_up(self) -> int | None:
        """Today's figure of the warm-up."""
        return self.limits.warm_up_figure(self.flow.day)

    def are_events_silent(self, last_accepted_at: datetime | None) -> bool:
        """True when mails go but the provider, which used to tell of them, tells nothing more."""
        if self.last_event_at is None or last_accepted_at is None:
            return False
        return last_accepted_at - self.last_event_at > EVENTS_SILENT_AFTER


def sender_health(session: Session, *, limits: Limits, machine: datetime) -> SenderHealth:
    """What is unusual about the sender, in a handful of small queries."""
    breaker = control.read_breaker(session)
    return SenderHealth(
        tally=brake.tally(session),
        flow=peek_flow(session, limits, machine),
        limits=limits,
        trouble=breaker.why if breaker.needs_help(machine) else None,
        skew=_skew(session),
        slept=_slept(session, machine),
        last_event_at=heard(session).event_at,
    )


def _skew(session: Session) -> str | None:
    why = control.read(session, control.SKEW).get("why")
    return str(why) if why else None


def _slept(session: Session, machine: datetime) -> tuple[datetime, datetime] | None:
    value = control.read(session, control.SLEPT)
    if not value:
        return None
    since, until = (datetime.fromisoformat(str(value[key])) for key in ("from", "until"))
    return (since, until) if machine - until < SLEEP_IS_NEWS else None
