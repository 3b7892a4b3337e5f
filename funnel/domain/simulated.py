"""Invented people for the demo: who they are, when they come, and what each does next.

Everything about a person follows from the seed and their number, and what they do next follows
from what has happened to them so far. So a demo that was killed goes on where it was.
"""

import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from funnel.domain.schedule import DEFAULT_ZONE, local_instant, zone_of
from funnel.domain.sequence import Fact
from funnel.domain.simulated_names import NAMES

# Demo numbers, not anybody's results. They stand for a warm audience of a local practice; where a
# line says "assumed" nothing better is known.
CONFIRM = 0.75  # of those who ask; 60 to 80 % is usual
SERIES = 0.72  # of those who ask tick the follow-up series; assumed
CHECK = 0.40  # of visits start the self-check; 25 to 60 %, assumed
CHECK_DONE = 0.85  # of those who start it; 80 to 90 % for a short one
HEALTH = 0.70  # of those who finished it and ask let their answers be kept; assumed
DOWNLOAD = 0.88  # of those with a guide
JOIN = 0.27  # of the confirmed; 15 to 35 %, assumed
DAYS_DONE = (0.66, 0.56, 0.46, 0.40, 0.36)  # of those who joined, day by day
WAIT_FINISHED = 0.45  # of those who finished; assumed
WAIT_UNFINISHED = 0.06  # of the others who joined; assumed
PAY = 0.12  # of those on the waiting list; 5 to 25 %
LEAVE = 0.004  # a series mail
WEEKEND = 0.85  # visits on a Saturday or Sunday, against other days
DELAY_MEDIAN = timedelta(hours=3.6)  # from a mail to the click in it: log-normal
DELAY_SIGMA = 2.5

ADDRESS_HOST = "example.org"  # reserved: no such mailbox exists
CONFIRM_MAIL = "service/confirm"
GUIDE_MAIL = "service/guide_ready"
NURTURE = (
    "one-technique", "why-hips", "desk-reset", "wake-up",
    "two-paths", "five-days", "good-questions", "what-next",
)  # fmt: skip
PROGRAMME = ("keep-going", "deeper", "your-choice")

# Where the click that joins is made, with its share; without the series only the first two exist.
JOIN_PLACES = {
    Fact.CONFIRMED.value: 0.35,
    Fact.DOWNLOADED.value: 0.15,
    "nurture/five-days": 0.25,
    "nurture/good-questions": 0.15,
    "nurture/what-next": 0.10,
}
WAIT_PLACES = {
    Fact.COMPLETED.value: 0.5,
    "programme/keep-going": 0.2,
    "programme/deeper": 0.15,
    "programme/your-choice": 0.15,
}


@dataclass(frozen=True)
class Source:
    """Where visitors come from: their share, and how many of them ask for the guide."""

    share: float
    asks: float
    args: tuple[tuple[str, str], ...] = ()
    referrer: str | None = None


SOURCES = (
    Source(0.30, 0.45, (("utm_source", "clinic-qr"), ("utm_medium", "print"))),
    Source(0.15, 0.32, (("utm_source", "newsletter"), ("utm_medium", "email"))),
    Source(0.20, 0.28, (("utm_source", "referral"), ("utm_medium", "partner"))),
    Source(0.20, 0.18, (), "https://www.google.co.uk/search"),
    Source(0.15, 0.06, (), "https://www.instagram.com/"),
)

ZONES: tuple[str | None, ...] = (DEFAULT_ZONE,) * 18 + ("Europe/Paris", None)


class ActKind(StrEnum):
    """What a simulated person can do."""

    REQUEST = "request"
    CONFIRM = "confirm"
    DOWNLOAD = "download"
    JOIN = "join"
    TICK = "tick"
    WAIT = "wait"
    PAY = "pay"
    LEAVE = "leave"


@dataclass(frozen=True)
class Intent:
    """What a person would do `after` a delay from the last of `triggers`, until it is `done`."""

    kind: ActKind
    done: str
    triggers: tuple[str, ...]
    after: timedelta
    day: int = 0


@dataclass(frozen=True)
class Persona:
    """One invented visitor. `intents` is empty for someone who only looks."""

    number: int
    arrives_at: datetime
    source: Source
    first_name: str | None
    address: str
    time_zone: str | None
    wants_series: bool
    starts_check: bool
    ends_check: bool
    wants_health: bool
    intents: tuple[Intent, ...]


@dataclass(frozen=True)
class Act:
    """What a person does next, and when."""

    kind: ActKind
    at: datetime
    day: int = 0


Seen = Mapping[str, datetime]
"""What has happened to a person: facts, accepted mails by key, done days as `day-1`; and when."""


def next_act(persona: Persona, seen: Seen) -> Act | None:
    """The earliest thing this person does next; None when nothing more, or not yet.

    Nothing is done before the person came, nor on a mail that was not accepted, nor by someone
    who has unsubscribed.
    """
    if Fact.UNSUBSCRIBED in seen:
        return None
    acts = [
        Act(intent.kind, _when(persona, intent, seen), intent.day)
        for intent in persona.intents
        if intent.done not in seen and all(trigger in seen for trigger in intent.triggers)
    ]
    return min(acts, key=lambda act: act.at, default=None)


def _when(persona: Persona, intent: Intent, seen: Seen) -> datetime:
    return max([persona.arrives_at, *(seen[trigger] for trigger in intent.triggers)]) + intent.after


@dataclass(frozen=True)
class Plan:
    """A demo: so many visitors in so many days from `first_day` on, and on at the same rate."""

    seed: int
    visitors: int
    days: int
    first_day: date

    def starts_at(self) -> datetime:
        """The first midnight."""
        return local_instant(self.first_day, time(0), zone_of(DEFAULT_ZONE))

    def ends_at(self) -> datetime:
        """The midnight after the last day."""
        last = self.first_day + timedelta(days=self.days)
        return local_instant(last, time(0), zone_of(DEFAULT_ZONE))

    def people(self, after: int = 0) -> Iterator[Persona]:
        """Everyone from number `after` + 1 on, in the order they arrive, without end."""
        for number, arrives_at in self.arrivals(after):
            yield persona(self.seed, number, arrives_at)

    def arrivals(self, after: int = 0) -> Iterator[tuple[int, datetime]]:
        """The number and the instant of everyone from number `after` + 1 on, without end."""
        whole = math.fsum(_weight(self.first_day, day) for day in range(self.days))
        passed, day = 0.0, 0
        while True:
            first = round(self.visitors * passed / whole)
            passed = math.fsum([passed, _weight(self.first_day, day)])
            count = round(self.visitors * passed / whole) - first
            if first + count > after:
                arrivals = _arrivals(self.seed, self.first_day + timedelta(days=day), count)
                for place in range(max(after - first, 0), count):
                    yield first + place + 1, arrivals[place]
            day += 1


def _weight(first_day: date, day: int) -> float:
    return WEEKEND if (first_day + timedelta(days=day)).weekday() >= 5 else 1.0


def _arrivals(seed: int, day: date, count: int) -> list[datetime]:
    """Instants of one day between seven and eleven, most of them in the evening."""
    draw = _draws(seed, day.isoformat())
    begins = local_instant(day, time(7), zone_of(DEFAULT_ZONE))
    return sorted(begins + timedelta(hours=16 * draw.betavariate(2.2, 1.6)) for _ in range(count))


def persona(seed: int, number: int, arrives_at: datetime) -> Persona:
    """The person of this number: the same each time for the same seed."""
    draw = _draws(seed, str(number))
    source, (first_name, slug), zone = _who(draw)
    asks, series, health = (draw.random() < rate for rate in (source.asks, SERIES, HEALTH))
    luck = _draws(seed, f"{number} check").random()
    starts, ends = luck < CHECK, luck < CHECK * CHECK_DONE
    return Persona(
        number=number,
        arrives_at=arrives_at,
        source=source,
        first_name=first_name,
        address=f"{slug}-{number:04}@{ADDRESS_HOST}",
        time_zone=zone,
        wants_series=series,
        starts_check=starts,
        ends_check=ends,
        wants_health=ends and health,
        intents=_intents(draw, series) if asks else (),
    )


def asks_for_guide(seed: int, number: int) -> bool:
    """Whether the person of this number will ask for the guide, told more cheaply than by all
    that they will do."""
    draw = _draws(seed, str(number))
    source, _, _ = _who(draw)
    return draw.random() < source.asks


def _who(draw: random.Random) -> tuple[Source, tuple[str | None, str], str | None]:
    source = draw.choices(SOURCES, [source.share for source in SOURCES])[0]
    return source, draw.choice(NAMES), draw.choice(ZONES)


def _draws(seed: int, of: str) -> random.Random:
    return random.Random(f"{seed}:{of}")  # noqa: S311 - invents people, keeps no secret


def _intents(draw: random.Random, series: bool) -> tuple[Intent, ...]:
    asks = Intent(ActKind.REQUEST, Fact.REQUESTED, (), timedelta(seconds=60 + draw.randrange(180)))
    found = [asks]
    if draw.random() < CONFIRM:
        delay = _delay(draw, timedelta(days=6))
        found.append(Intent(ActKind.CONFIRM, Fact.CONFIRMED, (CONFIRM_MAIL,), delay))
    if draw.random() < DOWNLOAD:
        delay = _delay(draw, timedelta(days=20))
        found.append(Intent(ActKind.DOWNLOAD, Fact.DOWNLOADED, (GUIDE_MAIL,), delay))
    return (*found, *_challenge(draw, series), *_leaving(draw))


def _challenge(draw: random.Random, series: bool) -> list[Intent]:
    if draw.random() >= JOIN:
        return []
    place = _place(draw, JOIN_PLACES, mails=series)
    found = [Intent(ActKind.JOIN, Fact.JOINED, (place,), _delay(draw, timedelta(days=5)))]
    done = _days_done(draw)
    found += [_tick(draw, day) for day in range(1, done + 1)]
    return found + _waiting(draw, series, is_finisher=done == len(DAYS_DONE))


def _days_done(draw: random.Random) -> int:
    """How many days this person will do: one draw against the share of each day."""
    luck = draw.random()
    return sum(luck < share for share in DAYS_DONE)


def _tick(draw: random.Random, day: int) -> Intent:
    before = (f"day-{day - 1}",) if day > 1 else ()
    triggers = (f"challenge/day-{day}", *before)
    return Intent(ActKind.TICK, f"day-{day}", triggers, _delay(draw, timedelta(days=2)), day)


def _waiting(draw: random.Random, series: bool, *, is_finisher: bool) -> list[Intent]:
    if draw.random() >= (WAIT_FINISHED if is_finisher else WAIT_UNFINISHED):
        return []
    place = _place(draw, WAIT_PLACES, mails=series) if is_finisher else "programme/your-choice"
    waits = Intent(ActKind.WAIT, Fact.WAITLISTED, (place,), _delay(draw, timedelta(days=5)))
    if draw.random() >= PAY:
        return [waits]
    pays_after = timedelta(days=draw.uniform(2, 12))
    return [waits, Intent(ActKind.PAY, Fact.PURCHASED, (Fact.WAITLISTED,), pays_after)]


def _leaving(draw: random.Random) -> list[Intent]:
    """The series mails, if any, on which this person would unsubscribe."""
    mails = [f"nurture/{key}" for key in NURTURE]
    mails += [f"challenge/day-{day}" for day in range(1, len(DAYS_DONE) + 1)]
    mails += [f"programme/{key}" for key in PROGRAMME]
    return [
        Intent(ActKind.LEAVE, Fact.UNSUBSCRIBED, (mail,), _delay(draw, timedelta(days=2)))
        for mail in mails
        if draw.random() < LEAVE
    ]


def _place(draw: random.Random, places: Mapping[str, float], *, mails: bool) -> str:
    open_to = {place: share for place, share in places.items() if mails or "/" not in place}
    return draw.choices(list(open_to), list(open_to.values()))[0]


def _delay(draw: random.Random, longest: timedelta) -> timedelta:
    """A log-normal delay, drawn anew while it is under two minutes or over `longest`."""
    while True:
        hours = draw.lognormvariate(math.log(DELAY_MEDIAN / timedelta(hours=1)), DELAY_SIGMA)
        delay = timedelta(hours=min(hours, 10_000))
        if timedelta(minutes=2) <= delay <= longest:
            return delay
