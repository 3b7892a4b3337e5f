"""When visitors are asked for a small proof of work: only while somebody presses on the form."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from funnel.domain.clock import is_over

# Of the sixty confirm mails that may go in an hour; and connections that were refused in it.
HIGH_MAILS, LOW_MAILS = 40, 20
HIGH_REFUSED, LOW_REFUSED = 20, 10
QUIET = timedelta(hours=1)
RENEW_EVERY = timedelta(minutes=5)


class ProofMode(StrEnum):
    """Who decides whether the proof is asked for: the pressure, or the therapist."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


@dataclass(frozen=True)
class Pressure:
    """What this hour brought: confirm mails that were asked for, and connections refused."""

    mails: int = 0
    refused: int = 0

    @property
    def is_high(self) -> bool:
        """True when it looks like an attack."""
        return self.mails >= HIGH_MAILS or self.refused >= HIGH_REFUSED

    @property
    def is_low(self) -> bool:
        """True when an attack that was under way would look over."""
        return self.mails < LOW_MAILS and self.refused < LOW_REFUSED

    def in_words(self) -> str:
        """What brought it about, for the desk."""
        if self.refused >= HIGH_REFUSED:
            return f"{self.refused} connections were turned away within an hour."
        return f"{self.mails} confirm mails were asked for within an hour."


@dataclass(frozen=True)
class Alarm:
    """Since when the form is pressed on, when that was last so (funnel time), and what it was."""

    since: datetime | None = None
    loud_at: datetime | None = None
    why: str = ""

    def is_on(self, now: datetime) -> bool:
        """True until an hour has been quiet."""
        return self.loud_at is not None and not is_over(self.loud_at + QUIET, QUIET, now)

    def after(self, pressure: Pressure, now: datetime) -> "Alarm":
        """The alarm once this pressure is known; the same one while nothing is worth writing."""
        if not self.is_on(now):
            return Alarm(now, now, pressure.in_words()) if pressure.is_high else self
        is_stale = self.loud_at is None or now - self.loud_at >= RENEW_EVERY
        return self if pressure.is_low or not is_stale else replace(self, loud_at=now)


def is_asked(mode: ProofMode, alarm: Alarm, now: datetime) -> bool:
    """Whether visitors are asked for a proof now."""
    return mode is ProofMode.ON or (mode is ProofMode.AUTO and alarm.is_on(now))
