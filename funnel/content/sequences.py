"""Reads a sequence of mails: who enters, who leaves, and when each mail is due."""

import re
from collections.abc import Callable
from datetime import time, timedelta
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, Field
from pydantic.dataclasses import dataclass as checked

from funnel.content.brand import Line
from funnel.content.findings import Findings
from funnel.content.models import STRICT, check
from funnel.content.yaml_source import Document, read_yaml
from funnel.domain.errors import ContentInvalid
from funnel.domain.people import Purpose
from funnel.domain.schedule import DAYTIME, Delay, Window
from funnel.domain.sequence import Fact, Sequence, Step

T = TypeVar("T")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MAX_DAYS = 366
_AMOUNT = re.compile(r"(\d{1,5}) (day|hour|minute)s?")
_SPAN = re.compile(r"^\d{1,5} (?:day|hour|minute)s?(?: \d{1,5} (?:hour|minute)s?)*$")
_CLOCK = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)$")


def _span(value: object) -> dict[str, int]:
    text = str(value)
    if not _SPAN.match(text):
        raise ValueError("write a length of time as in '2 days', '20 hours' or '90 minutes'")
    amounts = {unit: int(number) for number, unit in _AMOUNT.findall(text)}
    if amounts.get("day", 0) > MAX_DAYS:
        raise ValueError(f"a length of time is at most {MAX_DAYS} days")
    return amounts


def _delay(value: object) -> Delay:
    amounts = _span(value)
    return Delay(amounts.get("day", 0), amounts.get("hour", 0) * 60 + amounts.get("minute", 0))


def _timedelta(value: object) -> timedelta:
    delay = _delay(value)
    return timedelta(days=delay.days, minutes=delay.minutes)


def _clock(value: object) -> time:
    read = _CLOCK.match(str(value))
    if read is None:
        raise ValueError('write a time of day as in "08:10", in quotes')
    return time(int(read[1]), int(read[2]))


def _window(value: object) -> Window:
    opens, dash, closes = str(value).partition("-")
    if not dash:
        raise ValueError("write the hours as in 08:00-20:00")
    return Window(_clock(opens.strip()), _clock(closes.strip()))


def _weekday(value: object) -> int:
    if value not in WEEKDAYS:
        raise ValueError(f"a weekday is one of {', '.join(WEEKDAYS)}")
    return WEEKDAYS.index(str(value))


Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Span = Annotated[timedelta, BeforeValidator(_timedelta)]
Facts = frozenset[Fact]
Weekday = Annotated[int, BeforeValidator(_weekday)]


@checked(frozen=True, config=STRICT, kw_only=True)
class _StepLines:
    """One step as it stands in the file; `after` counts from the step before."""

    key: Key
    after: Annotated[Any, BeforeValidator(_delay)]
    at: Annotated[time, BeforeValidator(_clock)] | None = None
    weekdays: frozenset[Weekday] = frozenset()
    skip_if: Facts = frozenset()
    expires_after: Span | None = None


@checked(frozen=True, config=STRICT, kw_only=True)
class _SequenceLines:
    """A sequence as it stands in the file."""

    key: Key
    title: Line
    purpose: Purpose
    steps: Annotated[tuple[_StepLines, ...], Field(min_length=1, max_length=60)]
    starts_on: Facts = frozenset()
    follows: Key | None = None
    exits_on: Facts = frozenset()
    min_gap: Span = timedelta(hours=20)
    window: Annotated[Any, BeforeValidator(_window)] = DAYTIME


def parse_sequence(source: str, where: str) -> Sequence:
    """The sequence in a source text; raises ContentInvalid with every problem at once."""
    found = Findings(where)
    document = read_yaml(source, found)
    lines = None
    if document is not None:
        lines = check(_SequenceLines, document, found)
        _check_whole(document, found)
        _check_steps(document, found)
    if lines is None or found.items:
        raise ContentInvalid(found.items)
    return _sequence(lines)


def _check_whole(document: Document, found: Findings) -> None:
    starts, ends = document.at("starts_on"), document.at("exits_on")
    follows = document.at("follows")
    if not starts and not follows:
        found.add(1, "nobody would ever get these mails: say starts_on or follows")
    if follows is not None and follows == document.at("key"):
        found.add(document.line(("follows",)), "a sequence cannot follow itself: name another")
    if isinstance(starts, list) and isinstance(ends, list) and any(fact in ends for fact in starts):
        found.add(
            document.line(("exits_on",)), "what starts a sequence cannot also end it: choose one"
        )


def _check_steps(document: Document, found: Findings) -> None:
    """Check the steps beside each other, whether or not each of them fits."""
    steps = document.at("steps")
    window = _read_or_none(_window, document.at("window")) or DAYTIME
    seen: set[object] = set()
    for number, step in enumerate(steps if isinstance(steps, list) else []):
        if not isinstance(step, dict):
            continue
        key = str(step.get("key"))
        if key in seen:
            line = document.line(("steps", number, "key"))
            found.add(line, f"the step key '{key}' is here twice: give each its own")
        seen.add(key)
        at = _read_or_none(_clock, step.get("at"))
        if at is not None and not window.holds(at):
            line = document.line(("steps", number, "at"))
            found.add(line, f"{at:%H:%M} is outside the window: move it inside")


def _read_or_none(read: Callable[[object], T], value: object) -> T | None:
    try:
        return read(value)
    except ValueError:
        return None


def _sequence(lines: _SequenceLines) -> Sequence:
    return Sequence(
        key=lines.key,
        title=lines.title,
        purpose=lines.purpose,
        steps=tuple(_step(step) for step in lines.steps),
        starts_on=lines.starts_on,
        follows=lines.follows,
        exits_on=lines.exits_on,
        min_gap=lines.min_gap,
        window=lines.window,
    )


def _step(step: _StepLines) -> Step:
    return Step(
        key=step.key,
        delay=step.after,
        at=step.at,
        weekdays=step.weekdays,
        skip_if=step.skip_if,
        expires_after=step.expires_after,
    )
