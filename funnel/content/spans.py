"""Reads lengths of time, times of day, hours and weekdays as people write them in our files."""

import re
from datetime import time, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from funnel.domain.schedule import Delay, Window

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MAX_DAYS = 366
SHORTEST_WINDOW = 30  # minutes
_AMOUNT = re.compile(r"(\d{1,5}) (week|day|hour|minute)s?")
_SPAN = re.compile(rf"^{_AMOUNT.pattern}(?: {_AMOUNT.pattern})*$")
_CLOCK = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)$")


def read_delay(value: object) -> Delay:
    """A delay as in '2 weeks' or '2 days 3 hours'; raises ValueError with how to write it."""
    text = str(value)
    units = [unit for _, unit in _AMOUNT.findall(text)]
    if not _SPAN.match(text) or len(set(units)) < len(units):
        raise ValueError("write a length of time as in '2 weeks', '20 hours' or '90 minutes'")
    amounts = {unit: int(number) for number, unit in _AMOUNT.findall(text)}
    days = 7 * amounts.get("week", 0) + amounts.get("day", 0)
    minutes = 60 * amounts.get("hour", 0) + amounts.get("minute", 0)
    if days + minutes / (24 * 60) > MAX_DAYS:
        raise ValueError(f"a length of time is at most {MAX_DAYS} days")
    return Delay(days, minutes)


def _timedelta(value: object) -> timedelta:
    if isinstance(value, timedelta):  # made by code, not read from a file
        return value
    delay = read_delay(value)
    return timedelta(days=delay.days, minutes=delay.minutes)


def read_clock(value: object) -> time:
    """A time of day as in "08:10"; raises ValueError with how to write it."""
    read = _CLOCK.match(str(value))
    if read is None:
        raise ValueError('write a time of day as in "08:10", in quotes')
    return time(int(read[1]), int(read[2]))


def read_window(value: object) -> Window:
    """Hours as in 08:00-20:00; raises ValueError with how to write them."""
    opens, dash, closes = str(value).partition("-")
    if not dash:
        raise ValueError("write the hours as in 08:00-20:00")
    window = Window(read_clock(opens.strip()), read_clock(closes.strip()))
    if _minute(window.closes) - _minute(window.opens) < SHORTEST_WINDOW:
        raise ValueError(
            f"leave {SHORTEST_WINDOW} minutes at least between the hours, "
            "or mails may never get their turn"
        )
    return window


def _minute(at: time) -> int:
    return 60 * at.hour + at.minute


def _weekday(value: object) -> int:
    if value not in WEEKDAYS:
        raise ValueError(f"a weekday is one of {', '.join(WEEKDAYS)}")
    return WEEKDAYS.index(str(value))


def _schema(pattern: str, example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": [example]})


_HOUR = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_AS_SPAN = _schema(r"^[0-9]{1,5} (week|day|hour|minute)s?( [0-9]{1,5} (day|hour|minute)s?)*$",
                   "2 days")  # fmt: skip
# Any: these are made by a validator of their own, from text.
DelayText = Annotated[Any, BeforeValidator(read_delay), _AS_SPAN]
SpanText = Annotated[timedelta, BeforeValidator(_timedelta), _AS_SPAN]
ClockText = Annotated[time, BeforeValidator(read_clock), _schema(f"^{_HOUR}$", "08:10")]
WindowText = Annotated[
    Any, BeforeValidator(read_window), _schema(rf"^{_HOUR} *- *{_HOUR}$", "08:00-20:00")
]
WeekdayText = Annotated[
    int,
    BeforeValidator(_weekday),
    WithJsonSchema({"type": "string", "enum": list(WEEKDAYS)}),
]
