"""Complaints and bounces against what the big mailbox providers put up with."""

from dataclasses import dataclass

from funnel.domain.brake import ALERT_SHARE, BOUNCE_SHARE, HOLD_SHARE
from funnel.domain.deliverability import Light

# Below so many mails a single one would stand for a share that says nothing.
ENOUGH_FOR_COMPLAINTS = 1000
ENOUGH_FOR_BOUNCES = 100
WATCH_BOUNCES = 0.02


@dataclass(frozen=True)
class Meter:
    """`count` of so many mails, and the two lines that it should stay below."""

    count: int
    mails: int
    enough: int
    watch: float
    limit: float

    @property
    def share(self) -> float:
        """The share of the mails; 0 where there are none."""
        return self.count / self.mails if self.mails else 0.0

    @property
    def is_early(self) -> bool:
        """True while there are too few mails to tell."""
        return self.mails < self.enough

    @property
    def light(self) -> Light:
        """How it stands against its lines; unknown while there are too few mails."""
        if self.is_early:
            return Light.UNKNOWN
        if self.share >= self.limit:
            return Light.RED
        return Light.AMBER if self.share >= self.watch else Light.GREEN


def complaint_meter(reports: int, delivered: int) -> Meter:
    """Reports of spam among delivered mails: Gmail and Yahoo want under 0.1 %, never 0.3 %."""
    return Meter(reports, delivered, ENOUGH_FOR_COMPLAINTS, ALERT_SHARE, HOLD_SHARE)


def bounce_meter(bounces: int, tried: int) -> Meter:
    """Addresses that do not exist among the mails tried; from 5 % a list counts as a bad one."""
    return Meter(bounces, tried, ENOUGH_FOR_BOUNCES, WATCH_BOUNCES, BOUNCE_SHARE)
