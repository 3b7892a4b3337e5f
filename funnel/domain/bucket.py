"""A token bucket: how many mails may go now, so that no ten seconds see a flood."""

from dataclasses import dataclass, replace
from datetime import datetime

from funnel.domain.clock import MOST_APART

BURST_SECONDS = 2


@dataclass(frozen=True)
class Bucket:
    """Fills by `per_second` up to `capacity`; `as_of` is when it held `tokens`."""

    per_second: float
    capacity: float
    tokens: float
    as_of: datetime

    @classmethod
    def a_second(cls, rate: float, now: datetime) -> "Bucket":
        """A full bucket of `rate` a second: no ten seconds see more than 1.2 times ten rates."""
        capacity = rate * BURST_SECONDS
        return cls(rate, capacity, capacity, now)

    @classmethod
    def an_hour(cls, count: int, now: datetime) -> "Bucket":
        """A bucket of which no hour gets more than `count`, a minute's share of it at once."""
        capacity = max(1.0, count / 60)
        return cls((count - capacity) / 3600, capacity, capacity, now)

    def at(self, now: datetime) -> "Bucket":
        """The bucket as it is at `now`.

        One of a little later is another worker's; one of much later was kept by a clock that was
        put back since, and begins anew, for nobody writes down a bucket that has nothing to give.
        """
        if self.as_of - now > MOST_APART:
            return replace(self, tokens=self.capacity, as_of=now)
        seconds = max((now - self.as_of).total_seconds(), 0.0)
        tokens = min(self.tokens + seconds * self.per_second, self.capacity)
        return replace(self, tokens=tokens, as_of=max(now, self.as_of))

    def take(self, count: int, now: datetime) -> "Bucket":
        """The bucket after `count` mails were taken at `now`."""
        full = self.at(now)
        return replace(full, tokens=full.tokens - count)

    def ready_in(self, now: datetime, tokens: float = 1.0) -> float:
        """Seconds until it holds so many tokens; 0 when it does."""
        then = self.at(now)
        missing = max(tokens - then.tokens, 0.0)
        return (then.as_of - now).total_seconds() + missing / self.per_second
