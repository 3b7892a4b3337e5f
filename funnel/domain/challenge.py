"""The challenge: which day is open, what is done, when it is complete."""

from dataclasses import dataclass
from datetime import datetime

from funnel.domain.schedule import zone_of


@dataclass(frozen=True)
class DayStatus:
    """One day of the challenge for one person."""

    number: int
    is_open: bool
    is_done: bool
    is_today: bool


def day_statuses(
    *,
    days: int,
    joined_at: datetime,
    done: frozenset[int],
    zone: str | None,
    now: datetime,
) -> tuple[DayStatus, ...]:
    """The state of each day. A day opens each local midnight after joining and stays open, so a
    missed day can be caught up; `is_today` marks the first open day not yet done."""
    local = zone_of(zone)
    passed = (now.astimezone(local).date() - joined_at.astimezone(local).date()).days
    opened = [number for number in range(1, days + 1) if number <= passed + 1]
    current = next((number for number in opened if number not in done), None)
    return tuple(
        DayStatus(number, number in opened, number in done, number == current)
        for number in range(1, days + 1)
    )


def is_complete(days: int, done: frozenset[int]) -> bool:
    """True when every day is done."""
    return frozenset(range(1, days + 1)) <= done
