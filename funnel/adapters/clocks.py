"""The clocks that really run: the machine's own, and the demo's, which runs faster."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


def boot_seconds() -> float:
    """Seconds since the machine started, its sleep included: for deadlines."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class SystemClock:
    """The machine's time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def machine(self) -> datetime:
        return datetime.now(UTC)

    def boot_seconds(self) -> float:
        return boot_seconds()


@dataclass(frozen=True)
class ScaledClock:
    """A calendar that starts at `start` and runs `speed` times as fast as the machine."""

    start: datetime
    speed: float
    started_at: float

    @classmethod
    def running(cls, start: datetime, speed: float) -> "ScaledClock":
        """A scaled clock that starts now."""
        return cls(start, speed, time.monotonic())

    def now(self) -> datetime:
        return self.start + timedelta(seconds=(time.monotonic() - self.started_at) * self.speed)

    def machine(self) -> datetime:
        return datetime.now(UTC)

    def boot_seconds(self) -> float:
        return boot_seconds()
