"""A token bucket: how many mails may go now, so that no ten seconds see a flood."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

BURST_SECONDS = 2
# No provider's Retry-After is believed beyond this, and a clock that was put back stops no longer.
LONGEST_WAIT = timedelta(hours=1)


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
        """The bucket as it is at `now`."""
        as_of = min(self.as_of, now) if self.as_of - now > LONGEST_WAIT else self.as_of
        seconds = max((now - as_of).total_seconds(), 0.0)
        tokens = min(self.tokens + seconds * self.per_second, self.capacity)
        return replace(self, tokens=tokens, as_of=max(now, as_of))

    def take(self, count: int, now: datetime) -> "Bucket":
        """The bucket after `count` mails were taken at `now`."""
        full = self.at(now)
        return replace(full, tokens=full.tokens - count)

    def empty_until(self, when: datetime, now: datetime) -> "Bucket":
        """The bucket of a provider that wants nothing before `when`."""
        until = min(max(when, now), now + LONGEST_WAIT)
        return replace(self, tokens=0.0, as_of=max(until, self.at(now).as_of))

    def ready_in(self, now: datetime, tokens: float = 1.0) -> float:
        """Seconds until it holds so many tokens; 0 when it does."""
        then = self.at(now)
        missing = max(tokens - then.tokens, 0.0)
        return (then.as_of - now).total_seconds() + missing / self.per_second
