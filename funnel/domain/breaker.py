"""The breaker: when a provider is in trouble, one probe a minute instead of every due mail."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from funnel.domain.clock import is_over
from funnel.domain.ports import Outcome, SendResult

DOUBTS_TO_OPEN = 5
ERRORS_TO_OPEN = 10
LOOKS_BACK = 20
PROBE_EVERY = timedelta(seconds=60)
ALERT_AFTER = timedelta(minutes=15)

_GOOD, _BAD = ".", "x"


@dataclass(frozen=True)
class Breaker:
    """What the provider's last answers say of it.

    `doubts` counts unclear answers in a row. `lately` has a sign for each of the last twenty
    answers and is empty while all is well. `probe_at` and `opened_at` are set while it is open.
    """

    doubts: int = 0
    probe_at: datetime | None = None
    why: str = ""
    lately: str = ""
    opened_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """True while only probes may leave."""
        return self.probe_at is not None

    def needs_help(self, now: datetime) -> bool:
        """Open for so long that a person should look."""
        return self.opened_at is not None and now - self.opened_at > ALERT_AFTER

    def room(self, batch_size: int, now: datetime) -> int:
        """How many mails may be claimed at `now`: a batch, a few, one probe, or none.

        After an error the next batches are small, so that no large one is lost in doubt.
        """
        if self.probe_at is not None:
            return 1 if is_over(self.probe_at, PROBE_EVERY, now) else 0
        if self.doubts:
            return min(batch_size, DOUBTS_TO_OPEN - self.doubts)
        return min(batch_size, LOOKS_BACK) if self.lately else batch_size

    def probing(self, now: datetime) -> "Breaker":
        """The breaker once a probe was taken: the next one waits its turn."""
        return replace(self, probe_at=now + PROBE_EVERY) if self.is_open else self

    def unprobed(self, now: datetime) -> "Breaker":
        """The breaker after a probe that asked the provider nothing: the next one is due."""
        return replace(self, probe_at=now) if self.is_open else self

    def after(self, result: SendResult, now: datetime) -> "Breaker":
        """The breaker after one more answer of the provider.

        One that could not even be reached counts as an error; one that answers "later" does not.
        What was refused without a status the provider never saw.
        """
        match result.outcome:
            case Outcome.ACCOUNT_REFUSED:
                return self._opened(result.why, now)
            case Outcome.AMBIGUOUS:
                return self._worse(self.doubts + 1, result.why, now)
            case Outcome.NOT_SENT_RETRY if result.status_code is None:
                return self._worse(self.doubts, result.why, now)
            case Outcome.REFUSED if result.status_code is None:
                return self
            case Outcome.ACCEPTED | Outcome.REFUSED | Outcome.ADDRESS_REFUSED:
                return self._better()
            case Outcome.NOT_SENT_RETRY | Outcome.NOT_SENT_THROTTLED:
                return self

    def _worse(self, doubts: int, why: str, now: datetime) -> "Breaker":
        worse = replace(self, doubts=doubts, lately=(self.lately + _BAD)[-LOOKS_BACK:])
        is_trouble = doubts >= DOUBTS_TO_OPEN or worse.lately.count(_BAD) >= ERRORS_TO_OPEN
        return worse._opened(why, now) if self.is_open or is_trouble else worse

    def _opened(self, why: str, now: datetime) -> "Breaker":
        since = min(self.opened_at or now, now)
        return replace(self, probe_at=now + PROBE_EVERY, why=why, opened_at=since)

    def _better(self) -> "Breaker":
        """A clear answer closes it at once, and then begins anew."""
        if self.is_open or not self.lately:
            return Breaker()
        lately = (self.lately + _GOOD)[-LOOKS_BACK:]
        return Breaker(lately=lately if _BAD in lately else "")
