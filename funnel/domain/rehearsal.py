"""A rehearsal: an invented person, what she will do, and what was seen of her weeks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum


class Deed(StrEnum):
    """What an invented person can do. `LEAVE_UNCONFIRMED` is to do nothing about the first mail;
    to `PAUSE` and `RESUME` is what the therapist does for her at the desk, to `REST` is to pause
    for two weeks herself."""

    CONFIRM = "confirm"
    LEAVE_UNCONFIRMED = "leave-unconfirmed"
    DOWNLOAD = "download"
    JOIN = "join"
    TICK = "tick"
    WAITLIST = "waitlist"
    BUY = "buy"
    CHOOSE = "choose"
    PAUSE = "pause"
    RESUME = "resume"
    REST = "rest"
    START_AGAIN = "start-again"
    FEWER = "fewer"
    UNSUBSCRIBE = "unsubscribe"


@dataclass(frozen=True)
class Sample:
    """An invented person. `asks_at` is her own wall time; `answers` go by question key."""

    key: str
    name: str | None
    about: str
    email: str
    time_zone: str | None
    asks_at: time
    wants_series: bool
    keeps_answers: bool
    source: str
    answers: Mapping[str, str]


@dataclass(frozen=True)
class Cue:
    """One line of a script: what she does, and when.

    Exactly one of three says when: `on` her own wall time, `after_mail` a mail has come, or
    `after` she did something else; the last two with a `wait`.
    """

    do: Deed
    on: datetime | None = None
    after_mail: str | None = None
    after: Deed | None = None
    wait: timedelta = timedelta(0)
    day: int = 0
    series: bool = True
    challenge: bool = True


class Kind(StrEnum):
    """What an entry of the timeline tells."""

    DEED = "deed"
    MAIL = "mail"
    NEXT = "next"
    NOT_SENT = "not-sent"
    START = "start"
    END = "end"


@dataclass(frozen=True)
class Entry:
    """One thing that happened, or that the engine decided, with its sentence why.

    `until` is the instant the next mail waits for; `mail` the number of the mail that came.
    """

    at: datetime
    kind: Kind
    title: str
    why: str
    until: datetime | None = None
    mail: int | None = None


@dataclass(frozen=True)
class KeptMail:
    """One mail as it arrived: its number in the order of arrival, from 1 on."""

    number: int
    at: datetime
    key: str
    subject: str
    html: str
    text: str
    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Fate:
    """What became of one mail of a sequence: when it came, or one sentence why it did not."""

    sequence: str
    subject: str
    at: datetime | None
    why: str
    mail: int | None = None


@dataclass(frozen=True)
class GuideCopy:
    """One finished PDF of hers."""

    edition: str
    content: bytes


@dataclass(frozen=True)
class Lived:
    """A rehearsal from `begins_on` to `ends_at`, in the order in which everything happened."""

    sample: Sample
    zone: str
    begins_on: date
    days: int
    ends_at: datetime
    words: str
    mails: tuple[KeptMail, ...]
    entries: tuple[Entry, ...]
    fates: tuple[Fate, ...]
    undone: tuple[str, ...]
    guides: tuple[GuideCopy, ...] = ()
    closed: Mapping[date, str] = field(default_factory=dict)
