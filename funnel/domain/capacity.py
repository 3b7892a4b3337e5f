"""What so many people ask of an installation: mails an hour, a backlog, a database that grows."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from funnel.domain.population import Tally
from funnel.domain.ports import MailClass
from funnel.domain.sequence import Fact

HOUR = timedelta(hours=1)
GIGABYTE = 10**9
SERVICE_CLASSES = {
    "service/confirm": MailClass.CONFIRM,
    "service/guide_ready": MailClass.DELIVER,
    "service/waitlist_joined": MailClass.RECEIPT,
}

# Bytes of SQLite for one row with its share of the indexes, measured on a full database; a test
# holds their sum against a real one.
ROW_BYTES = {
    "attempt": 130,
    "challenge_day_done": 60,
    "challenge_entry": 120,
    "confirmation": 450,
    "consent": 96,
    "consent_event": 221,
    "enrolment": 309,
    "funnel_event": 109,
    "guide": 298,
    "guide_print": 363,
    "kept_answers": 4330,
    "message": 588,
    "purchase": 130,
    "step_skip": 150,
    "subscriber": 369,
    "suppression": 160,
    "waitlist_entry": 130,
}
GUIDE_FILE_BYTES = 294_000  # guide and tracker of one person on the shelf, sealed


@dataclass(frozen=True)
class Hours:
    """Mails an hour: the most in one, when that was, and what 95 of 100 hours do not pass.

    `by_hour_of_day` is the average for each of the practice's 24 hours.
    """

    peak: int
    peak_at: datetime
    p95: int
    by_hour_of_day: tuple[float, ...]


@dataclass(frozen=True)
class Backlog:
    """Mails that are due and wait for their turn at a send rate (mails a second).

    `longest_wait_seconds` is how long the last of the largest backlog waits.
    """

    rate_a_second: float
    peak_mails: int
    peak_at: datetime
    longest_wait_seconds: int


@dataclass(frozen=True)
class Growth:
    """The database after these days, and the files beside it; bytes.

    `bytes_a_day` is the average; days until are counted from an empty database at that rate.
    """

    rows: dict[str, int]
    bytes: int
    bytes_a_day: int
    days_until_1_gb: int
    days_until_10_gb: int
    guide_files_bytes: int


@dataclass(frozen=True)
class Capacity:
    """All of it. `funnel` counts people by step, `busiest_day_mails` is the most in one day."""

    people: int
    days: int
    seed: int
    first_day: date
    funnel: dict[str, int]
    mails: int
    mails_by_class: dict[str, int]
    mails_by_key: dict[str, int]
    busiest_day: date
    busiest_day_mails: int
    hours: Hours
    backlog: Backlog
    database: Growth


def class_of(mail: str) -> MailClass:
    """The class of a mail, by its key."""
    return SERVICE_CLASSES.get(mail, MailClass.DRIP)


def hours_of(at: Mapping[datetime, int], begins: datetime, days: int, zone: ZoneInfo) -> Hours:
    """Mails an hour over all hours of these days, the empty ones too. `at` must hold a mail."""
    by_hour: Counter[datetime] = Counter()
    by_clock: Counter[int] = Counter()
    for when, count in at.items():
        by_hour[when.replace(minute=0)] += count
        by_clock[when.astimezone(zone).hour] += count
    peak_at = min(by_hour, key=lambda hour: (-by_hour[hour], hour))
    everything = [by_hour[begins + passed * HOUR] for passed in range(24 * days)]
    return Hours(
        peak=by_hour[peak_at],
        peak_at=peak_at,
        p95=percentile(everything, 0.95),
        by_hour_of_day=tuple(round(by_clock[hour] / days, 2) for hour in range(24)),
    )


def percentile(values: list[int], share: float) -> int:
    """The smallest of the values that this share of them does not pass (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


def backlog_of(at: Mapping[datetime, int], rate_a_second: float) -> Backlog:
    """The largest backlog when mails fall due all at once every ten minutes."""
    waiting, peak, peak_at, before = 0.0, 0.0, min(at), min(at)
    for when in sorted(at):
        waiting = max(waiting - rate_a_second * (when - before).total_seconds(), 0.0) + at[when]
        before = when
        if waiting > peak:
            peak, peak_at = waiting, when
    return Backlog(rate_a_second, round(peak), peak_at, math.ceil(peak / rate_a_second))


def growth_of(rows: Mapping[str, int], days: int, confirmed: int) -> Growth:
    """What these rows take, and how soon the database fills a disk at the same rate."""
    size = sum(ROW_BYTES[table] * count for table, count in rows.items())
    a_day = max(round(size / days), 1)
    return Growth(
        rows=dict(sorted(rows.items())),
        bytes=size,
        bytes_a_day=a_day,
        days_until_1_gb=math.ceil(GIGABYTE / a_day),
        days_until_10_gb=math.ceil(10 * GIGABYTE / a_day),
        guide_files_bytes=confirmed * GUIDE_FILE_BYTES,
    )


def funnel_of(tally: Tally, visited: int) -> dict[str, int]:
    """How many people reached each step of the funnel."""
    return {"visited": visited} | {fact.value: tally.facts[fact] for fact in Fact}


def busiest_day(at: Mapping[datetime, int], zone: ZoneInfo) -> tuple[date, int]:
    """The practice's day with the most mails."""
    by_day: Counter[date] = Counter()
    for when, count in at.items():
        by_day[when.astimezone(zone).date()] += count
    day = min(by_day, key=lambda each: (-by_day[each], each))
    return day, by_day[day]
