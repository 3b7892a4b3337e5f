"""The claim: a batch of due mails leased to one worker, with all that their letters need."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, case, func, literal_column, select, update
from sqlalchemy.orm import Session

from funnel.db.bulk import among, update_rows
from funnel.db.guides import Guide
from funnel.db.mail import Message
from funnel.db.people import Subscriber
from funnel.db.texts import TextVersion
from funnel.domain.breaker import Breaker
from funnel.domain.clock import Clock
from funnel.domain.delivery import MessageState
from funnel.domain.flow import Room
from funnel.domain.ports import MailClass, Mailer
from funnel.services import control
from funnel.services.letters import Draft, Words, draft
from funnel.services.outbox import PRIORITY
from funnel.services.step_mail import newest_words
from funnel.services.throttle import NO_ROOM, Claimed, Throttle

_COLUMNS: tuple[Any, ...] = (
    Message.id,
    Message.subscriber_id,
    Message.fence,
    Message.mail_class,
    Message.purpose,
    Message.mail_key,
    Message.priority,
    Message.text_version_id,
    Message.reference,
    Message.payload_sha256,
    Message.is_resent,
    Message.created_at,
    func.coalesce(Message.to_address, Subscriber.email).label("email"),
    Subscriber.first_name,
    Subscriber.public_id,
    # What goes elsewhere answers something other than the request for the guide.
    case((Message.to_address.is_(None), Subscriber.created_at), else_=Message.created_at).label(
        "asked_at"
    ),
    Subscriber.time_zone,
    Message.lost_claims,
    Guide.public_id.label("guide_handle"),
)
_QUERY: Select[Any] = (
    select(*_COLUMNS)
    .outerjoin(Subscriber, Subscriber.id == Message.subscriber_id)
    .outerjoin(Guide, Guide.subscriber_id == Message.subscriber_id)
)
_SERIES = PRIORITY[MailClass.DRIP]
_SERVICE = sorted(set(PRIORITY.values()) - {_SERIES}, reverse=True)
SUSPECT_AFTER = 2


@dataclass(frozen=True)
class Claims:
    """Takes what is due for one worker. Any number may do so at once, and no two get one mail."""

    clock: Clock
    mailer: Mailer
    throttle: Throttle
    worker: str
    lease: timedelta

    def take(self, session: Session) -> list[Draft]:
        """Lease a batch, each mail with a fence of its own; the most urgent first.

        Mails of the same words are neighbours, so that they can leave in one call.
        """
        breaker = self._breaker(session)
        room = self._room(session, breaker)
        due = self._due(session, room) if room.total else []
        free = self._held_back(session, due) if due else []
        if not free:
            return []
        self._lease(session, [row.id for row in free])
        if breaker.is_open:
            control.write_breaker(session, breaker.probing(self.clock.machine()))
        versions = _versions(session, free)
        words = _words(session, set(versions.values()))
        return [draft(row, words[versions[row.id]]) for row in sorted(free, key=_place)]

    def _breaker(self, session: Session) -> Breaker:
        """Whether the provider is in trouble; locked then, for of all workers one may probe."""
        breaker = control.read_breaker(session)
        return control.read_breaker(session, lock=True) if breaker.is_open else breaker

    def _room(self, session: Session, breaker: Breaker) -> Room:
        """How many may be claimed now: none when all mail is stopped, a probe in trouble."""
        now = self.clock.machine()
        wanted = breaker.room(self.mailer.batch_size, now)
        return self.throttle.room(session, wanted=wanted, machine=now) if wanted else NO_ROOM

    def _due(self, session: Session, room: Room) -> list[Row[Any]]:
        """Lock due mails, service mail first; series mail may have less room than the rest.

        One plain walk for each priority along the index of what is due, however much there is.
        """
        ids: list[UUID] = []
        for priority in _SERVICE:
            ids += self._lock(session, priority, room.total - len(ids))
        ids += self._lock(session, _SERIES, min(room.series, room.total - len(ids)))
        return self._without_suspects(session, ids)

    def _lock(self, session: Session, priority: int, limit: int) -> list[UUID]:
        if limit <= 0:
            return []
        query = (
            select(Message.id)
            # A bare value, so that the databases see that the index of due mails will do.
            .where(Message.state == literal_column("'scheduled'"), Message.priority == priority)
            .where(Message.not_before <= self.clock.now())
            .order_by(Message.not_before)
            .limit(limit)
            .with_for_update(skip_locked=True, key_share=True)
        )
        return list(session.scalars(query))

    def _without_suspects(self, session: Session, ids: list[UUID]) -> list[Row[Any]]:
        """A mail with which workers stopped again and again goes alone, the others without it:
        before them where it is service mail and its turn has come, else when they are gone."""
        found = session.execute(_QUERY.where(among(session, Message.id, ids))) if ids else ()
        by_id = {row.id: row for row in found}
        rows = [by_id[key] for key in ids if key in by_id]
        free = [row for row in rows if row.lost_claims < SUSPECT_AFTER]
        has_first_turn = bool(rows) and rows[0] not in free[:1] and rows[0].priority > _SERIES
        return rows[:1] if has_first_turn else free or rows[:1]

    def _held_back(self, session: Session, due: list[Row[Any]]) -> list[Row[Any]]:
        """Put back what the throttle lets wait; the others stay."""
        asked = [Claimed(row.id, MailClass(row.mail_class), row.email) for row in due]
        waits = self.throttle.hold_back(
            session, asked, now=self.clock.now(), machine=self.clock.machine()
        )
        update_rows(session, Message, [{"id": key, "not_before": at} for key, at in waits.items()])
        return [row for row in due if row.id not in waits]

    def _lease(self, session: Session, ids: Collection[UUID]) -> None:
        """The rows were chosen and locked first: as one statement Postgres may choose again."""
        session.execute(
            update(Message)
            .where(among(session, Message.id, ids))
            .values(
                state=MessageState.CLAIMED,
                fence=Message.fence + 1,
                lease_until=self.clock.machine() + self.lease,
                worker=self.worker,
            )
            .execution_options(synchronize_session=False)
        )


def _place(row: Row[Any]) -> tuple[object, ...]:
    """The most urgent class first, and within it what has the same words."""
    return (-row.priority, row.mail_class, row.mail_key, row.text_version_id)


def _versions(session: Session, rows: Collection[Row[Any]]) -> dict[UUID, int]:
    """The version of its words that each mail leaves in; one never started takes the newest.

    A mail that was in hand when new words were published may come back in the old ones.
    """
    fresh = [row for row in rows if row.payload_sha256 is None and not row.is_resent]
    newest = newest_words(session, {row.mail_key for row in fresh}) if fresh else {}
    versions = {row.id: row.text_version_id for row in rows}
    changed = {row.id: newest[row.mail_key] for row in fresh if row.mail_key in newest}
    changed = {key: version for key, version in changed.items() if version != versions[key]}
    update_rows(
        session,
        Message,
        [{"id": key, "text_version_id": version} for key, version in changed.items()],
    )
    return versions | changed


def _words(session: Session, ids: Collection[int]) -> dict[int, Words]:
    query = select(TextVersion.id, TextVersion.source, TextVersion.version)
    rows = session.execute(query.where(among(session, TextVersion.id, ids)))
    return {row.id: Words(row.source, row.version) for row in rows}
