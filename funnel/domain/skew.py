"""Clocks that disagree: a worker whose clock is wrong sends nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from funnel.domain.clock import MOST_APART

MOST_SKEW = MOST_APART / 2


@dataclass(frozen=True)
class Reading:
    """What another clock said, and what ours said at that moment."""

    whose: str
    theirs: datetime
    ours: datetime

    @property
    def is_off(self) -> bool:
        """True when the two are so far apart that one of them must be wrong."""
        return abs(self.theirs - self.ours) > MOST_SKEW

    @property
    def why(self) -> str:
        """The disagreement in one sentence."""
        apart = abs(self.theirs - self.ours)
        way = "ahead of" if self.ours > self.theirs else "behind"
        return f"This machine's clock is {_spell(apart)} {way} {self.whose}."


def _spell(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 2880 else f"{minutes // 1440} days"
