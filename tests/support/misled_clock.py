"""A machine whose clock is wrong, jumps, or is put right."""

from datetime import datetime, timedelta

from funnel.domain.clock import ManualClock
from tests.support.house import FakeMailer


class MisledClock(ManualClock):
    """Tells a time that is off by `error`; how much time passes it still knows."""

    error = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.error

    def machine(self) -> datetime:
        return self.now()


class DatedMailer(FakeMailer):
    """A provider that tells its time: what it said, and at which of our seconds since the start."""

    last_date_seen: tuple[datetime, float] | None = None
