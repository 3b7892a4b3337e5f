"""How far back a timer reaches: months and years of the calendar. Times are UTC."""

from calendar import monthrange
from datetime import datetime


def months_before(now: datetime, months: int) -> datetime:
    """The same day and hour so many months earlier; the last day of a month that is too short."""
    count = now.year * 12 + now.month - 1 - months
    year, month = divmod(count, 12)
    day = min(now.day, monthrange(year, month + 1)[1])
    return now.replace(year=year, month=month + 1, day=day)


def years_before(now: datetime, years: int) -> datetime:
    """The same day and hour so many years earlier; 28 February for a leap day."""
    return months_before(now, 12 * years)
