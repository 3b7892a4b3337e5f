"""The two times of the funnel, and the clocks that tests and the demo move."""

from datetime import UTC, datetime, timedelta
from typing import Protocol

# As far as the clocks of two workers may be apart before one of them is told to stand still.
MOST_APART = timedelta(minutes=10)


class Clock(Protocol):
    """Tells the time in aware UTC.

    `now` is the funnel's calendar: what is due is judged by it. `machine` is the time of the
    computer: leases, settle windows and desk sessions use it. They differ only in the demo.
    """

    def now(self) -> datetime: ...

    def machine(self) -> datetime: ...

    def boot_seconds(self) -> float:
        """Seconds since the machine started, counting sleep: deadlines are judged by it."""
        ...


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, start: datetime) -> None:
        self._now = require_utc(start)

    def now(self) -> datetime:
        return self._now

    def machine(self) -> datetime:
        return self._now

    def boot_seconds(self) -> float:
        return self._now.timestamp()

    def advance(self, by: timedelta) -> datetime:
        """Move forward; a negative step raises ValueError."""
        if by < timedelta(0):
            raise ValueError("a clock only moves forward")
        self._now += by
        return self._now

    def move_to(self, when: datetime) -> datetime:
        """Move forward to an instant; one in the past raises ValueError."""
        return self.advance(require_utc(when) - self._now)


def is_over(end: datetime, longest: timedelta, now: datetime) -> bool:
    """Whether a wait that ends at `end`, and never lasts over `longest`, is over.

    An end further ahead was written by a clock that was put back since: waiting for it could last
    for days.
    """
    return end <= now or end > now + longest + MOST_APART


def require_utc(when: datetime) -> datetime:
    """Return an aware datetime in UTC; a naive one raises ValueError."""
    if when.tzinfo is None:
        raise ValueError("a time without a zone is not a time")
    return when.astimezone(UTC)
