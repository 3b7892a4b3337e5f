"""The two times of the funnel, and the clocks that tests and the demo move."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


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


def require_utc(when: datetime) -> datetime:
    """Return an aware datetime in UTC; a naive one raises ValueError."""
    if when.tzinfo is None:
        raise ValueError("a time without a zone is not a time")
    return when.astimezone(UTC)
