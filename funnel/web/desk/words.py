"""Numbers, times and steps in plain words."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import TypeVar
from zoneinfo import ZoneInfo

from funnel.domain.sequence import Fact
from funnel.domain.stats import Rate, StepCount
from funnel.domain.touch import DIRECT
from funnel.services.reports.people import Concern, Whereabouts
from funnel.services.reports.weeks import WeekCount

T = TypeVar("T")

_SMALL = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]

STEP_NAMES = {
    Fact.REQUESTED: "Asked for the guide",
    Fact.CONFIRMED: "Confirmed the address",
    Fact.DOWNLOADED: "Opened the guide",
    Fact.JOINED: "Joined the challenge",
    Fact.COMPLETED: "Finished it",
    Fact.WAITLISTED: "Joined the waiting list",
    Fact.PURCHASED: "Bought the programme",
}
COULD_HAVE = {
    Fact.CONFIRMED: "who asked",
    Fact.DOWNLOADED: "who confirmed",
    Fact.JOINED: "who confirmed two weeks ago or more",
    Fact.COMPLETED: "who joined a week ago or more",
    Fact.WAITLISTED: "who joined the challenge two weeks ago or more",
    Fact.PURCHASED: "who joined the waiting list",
}
LOST = {
    Fact.CONFIRMED: "before they confirm",
    Fact.DOWNLOADED: "before they open the guide",
    Fact.JOINED: "before the challenge",
    Fact.COMPLETED: "during the challenge",
}
DID = {
    Fact.CONFIRMED: "confirmed",
    Fact.DOWNLOADED: "opened the guide",
    Fact.JOINED: "joined",
    Fact.COMPLETED: "finished",
}
TO_TRY = {
    Fact.CONFIRMED: "ask for the guide yourself, and see where the confirm mail lands.",
    Fact.DOWNLOADED: "open the mail with the guide on your phone: is the button easy to find?",
    Fact.JOINED: "say in the invitation how few minutes each day takes.",
    Fact.COMPLETED: "write a kind word to those who are stuck. The list is below.",
}
WHERE = {
    Whereabouts.PENDING: "Not confirmed",
    Whereabouts.GUIDE: "Guide",
    Whereabouts.CHALLENGE: "Challenge",
    Whereabouts.FINISHED: "Finished it",
    Whereabouts.WAITING: "Waiting list",
    Whereabouts.BOUGHT: "Bought",
    Whereabouts.LEFT: "Unsubscribed",
    Whereabouts.UNREACHABLE: "Address failed",
}
LOOK = {Concern.HELD: "Held", Concern.FAILED: "A mail failed"}
NOTHING_NEXT = {
    Whereabouts.PENDING: "Nothing, until they confirm their address",
    Whereabouts.GUIDE: "Nothing more is planned",
    Whereabouts.CHALLENGE: "Nothing more is planned; the challenge stays open",
    Whereabouts.FINISHED: "Nothing more is planned",
    Whereabouts.WAITING: "Nothing, until the programme opens",
    Whereabouts.BOUGHT: "Nothing: they bought the programme",
    Whereabouts.LEFT: "Nothing: they unsubscribed",
    Whereabouts.UNREACHABLE: "Nothing: their mail bounced, or they reported it as spam",
}
_SOURCES = {
    DIRECT: "Typed the address",
    "clinic-qr": "QR code in the clinic",
    "duckduckgo": "DuckDuckGo",
    "linkedin": "LinkedIn",
    "tiktok": "TikTok",
    "youtube": "YouTube",
}


def number(many: int) -> str:
    """A count in words up to ten, in figures above."""
    return _SMALL[many] if 0 <= many < len(_SMALL) else f"{many:,}"


def people(many: int) -> str:
    """So many people, with the right word."""
    return f"{many:,} {'person' if many == 1 else 'people'}"


def percent(share: float) -> str:
    """A fraction as whole per cent."""
    return f"{100 * share:.0f}%"


def likely(rate: Rate) -> str:
    """Where the true figure probably lies."""
    return f"likely {100 * rate.low:.0f} to {percent(rate.high)}"


def change(count: WeekCount) -> str:
    """This week against last week, by the same time."""
    if count.change == 0:
        return "the same"
    more = "more" if count.change > 0 else "fewer"
    return f"{number(abs(count.change))} {more}"


def this_week(count: WeekCount) -> str:
    """The sentence that leads the overview."""
    new = f"{number(count.this_week)} new {'person' if count.this_week == 1 else 'people'}"
    if count.change == 0:
        against = "as many as by this time last week"
    else:
        against = f"{change(count)} than by this time last week"
    return f"{new[:1].upper()}{new[1:]} this week, {against}."


def rate_sentence(step: StepCount) -> str:
    """The rate of a step, with the people it is taken of."""
    whom = f"{step.rate.could:,} {COULD_HAVE[step.rule.fact]}"
    return f"{percent(step.rate.share)} of the {whom} {DID[step.rule.fact]}"


def moment(when: datetime, now: datetime, zone: ZoneInfo) -> str:
    """A time by itself: "Today, 07:58" or "Monday 2 November, 19:42"."""
    local = when.astimezone(zone)
    day = _near_day(local.date(), now.astimezone(zone).date()) or _day(local, now)
    return f"{day}, {local:%H:%M}"


def moment_in_sentence(when: datetime, now: datetime, zone: ZoneInfo) -> str:
    """A time inside a sentence: "tomorrow, Saturday, at 07:30"."""
    local = when.astimezone(zone)
    near = _near_day(local.date(), now.astimezone(zone).date())
    if near == "Tomorrow":
        return f"tomorrow, {local:%A}, at {local:%H:%M}"
    if near is not None:
        return f"{near.lower()} at {local:%H:%M}"
    return f"on {_day(local, now)} at {local:%H:%M}"


def _near_day(day: date, today: date) -> str | None:
    return {-1: "Yesterday", 0: "Today", 1: "Tomorrow"}.get((day - today).days)


def _day(local: datetime, now: datetime) -> str:
    year = "" if local.year == now.astimezone(local.tzinfo).year else f" {local.year}"
    return f"{local:%A} {local.day} {local:%B}{year}"


def short_day(when: datetime | date, zone: ZoneInfo) -> str:
    """A day in a table: "2 Nov"."""
    local = when.astimezone(zone) if isinstance(when, datetime) else when
    return f"{local.day} {local:%b}"


def whole_day(day: date) -> str:
    """A day that somebody has to keep: "Wednesday 23 December 2026"."""
    return f"{day:%A} {day.day} {day:%B %Y}"


def spell(passed: timedelta) -> str:
    """How long ago or how long for, in its largest unit."""
    seconds = max(0, int(passed.total_seconds()))
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            many = seconds // size
            return f"{many} {unit}{'' if many == 1 else 's'}"
    return "a moment"


def in_order(rows: Iterable[T], attribute: str) -> list[tuple[object, list[T]]]:
    """Rows that follow each other and share an attribute, gathered; their order is kept."""
    return [(key, list(group)) for key, group in groupby(rows, attrgetter(attribute))]


def source_name(source: str | None) -> str:
    """Where somebody came from, as the desk names it."""
    if source is None:
        return "All the others"
    known = _SOURCES.get(source)
    return known or (source if "." in source else source[:1].upper() + source[1:])
