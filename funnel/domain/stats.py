"""Rates of small groups, how sure one may be of them, and the weeks they are counted in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from math import sqrt
from zoneinfo import ZoneInfo

from funnel.domain.schedule import local_instant
from funnel.domain.sequence import Fact

ENOUGH = 30
_Z95 = 1.959964


@dataclass(frozen=True)
class Rate:
    """How many did a thing, of those who could have."""

    did: int
    could: int

    def __post_init__(self) -> None:
        if not 0 <= self.did <= self.could:
            raise ValueError("not more can do a thing than could have")

    @property
    def share(self) -> float:
        """The fraction that did it; 0 when nobody could."""
        return self.did / self.could if self.could else 0.0

    @property
    def is_early(self) -> bool:
        """True while there are too few people to speak of a rate."""
        return self.could < ENOUGH

    @property
    def low(self) -> float:
        """The lower end of where the true fraction probably lies."""
        return wilson(self.did, self.could)[0]

    @property
    def high(self) -> float:
        """The upper end of where the true fraction probably lies."""
        return wilson(self.did, self.could)[1]


def wilson(did: int, could: int) -> tuple[float, float]:
    """The 95% Wilson score interval of `did` out of `could`, as two fractions."""
    if could == 0:
        return 0.0, 1.0
    share = did / could
    squared = _Z95 * _Z95
    scale = 1 + squared / could
    middle = (share + squared / (2 * could)) / scale
    spread = share * (1 - share) / could + squared / (4 * could * could)
    half = _Z95 * sqrt(spread) / scale
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True)
class StepRule:
    """A step of the funnel, the step it is measured against, and how long people have for it.

    Whoever reached `base` less than `patience` ago is left out of the rate: it is too soon to say.
    """

    fact: Fact
    base: Fact
    patience: timedelta = timedelta(0)


STEP_RULES = (
    StepRule(Fact.CONFIRMED, Fact.REQUESTED),
    StepRule(Fact.DOWNLOADED, Fact.CONFIRMED),
    StepRule(Fact.JOINED, Fact.CONFIRMED, timedelta(days=14)),
    StepRule(Fact.COMPLETED, Fact.JOINED, timedelta(days=7)),
    StepRule(Fact.WAITLISTED, Fact.JOINED, timedelta(days=14)),
    StepRule(Fact.PURCHASED, Fact.WAITLISTED),
)
# A sale, or a place on a list, is each person's own affair: no mail failed where none is made.
JUDGED = frozenset({Fact.CONFIRMED, Fact.DOWNLOADED, Fact.JOINED, Fact.COMPLETED})


@dataclass(frozen=True)
class StepCount:
    """One step counted: everyone who took it (`total`), and the rate among those who had time."""

    rule: StepRule
    total: int
    rate: Rate


def weakest(steps: Sequence[StepCount]) -> StepCount | None:
    """The judged step that the smallest part goes on to; None while every rate is early."""
    known = [step for step in steps if step.rule.fact in JUDGED and not step.rate.is_early]
    return min(known, key=lambda step: step.rate.share, default=None)


def week_start(now: datetime, zone: ZoneInfo) -> datetime:
    """The instant the local week of `now` began: Monday, midnight."""
    local = now.astimezone(zone)
    monday = local.date() - timedelta(days=local.weekday())
    return local_instant(monday, time(0), zone)


def week_starts(now: datetime, zone: ZoneInfo, weeks: int) -> tuple[datetime, ...]:
    """The starts of the last `weeks` local weeks, oldest first; the last is this week's."""
    this_monday = week_start(now, zone).astimezone(zone).date()
    mondays = [this_monday - timedelta(weeks=back) for back in range(weeks - 1, -1, -1)]
    return tuple(local_instant(monday, time(0), zone) for monday in mondays)


def same_time_last_week(now: datetime, zone: ZoneInfo) -> datetime:
    """The instant of the same wall time seven local days ago."""
    local = now.astimezone(zone)
    return local_instant(local.date() - timedelta(days=7), local.time(), zone).astimezone(UTC)
