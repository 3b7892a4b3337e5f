"""When: local wall times, daylight saving, send windows and quiet hours. All results are UTC."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import count
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DEFAULT_ZONE = "Europe/London"


@dataclass(frozen=True)
class Window:
    """The hours of a local day in which mail may leave: from `opens` up to, not at, `closes`."""

    opens: time
    closes: time

    def __post_init__(self) -> None:
        if not self.opens < self.closes:
            raise ValueError("a window opens before it closes, on one day")

    def holds(self, at: time) -> bool:
        return self.opens <= at < self.closes


DAYTIME = Window(time(8, 0), time(20, 0))


@dataclass(frozen=True)
class Delay:
    """How long after the anchor: whole local days, or minutes on the clock, or both."""

    days: int = 0
    minutes: int = 0

    def __post_init__(self) -> None:
        if self.days < 0 or self.minutes < 0:
            raise ValueError("a delay does not run backwards")


def zone_of(name: str | None) -> ZoneInfo:
    """The zone of that IANA name; the practice's own where it is unknown."""
    try:
        return ZoneInfo(name or DEFAULT_ZONE)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(DEFAULT_ZONE)


@lru_cache(maxsize=8192)  # many people share a zone, a day and an hour
def local_instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The instant of a wall time on a local day, in UTC.

    A time that the clocks skip becomes the first valid minute after the gap; a time that comes
    twice is the first of the two.
    """
    wall = datetime.combine(day, at)
    instant = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall:
        return instant
    return _end_of_gap(wall, zone)


def _end_of_gap(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant the clocks jump over this wall time: the offsets on both sides give it."""
    before = wall.replace(tzinfo=zone, fold=0).utcoffset() or timedelta(0)
    after = wall.replace(tzinfo=zone, fold=1).utcoffset() or timedelta(0)
    low = (wall - max(before, after)).replace(tzinfo=UTC)
    high = (wall - min(before, after)).replace(tzinfo=UTC)
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == high.astimezone(zone).utcoffset():
            high = middle
        else:
            low = middle
    return high.replace(second=0, microsecond=0)


def quiet_until(now: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The midnight that ends so many quiet days, today's rest being the first."""
    return local_instant(now.astimezone(zone).date() + timedelta(days=days), time(0), zone)


def due_after(
    anchor: datetime,
    delay: Delay,
    zone: ZoneInfo,
    *,
    at: time | None = None,
    weekdays: frozenset[int] = frozenset(),
) -> datetime:
    """The instant a delay after `anchor` falls due, never before the anchor and its minutes.

    With `at`, days are counted on the local calendar and the mail waits for that wall time;
    `weekdays` (Monday is 0) moves it to the next day allowed.
    """
    moved = anchor + timedelta(minutes=delay.minutes)
    local = moved.astimezone(zone)
    day = local.date() + timedelta(days=delay.days)
    wall = local.time() if at is None else at
    if at is not None and local_instant(day, at, zone) < moved:
        day += timedelta(days=1)
    while weekdays and day.weekday() not in weekdays:
        day += timedelta(days=1)
    # In the hour that comes twice a wall time names its first instant, which may be over.
    return max(local_instant(day, wall, zone), moved)


def next_opening(when: datetime, zone: ZoneInfo, window: Window) -> datetime:
    """`when` itself inside the window, else the window's next opening."""
    local = when.astimezone(zone)
    if window.holds(local.time()):
        return when
    days = (local.date() + timedelta(days=passed) for passed in count())
    openings = (instant for day in days for instant in _instants(day, window.opens, zone))
    return next(
        instant
        for instant in openings
        if instant > when and window.holds(instant.astimezone(zone).time())
    )


def _instants(day: date, at: time, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Both instants of a wall time in the hour that comes twice; on other days the same one."""
    second = datetime.combine(day, at).replace(tzinfo=zone, fold=1).astimezone(UTC)
    return local_instant(day, at, zone), second
