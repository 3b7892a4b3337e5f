"""The breaker: when a provider is in trouble, one probe a minute instead of every due mail."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from funnel.domain.ports import Outcome

DOUBTS_TO_OPEN = 5
PROBE_EVERY = timedelta(seconds=60)


@dataclass(frozen=True)
class Breaker:
    """`doubts` counts unclear answers in a row; `probe_at` is set while the breaker is open."""

    doubts: int = 0
    probe_at: datetime | None = None
    why: str = ""

    def room(self, batch_size: int, now: datetime) -> int:
        """How many mails may be claimed at `now`: a batch, one probe, or none."""
        if self.probe_at is None:
            return min(batch_size, DOUBTS_TO_OPEN - self.doubts) if self.doubts else batch_size
        return 1 if now >= self.probe_at else 0

    def probing(self, now: datetime) -> "Breaker":
        """The breaker once a probe was taken: the next one waits its turn."""
        return self if self.probe_at is None else replace(self, probe_at=now + PROBE_EVERY)

    def after(self, outcome: Outcome, why: str, now: datetime) -> "Breaker":
        """The breaker after one more answer of the provider."""
        match outcome:
            case Outcome.ACCOUNT_REFUSED:
                return Breaker(self.doubts, now + PROBE_EVERY, why)
            case Outcome.AMBIGUOUS:
                doubts = self.doubts + 1
                is_open = self.probe_at is not None or doubts >= DOUBTS_TO_OPEN
                return Breaker(doubts, now + PROBE_EVERY, why) if is_open else Breaker(doubts)
            case Outcome.ACCEPTED | Outcome.REFUSED | Outcome.ADDRESS_REFUSED:
                return Breaker()
            case Outcome.NOT_SENT_RETRY | Outcome.NOT_SENT_THROTTLED:
                return self
