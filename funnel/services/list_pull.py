"""The nightly look at the provider's own lists: a second way to hear of bounces and complaints.

What is listed there is put beside the events of the webhook, each once, and handled as they are.
An address of nobody here is only suppressed, and nothing but its keyed hash is kept.
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from funnel.db.bulk import among
from funnel.db.people import Subscriber
from funnel.domain.clock import Clock
from funnel.domain.errors import CannotTellNow, InvalidInput, ProviderRefused
from funnel.domain.mail_account import Listed, ListName
from funnel.domain.people import SuppressionReason, parse_address
from funnel.domain.ports import SuppressionLists
from funnel.links import Links
from funnel.services import control, suppression
from funnel.services.mail_events import LISTED, take_events

log = logging.getLogger(__name__)

NIGHT_BEGINS = timedelta(hours=2)  # after midnight UTC
OVERLAP = timedelta(days=2)  # what was listed late, or by a clock that was off
LONGEST_SECONDS = 600.0
REFUSED = "The key may not read them."
AWAY = "It could not be asked; the next try is within the hour."
_EVENT = {
    ListName.BOUNCES: {"event": "bounce", "type": "bounce"},
    ListName.INVALID_EMAILS: {"event": "dropped", "reason": "invalid"},
    ListName.SPAM_REPORTS: {"event": "spamreport"},
    ListName.UNSUBSCRIBES: {"event": "unsubscribe"},
}
_REASON = {
    ListName.BOUNCES: SuppressionReason.BOUNCED,
    ListName.INVALID_EMAILS: SuppressionReason.BOUNCED,
    ListName.SPAM_REPORTS: SuppressionReason.COMPLAINED,
    ListName.UNSUBSCRIBES: SuppressionReason.UNSUBSCRIBED,
}


@dataclass(frozen=True)
class Progress:
    """How far a look has come, kept so that another worker can go on. Machine time.

    It is about what was listed from `since` to `until`; `left` are the lists still to be read,
    the first of them from `offset` on. `done_until` is what the last whole look reached.
    """

    done_until: datetime | None = None
    until: datetime | None = None
    since: datetime | None = None
    left: tuple[ListName, ...] = ()
    offset: int = 0
    seen: int = 0
    refused: tuple[ListName, ...] = ()
    why: str | None = None

    @property
    def is_under_way(self) -> bool:
        """True between the first page and the last."""
        return bool(self.left)

    def begun(self, now: datetime) -> "Progress":
        """The next look, from a little before where the last one ended."""
        since = self.done_until - OVERLAP if self.done_until else None
        return Progress(self.done_until, now, since, tuple(ListName))

    def read(self, entries: int, next_offset: int | None) -> "Progress":
        """One page further; with the last page of the last list the look is over."""
        here = replace(self, seen=self.seen + entries, why=None)
        if next_offset is not None:
            return replace(here, offset=next_offset)
        return here._without_first()

    def passed_over(self) -> "Progress":
        """On to the next list: this one may not be read."""
        return replace(self, refused=(*self.refused, self.left[0]))._without_first()

    def _without_first(self) -> "Progress":
        left = self.left[1:]
        return replace(
            self, left=left, offset=0, done_until=self.done_until if left else self.until
        )


@dataclass(frozen=True)
class ListPull:
    """Reads the lists once a night. Safe to repeat, to stop anywhere and to go on elsewhere."""

    sessions: sessionmaker[Session]
    clock: Clock
    links: Links
    lists: SuppressionLists

    def is_due(self, session: Session) -> bool:
        """True from the night's hour on until a look begun after it is over."""
        done = progress(session).done_until
        now = self.clock.machine()
        night = now.replace(hour=0, minute=0, second=0, microsecond=0) + NIGHT_BEGINS
        return done is None or done < (night if now >= night else night - timedelta(days=1))

    def pull(self) -> Progress:
        """Read on from where the last try ended, until all is read or the provider is away.

        Asks with no transaction open; each page and how far it came are kept in one.
        """
        ends_at = self.clock.boot_seconds() + LONGEST_SECONDS
        with self.sessions.begin() as session:
            at = progress(session)
            now = self.clock.machine()
            at = replace(at, why=None) if at.is_under_way else at.begun(now)
            _keep(session, at)
        while at.is_under_way and at.why is None and self.clock.boot_seconds() < ends_at:
            at = self._next(at)
        return at

    def _next(self, at: Progress) -> Progress:
        entries: tuple[Listed, ...] = ()
        try:
            until = at.until or self.clock.machine()
            page = self.lists.page(at.left[0], since=at.since, until=until, offset=at.offset)
        except ProviderRefused:
            log.warning("the provider's list of %s may not be read with this key", at.left[0])
            then = at.passed_over()
        except CannotTellNow:
            then = replace(at, why=AWAY)
        else:
            entries, then = page.entries, at.read(len(page.entries), page.next_offset)
        with self.sessions.begin() as session:
            take(session, at.left[0], entries, links=self.links, now=self.clock.now())
            _keep(session, then)
        return then


def take(
    session: Session, name: ListName, entries: Sequence[Listed], *, links: Links, now: datetime
) -> None:
    """Put a part of a list beside the events. Repeating it changes nothing."""
    listed = {key: entry for entry in entries if (key := _key(entry)) is not None}
    if not listed:
        return
    query = select(Subscriber.email_key).where(among(session, Subscriber.email_key, listed))
    known = set(session.scalars(query))
    take_events(session, [_as_event(name, listed[key]) for key in known], now=now)
    for key in sorted(listed.keys() - known):
        suppression.suppress_address(session, key, _REASON[name], links=links, now=now)


def progress(session: Session) -> Progress:
    """How far the look has come, and when the last one was over."""
    value: dict[str, Any] = control.read(session, control.LISTS)
    times = {key: _instant(value.get(key)) for key in ("done_until", "until", "since")}
    return Progress(
        **times,
        left=tuple(ListName(each) for each in value.get("left", ())),
        offset=value.get("offset", 0),
        seen=value.get("seen", 0),
        refused=tuple(ListName(each) for each in value.get("refused", ())),
        why=value.get("why"),
    )


def _keep(session: Session, at: Progress) -> None:
    times = {"done_until": at.done_until, "until": at.until, "since": at.since}
    kept = {key: when.isoformat() if when else None for key, when in times.items()}
    rest = {"left": at.left, "offset": at.offset, "seen": at.seen, "refused": at.refused}
    control.write(session, control.LISTS, {**kept, **rest, "why": at.why})


def _instant(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def _key(entry: Listed) -> str | None:
    try:
        return parse_address(entry.address).key
    except InvalidInput:
        return None


def _as_event(name: ListName, entry: Listed) -> dict[str, object]:
    """The entry as the webhook would have told it, under an id of its own."""
    stamp = entry.since.timestamp()
    mark = hashlib.sha256(f"{name}\n{entry.address.lower()}\n{stamp}".encode()).hexdigest()
    return {
        **_EVENT[name],
        "email": entry.address,
        "timestamp": stamp,
        "sg_event_id": f"{LISTED}{mark}",
    }
