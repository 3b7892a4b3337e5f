"""What the pages of a rehearsal's report show: months, days, clock changes and links."""

import calendar as months_of
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from html.parser import HTMLParser
from itertools import groupby
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from funnel.domain.rehearsal import Entry, Fate, Kind, Lived
from funnel.links import PATTERNS

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SHOWN = (Kind.MAIL, Kind.DEED)
OPENS = {
    "home": "the first page, where the guide is asked for",
    "privacy": "the page about privacy",
    "safety": "when to get help",
    "challenge-open": "the challenge, for anybody",
    "confirm": "the page with the button that confirms the address",
    "guide": "the page with the buttons that download the guide",
    "challenge": "the reader's own challenge",
    "day": "one day of the challenge",
    "programme": "the programme and its waiting list",
    "preferences": "the page where the reader chooses which emails to get",
    "unsubscribe": "the page with the button that ends these emails",
}


@dataclass(frozen=True)
class Link:
    """One link of a mail: its words, its address and what it opens."""

    words: str
    url: str
    opens: str


@dataclass(frozen=True)
class Day:
    """One day of the calendar, in the person's own time; `note` marks it."""

    on: date
    is_lived: bool
    entries: tuple[Entry, ...]
    note: str | None


@dataclass(frozen=True)
class Month:
    """One month as weeks from Monday on; None where a day belongs to another month."""

    title: str
    weeks: tuple[tuple[Day | None, ...], ...]


def moment(when: datetime, zone: str, form: str) -> str:
    """An instant in the person's own time; `form` as in strftime, with %e for a day like 7."""
    local = when.astimezone(ZoneInfo(zone))
    return local.strftime(form.replace("%e", str(local.day)))


def _lived_days(lived: Lived) -> list[date]:
    return [lived.begins_on + timedelta(days=passed) for passed in range(lived.days)]


def _clock_change(day: date, zone: ZoneInfo) -> str | None:
    """What the clocks do on this day, in words."""
    begins = datetime.combine(day, time(0), zone)
    ends = datetime.combine(day + timedelta(days=1), time(0), zone)
    before, after = begins.utcoffset(), ends.utcoffset()
    if before is None or after is None or before == after:
        return None
    minutes = abs(int((after - before).total_seconds()) // 60)
    span = "an hour" if minutes == 60 else f"{minutes} minutes"
    return f"The clocks go {'forward' if after > before else 'back'} by {span}"


def clock_words(lived: Lived) -> tuple[tuple[date, str], ...]:
    """The days on which the clocks change where this person lives."""
    zone = ZoneInfo(lived.zone)
    found = ((day, _clock_change(day, zone)) for day in _lived_days(lived))
    return tuple((day, words) for day, words in found if words is not None)


def _by_day(lived: Lived) -> dict[date, tuple[Entry, ...]]:
    zone = ZoneInfo(lived.zone)
    grouped = groupby(lived.entries, key=lambda entry: entry.at.astimezone(zone).date())
    return {day: tuple(entries) for day, entries in grouped}


def days_of_timeline(lived: Lived) -> tuple[Day, ...]:
    """Every day on which something happened or was decided."""
    notes = _notes(lived)
    days = sorted(_by_day(lived).items())
    return tuple(Day(day, True, entries, notes.get(day)) for day, entries in days)


def _notes(lived: Lived) -> dict[date, str]:
    notes = dict(lived.closed)
    for day, words in clock_words(lived):
        notes[day] = f"{words}. {notes[day]}" if day in notes else words
    return notes


def calendar(lived: Lived) -> tuple[Month, ...]:
    """Every month that these weeks touch, with what came and what the person did."""
    days, by_day, notes = set(_lived_days(lived)), _by_day(lived), _notes(lived)
    grid = months_of.Calendar()

    def day_of(day: date, month: int) -> Day | None:
        if day.month != month:
            return None
        shown = tuple(each for each in by_day.get(day, ()) if each.kind in SHOWN)
        return Day(day, day in days, shown, notes.get(day) if day in days else None)

    return tuple(
        Month(
            f"{date(year, month, 1):%B %Y}",
            tuple(
                tuple(day_of(day, month) for day in week)
                for week in grid.monthdatescalendar(year, month)
                if any(day in days and day.month == month for day in week)
            ),
        )
        for year, month in sorted({(day.year, day.month) for day in days})
    )


def fates_by_sequence(lived: Lived) -> tuple[tuple[str, tuple[Fate, ...]], ...]:
    """What became of every mail, the sequences in the order in which they began."""
    found: dict[str, list[Fate]] = {}
    for fate in lived.fates:
        found.setdefault(fate.sequence, []).append(fate)
    began = {
        title: min((fate.mail or len(lived.mails) + 1) for fate in fates)
        for title, fates in found.items()
    }
    return tuple(
        (title, tuple(found[title])) for title in sorted(found, key=lambda each: began[each])
    )


def links_in(html: str) -> tuple[Link, ...]:
    """Every link of a mail once, in its order."""
    reader = _LinkReader()
    reader.feed(html)
    found = dict(reversed(reader.found))
    ordered = dict.fromkeys(url for url, _ in reader.found)
    return tuple(Link(found[url] or url, url, opens(url)) for url in ordered)


class _LinkReader(HTMLParser):
    """Collects the address and the words of each link."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._url: str | None = None
        self._words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._url, self._words = dict(attrs).get("href"), []

    def handle_data(self, data: str) -> None:
        self._words.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._url:
            self.found.append((self._url, " ".join("".join(self._words).split())))
            self._url = None


def opens(url: str) -> str:
    """What an address opens, in words."""
    parts = urlsplit(url)
    if parts.scheme == "mailto":
        return "a new mail to the practice"
    found = next((name for name, route in _routes() if route.fullmatch(parts.path)), "")
    return OPENS.get(found, f"another site, {parts.netloc}")


def _routes() -> Iterator[tuple[str, re.Pattern[str]]]:
    for name, pattern in PATTERNS.items():
        spelled = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(pattern))
        yield name, re.compile(spelled)
