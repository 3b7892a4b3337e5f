"""After a restore: erasures, and people who said stop, are applied again from the journal."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from funnel.db.people import Consent, Subscriber, Suppression
from funnel.db.upsert import insert_if_absent
from funnel.domain.evidence import Evidence
from funnel.domain.journal import Done, Entry
from funnel.domain.people import Purpose, SuppressionReason, fingerprint
from funnel.domain.ports import Journal
from funnel.links import Links
from funnel.services import clicks, consent, people, self_check, suppression
from funnel.services.rights.erasure import Eraser

BY_JOURNAL = Evidence("", "journal", "unknown", "journal")
AGAIN = timedelta(minutes=1)  # a backup may be a little younger than its last sign of life


@dataclass(frozen=True)
class Replayed:
    """How many people were erased again, and how many were left alone again."""

    erased: int
    stopped: int

    @property
    def say(self) -> str:
        """Both in a sentence."""
        return f"From the journal: {self.erased} erased again, {self.stopped} left alone again."


@dataclass(frozen=True)
class _Person:
    id: int
    created_at: datetime


@dataclass(frozen=True)
class Replay:
    """Applies the journal to a database that was restored. Safe to repeat."""

    journal: Journal
    links: Links
    eraser: Eraser

    def apply(self, session: Session, since: datetime | None, *, now: datetime) -> Replayed:
        """Do again what was done since the backup; without a time, all that was ever done.

        Whoever came, or agreed anew, after an entry is left as they are.
        """
        entries = self._entries(since)
        here = self._here(session) if entries else {}
        for address_hash in entries.keys() - here.keys():
            _suppress_again(session, address_hash, entries[address_hash])
        found = {who: said for who, said in _about(here, entries) if said}
        people.lock(session, found.keys())
        erased = stopped = 0
        for subscriber_id, said in sorted(found.items()):
            person = session.get_one(Subscriber, subscriber_id)
            if _is_erased(person, said):
                self.eraser.erase(session, subscriber_id, now=now)
                erased += 1
            else:
                stopped += self._stop(session, person, said, now)
        return Replayed(erased, stopped)

    def _entries(self, since: datetime | None) -> dict[str, list[Entry]]:
        found: dict[str, list[Entry]] = defaultdict(list)
        for entry in self.journal.entries():
            is_young = since is None or entry.at >= since - AGAIN
            if is_young and _is_understood(entry):
                found[entry.address_hash].append(entry)
        return found

    def _here(self, session: Session) -> dict[str, _Person]:
        """Everybody who is here, by the hash of their address: only that tells whom it is about."""
        columns = (Subscriber.id, Subscriber.email_key, Subscriber.created_at)
        return {
            fingerprint(row.email_key, self.links.pepper): _Person(row.id, row.created_at)
            for row in session.execute(select(*columns))
        }

    def _stop(
        self, session: Session, person: Subscriber, said: Collection[Entry], now: datetime
    ) -> bool:
        """Leave a person alone again as far as they said; False when nothing was left to do."""
        did = [self._stop_by(session, person, each, now) for each in said]
        return any(did)

    def _stop_by(self, session: Session, person: Subscriber, said: Entry, now: datetime) -> bool:
        if said.done is Done.WITHDREW:
            return _withdraw(session, person, said.about, said.at, now)
        reason = SuppressionReason(said.about or SuppressionReason.ERASED)
        if reason is SuppressionReason.ERASED or _is_known(person, said.at):
            return False
        suppression.suppress_person(
            session, person, reason, evidence=BY_JOURNAL, links=self.links, now=now
        )
        return True


def _about(
    here: Mapping[str, _Person], entries: Mapping[str, list[Entry]]
) -> Iterator[tuple[int, list[Entry]]]:
    """Each person who is here with what was done about them, at whatever address."""
    for address_hash, person in here.items():
        yield person.id, _followed(address_hash, person.created_at, entries)


def _followed(
    address_hash: str, came_at: datetime, entries: Mapping[str, list[Entry]]
) -> list[Entry]:
    """What was done at an address, and from each move on at the one moved to.

    A move from before the person came was somebody else's.
    """
    found: list[Entry] = []
    used: set[Entry] = set()
    since: datetime | None = None
    while True:
        said = [each for each in entries.get(address_hash, ()) if since is None or each.at >= since]
        moves = {e for e in said if e.done is Done.MOVED and e.at >= came_at} - used
        move = min(moves, key=lambda each: each.at, default=None)
        found += [e for e in said if e.done is not Done.MOVED and (not move or e.at <= move.at)]
        if move is None:
            return found
        used.add(move)
        address_hash, since = move.about, move.at


def _is_understood(entry: Entry) -> bool:
    """Whether it is about something that this version knows."""
    if entry.done is Done.MOVED:
        return bool(entry.about)
    known: type[StrEnum] = Purpose if entry.done is Done.WITHDREW else SuppressionReason
    return entry.about in {"", *known}


def _suppress_again(session: Session, address_hash: str, said: Collection[Entry]) -> None:
    for each in said:
        if each.done not in {Done.WITHDREW, Done.MOVED}:
            insert_if_absent(
                session,
                Suppression,
                address_hash=address_hash,
                reason=each.about or SuppressionReason.ERASED,
                created_at=each.at,
            )


def _is_erased(person: Subscriber, said: Collection[Entry]) -> bool:
    return any(each.done is Done.ERASED and each.at >= person.created_at for each in said)


def _is_known(person: Subscriber, at: datetime) -> bool:
    """Whether this database knows of it, and of whatever yes came after it."""
    return person.unsubscribed_at is not None and person.unsubscribed_at >= at


def _withdraw(
    session: Session, person: Subscriber, purpose: str, at: datetime, now: datetime
) -> bool:
    standing = session.get(Consent, (person.id, purpose))
    if standing is None or standing.given_at > at:
        return False
    if purpose == Purpose.HEALTH:
        self_check.withdraw(session, person.public_id, evidence=BY_JOURNAL, now=now)
        return True
    if purpose == Purpose.CLICKS:
        clicks.withdraw(session, person, evidence=BY_JOURNAL, now=now)
        return True
    return consent.withdraw(session, person, Purpose(purpose), evidence=BY_JOURNAL, now=now)
