"""How fast mail may flow: the provider's rate, the day's figure, the warm-up, the catch-up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from funnel.domain.bucket import Bucket
from funnel.domain.ports import MailClass

# What is kept for mails that people asked for and wait for; series mail leaves it alone.
RESERVE = 0.2
# A new sending domain earns its name: so much on its first day, so much on its second ...
WARM_UP_DAYS = (50, 100, 200, 500, 1000, 2000, 5000, 10_000)
WARM_UP_A_DOMAIN = 20
MINUTE = timedelta(minutes=1)
CATCH_UP_FACTOR = 2
# A practice of any size may catch up so fast, however little it sent before.
LEAST_NORMAL_HOUR = 60


@dataclass(frozen=True)
class Limits:
    """What this installation may send: mails a second, mails a day, the first day of warm-up.

    None is no limit. `catches_up` slows series mail down after an outage.
    """

    per_second: int | None = None
    per_day: int | None = None
    warm_up_from: date | None = None
    catches_up: bool = False

    @property
    def is_unlimited(self) -> bool:
        """True when nothing is counted at all."""
        return self == UNLIMITED

    def warm_up_figure(self, today: date) -> int | None:
        """How many mails this day of the warm-up takes; None when there is none, or it is over."""
        if self.warm_up_from is None:
            return None
        day = max((today - self.warm_up_from).days, 0)
        return WARM_UP_DAYS[day] if day < len(WARM_UP_DAYS) else None


UNLIMITED = Limits()


@dataclass(frozen=True)
class Room:
    """How many mails may be claimed; at most `series` of them may be series mail.

    `again_in`: where a limit makes it less than was asked for, the seconds until there is more;
    a worker with more to do may wait so long instead of a whole rest. None: not because of a rate.
    """

    total: int
    series: int
    again_in: float | None = None


@dataclass(frozen=True)
class CatchUp:
    """After an outage: series mail drains at `per_hour` until the backlog is gone."""

    per_hour: int
    since: datetime
    at_least_until: datetime
    bucket: Bucket

    @classmethod
    def begin(cls, per_hour: int, now: datetime, lasts: timedelta = timedelta(0)) -> "CatchUp":
        return cls(per_hour, now, now + lasts, Bucket.an_hour(per_hour, now))


@dataclass(frozen=True)
class Flow:
    """What went lately: the bucket, today's counts, and each domain's last minute."""

    day: date
    sent: int = 0
    sent_series: int = 0
    bucket: Bucket | None = None
    catch_up: CatchUp | None = None
    minute: Mapping[str, tuple[tuple[datetime, int], ...]] = field(default_factory=dict)

    def at(self, limits: Limits, now: datetime) -> "Flow":
        """The flow under these limits at `now`: a new day begins at midnight UTC."""
        flow = self if now.date() == self.day else replace(self, day=now.date(), sent=0)
        flow = flow if flow is self else replace(flow, sent_series=0)
        return replace(
            flow,
            bucket=_fitting(flow.bucket, limits.per_second, now),
            minute=_last_minute(flow.minute, now) if limits.warm_up_from else {},
        )

    def room(self, limits: Limits, wanted: int, now: datetime) -> Room:
        """How much of `wanted` may go now."""
        total = min([wanted, *self._caps(limits)])
        series = min([total, *self._series_caps(limits, now)])
        again = self._again_in(now) if series < wanted else None
        return Room(max(total, 0), max(series, 0), again)

    def _caps(self, limits: Limits) -> list[int]:
        caps = [] if self.bucket is None else [int(self.bucket.tokens)]
        return caps if limits.per_day is None else [*caps, limits.per_day - self.sent]

    def _series_caps(self, limits: Limits, now: datetime) -> list[int]:
        caps = self._day_caps(limits)
        if self.bucket is not None:
            caps.append(int(self.bucket.tokens - self.bucket.capacity * RESERVE))
        if self.catch_up is not None:
            caps.append(int(self.catch_up.bucket.at(now).tokens))
        return caps

    def _day_caps(self, limits: Limits) -> list[int]:
        caps = []
        if limits.per_day is not None:
            caps.append(int(limits.per_day * (1 - RESERVE)) - self.sent_series)
        if (figure := limits.warm_up_figure(self.day)) is not None:
            caps.append(figure - self.sent)
        return caps

    def is_day_full(self, limits: Limits) -> bool:
        """True when no series mail may go any more today."""
        return min(self._day_caps(limits), default=1) <= 0

    def _again_in(self, now: datetime) -> float | None:
        """Until one series mail may go, by the rates; a day's figure is not waited for."""
        waits = []
        if self.bucket is not None:
            waits.append(self.bucket.ready_in(now, 1 + self.bucket.capacity * RESERVE))
        if self.catch_up is not None:
            waits.append(self.catch_up.bucket.ready_in(now))
        return max(waits, default=None)

    def admit(
        self, limits: Limits, rows: Sequence[tuple[MailClass, str]], now: datetime
    ) -> tuple["Flow", list[timedelta]]:
        """Take a token for each row (class and recipient's domain) that may go.

        Returns how long each has to wait, in order: zero for those that go. Only the warm-up
        makes a row wait here.
        """
        has_cap = limits.warm_up_figure(self.day) is not None
        minute, waits = dict(self.minute), []
        for _, domain in rows:
            went = minute.get(domain, ())
            is_full = has_cap and sum(count for _, count in went) >= WARM_UP_A_DOMAIN
            waits.append(went[0][0] + MINUTE - now if is_full else timedelta(0))
            if has_cap and not is_full:
                minute[domain] = _add_one(went, now)
        going = [row[0] for row, wait in zip(rows, waits, strict=True) if not wait]
        return replace(self._take(going, now), minute=minute), waits

    def _take(self, classes: Sequence[MailClass], now: datetime) -> "Flow":
        series = sum(each is MailClass.DRIP for each in classes)
        catch_up = self.catch_up
        if catch_up is not None:
            catch_up = replace(catch_up, bucket=catch_up.bucket.take(series, now))
        return replace(
            self,
            sent=self.sent + len(classes),
            sent_series=self.sent_series + series,
            bucket=self.bucket.take(len(classes), now) if self.bucket else None,
            catch_up=catch_up,
        )

    def give_back(self, classes: Sequence[MailClass]) -> "Flow":
        """The flow when these did not go after all.

        Only the day's counts shrink: the bucket is full again within seconds by itself, and
        giving it back there could let more than its rate through.
        """
        series = sum(each is MailClass.DRIP for each in classes)
        return replace(
            self,
            sent=max(self.sent - len(classes), 0),
            sent_series=max(self.sent_series - series, 0),
        )


def _fitting(bucket: Bucket | None, rate: int | None, now: datetime) -> Bucket | None:
    """The bucket at `now`; a new one when the rate was changed."""
    if rate is None:
        return None
    if bucket is None or bucket.per_second != rate:
        return Bucket.a_second(rate, now)
    return bucket.at(now)


def _last_minute(
    minute: Mapping[str, tuple[tuple[datetime, int], ...]], now: datetime
) -> dict[str, tuple[tuple[datetime, int], ...]]:
    kept = {
        domain: tuple(each for each in went if now - MINUTE < each[0] <= now)
        for domain, went in minute.items()
    }
    return {domain: went for domain, went in kept.items() if went}


def _add_one(
    went: tuple[tuple[datetime, int], ...], now: datetime
) -> tuple[tuple[datetime, int], ...]:
    if went and went[-1][0] == now:
        return (*went[:-1], (now, went[-1][1] + 1))
    return (*went, (now, 1))


def normal_hour(sent: int, hours: int) -> int:
    """How many series mails a usual hour sees: of the hours that saw any, and never too few."""
    return max(round(sent / hours) if hours else 0, LEAST_NORMAL_HOUR)
