"""What the provider tells after the fact: bounces, complaints, deliveries."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from funnel.db.bulk import Row, insert_absent
from funnel.db.mail import MailEvent, Message
from funnel.db.people import Subscriber
from funnel.domain.clock import Clock
from funnel.domain.delivery import EventKind, MessageState, later, read_event, suppression_for
from funnel.domain.errors import FunnelError, InvalidInput
from funnel.domain.people import SuppressionReason, fingerprint, parse_address
from funnel.links import Links
from funnel.services import blocks, people, suppression
from funnel.services.moving import set_state

KEPT_FIELDS = ("event", "type", "reason", "status", "smtp-id", "sg_message_id", "send_id", "email")
MAX_FIELD = 500
MATCH_AGAIN = timedelta(days=2)  # a handle of the provider's may be recorded after its events
MOST_AT_ONCE = 500
LISTED = "list-"  # begins the id of what one of the provider's lists told
_PLAIN = re.compile(r"[!-~]{1,200}")
CLOSED_BY_NEWS = frozenset(
    {
        MessageState.SCHEDULED,
        MessageState.CLAIMED,
        MessageState.SENDING,
        MessageState.UNKNOWN,
        MessageState.UNCONFIRMED,
    }
)


def take_events(session: Session, raw_events: list[object], *, now: datetime) -> int:
    """Store each event once, by its id; returns how many were new. Nothing else happens yet."""
    rows = {row["id"]: row for raw in raw_events if (row := _row(raw, now)) is not None}
    # In one order for everybody: two that store the same events then wait but never for each other.
    return len(insert_absent(session, MailEvent, [rows[key] for key in sorted(rows)]))


def _row(raw: object, now: datetime) -> Row | None:
    """The event as it is kept; None for what is none."""
    if not isinstance(raw, Mapping):
        return None
    body = {key: _printable(raw[key]) for key in KEPT_FIELDS if key in raw}
    return {
        "id": _event_id(raw),
        "received_at": now,
        "occurred_at": _occurred_at(raw.get("timestamp"), now),
        "kind": read_event(body.get("event", ""), body.get("type", ""), body.get("reason", "")),
        "body": body,
    }


def _printable(value: object) -> str:
    """The value as a short text that every database takes."""
    return "".join(c if c.isprintable() else " " for c in str(value)[:MAX_FIELD])


def _event_id(raw: Mapping[str, object]) -> str:
    given = raw.get("sg_event_id")
    if isinstance(given, str) and _PLAIN.fullmatch(given):
        return given
    keys = ("sg_event_id", "event", "sg_message_id", "email", "timestamp")
    parts = [str(raw.get(key)) for key in keys]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _occurred_at(timestamp: object, now: datetime) -> datetime:
    """The event's own time, where it is a believable number of seconds."""
    if not isinstance(timestamp, int | float) or isinstance(timestamp, bool):
        return now
    is_believable = 0 < timestamp <= now.timestamp() + 86_400
    return datetime.fromtimestamp(timestamp, UTC) if is_believable else now


def handle_events(session: Session, *, links: Links, clock: Clock, limit: int = 200) -> int:
    """Act on stored events, each in a savepoint of its own; one bad event stops no other.

    A database that is away for a moment says nothing of an event: it raises, and all wait.
    """
    query = (
        select(MailEvent)
        .where(MailEvent.handled_at.is_(None))
        .order_by(MailEvent.received_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    waiting = list(session.scalars(query))
    people.lock(session, _everyone(session, waiting))
    for event in waiting:
        event.handled_at = clock.now()
        try:
            with session.begin_nested():
                _handle(session, event, links, clock)
        except (ValueError, LookupError, FunnelError, DataError, IntegrityError) as error:
            event.problem = type(error).__name__
    return len(waiting)


def match_again(session: Session, *, clock: Clock) -> int:
    """Look once more for the mails of events that came before we knew the provider's handle.

    Returns how many were found. Whom they are about was left alone when they came.
    """
    query = (
        select(MailEvent)
        .where(MailEvent.message_id.is_(None), MailEvent.problem.is_(None))
        .where(MailEvent.handled_at.is_not(None), MailEvent.kind != EventKind.IGNORED)
        .where(MailEvent.received_at > clock.now() - MATCH_AGAIN)
        .order_by(MailEvent.received_at.desc())
        .limit(MOST_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    waiting = [event for event in session.scalars(query) if _provider_id(event.body)]
    people.lock(session, _everyone(session, waiting))
    return sum(_match(session, event, clock) for event in waiting)


def _match(session: Session, event: MailEvent, clock: Clock) -> bool:
    message = _find_message(session, event.body)
    if message is None:
        return False
    event.message_id = message.id
    _tell(session, message, EventKind(event.kind), clock)
    return True


def _everyone(session: Session, events: list[MailEvent]) -> set[int | None]:
    """Whom these events may be about, by subscriber id; mail to strangers has none."""
    handles = {handle for event in events for handle in _handles(event.body)}
    provider_ids = {_provider_id(event.body) for event in events if not _address_key(event.body)}
    keys = {key for event in events if (key := _address_key(event.body)) is not None}
    is_meant = Message.id.in_(handles) | Message.provider_id.in_(provider_ids - {""})
    return {
        *session.scalars(select(Message.subscriber_id).where(is_meant)),
        *session.scalars(select(Subscriber.id).where(Subscriber.email_key.in_(keys))),
    }


def _handle(session: Session, event: MailEvent, links: Links, clock: Clock) -> None:
    kind = EventKind(event.kind)
    message = _find_message(session, event.body)
    if message is None and event.id.startswith(LISTED):
        message = _most_likely(session, event)
    if message is not None:
        event.message_id = message.id
        _tell(session, message, kind, clock)
    reason = suppression_for(kind)
    if reason is not None:
        _suppress(session, event, message, reason, links, clock.now())
    key = _address_key(event.body)
    if message is None and key is not None and not _is_here(session, key):
        event.body = _without_address(session, event.body, key, links)


def _is_here(session: Session, key: str) -> bool:
    query = select(Subscriber.id).where(Subscriber.email_key == key)
    return session.scalar(query) is not None


def _without_address(
    session: Session, body: Mapping[str, object], key: str, links: Links
) -> dict[str, object]:
    """Late news of somebody who is here no more must not bring the address back: of one who was
    erased nothing stays, of one whose time was over what finds the mail."""
    address_hash = fingerprint(key, links.pepper)
    reasons = people.suppressions(session, {address_hash}).get(address_hash, frozenset())
    if SuppressionReason.ERASED in reasons:
        return {"event": body.get("event", "")}
    return {name: value for name, value in body.items() if key not in str(value).lower()}


def _find_message(session: Session, body: Mapping[str, object]) -> Message | None:
    """By our own id, our Message-ID, or the provider's id: whichever the event still carries."""
    found = (_locked_message(session, Message.id == handle) for handle in _handles(body))
    known = next((message for message in found if message is not None), None)
    return known or _by_provider_id(session, body)


def _most_likely(session: Session, event: MailEvent) -> Message | None:
    """A list names a reader and a time, but no mail: it is the one of which the webhook told the
    same, so that nothing counts twice, else the last that had gone by then."""
    is_told = Message.delivery == event.kind
    likely = (
        select(Message.id)
        .join(Subscriber, Subscriber.id == Message.subscriber_id)
        .where(Subscriber.email_key == _address_key(event.body))
        .where(is_told | (Message.accepted_at <= event.occurred_at))
        .order_by(case((is_told, 0), else_=1), Message.accepted_at.desc())
        .limit(1)
    )
    found = session.scalar(likely)
    return _locked_message(session, Message.id == found) if found is not None else None


def _by_provider_id(session: Session, body: Mapping[str, object]) -> Message | None:
    """All mails of one request share the provider's id, so the address must match as well; an
    event that names none tells only of a mail that is the one of its id."""
    provider_id, key = _provider_id(body), _address_key(body)
    if not provider_id:
        return None
    way = Message.provider_id == provider_id
    if key is not None:
        owners = select(Subscriber.id).where(Subscriber.email_key == key)
        own = Message.to_address.is_(None) & Message.subscriber_id.in_(owners)
        way &= own | (func.lower(Message.to_address) == key)
    found = session.scalars(select(Message.id).where(way).limit(2)).all()
    return _locked_message(session, Message.id == found[0]) if len(found) == 1 else None


def _handles(body: Mapping[str, object]) -> list[UUID]:
    found = [_as_uuid(body.get("send_id")), _as_uuid(_local_part(body.get("smtp-id")))]
    return [handle for handle in found if handle is not None]


def _provider_id(body: Mapping[str, object]) -> str:
    return str(body.get("sg_message_id", "")).partition(".")[0]


def _locked_message(session: Session, way: ColumnElement[bool]) -> Message | None:
    query = select(Message).where(way).with_for_update(of=Message, key_share=True)
    return session.scalars(query).first()


def _local_part(message_id: object) -> str:
    return str(message_id or "").strip("<>").partition("@")[0]


def _as_uuid(text: object) -> UUID | None:
    try:
        return UUID(str(text))
    except ValueError:
        return None


def _tell(session: Session, message: Message, kind: EventKind, clock: Clock) -> None:
    """Keep the strongest news of a message; any news proves that it was accepted."""
    message.delivery = later(EventKind(message.delivery) if message.delivery else None, kind)
    was_tried = message.attempt > 0
    if kind is not EventKind.IGNORED and was_tried and message.state in CLOSED_BY_NEWS:
        message.fence += 1
        why = "The provider tells that it arrived there."
        set_state(session, message, MessageState.ACCEPTED, why, clock=clock)
    if kind is EventKind.BLOCKED and message.subscriber_id is not None:
        blocks.hold_if_often(session, message.subscriber_id, now=clock.now())


def _suppress(
    session: Session,
    event: MailEvent,
    message: Message | None,
    reason: SuppressionReason,
    links: Links,
    now: datetime,
) -> None:
    """Suppress the person of the message, else of the address, else the bare address."""
    key = _address_key(event.body)
    to = suppression.Recipient(None, key, is_elsewhere=True)
    if message is not None:
        elsewhere = message.to_address
        key = key or (elsewhere.lower() if elsewhere else None)
        # A mail of a series went to the person, if at an address they have left since.
        is_elsewhere = bool(elsewhere) and message.enrolment_id is None
        to = suppression.Recipient(message.subscriber_id, key, is_elsewhere=is_elsewhere)
    suppression.suppress_recipient(session, to, reason, links=links, now=now)


def _address_key(body: Mapping[str, object]) -> str | None:
    try:
        return parse_address(str(body.get("email", ""))).key
    except InvalidInput:
        return None
