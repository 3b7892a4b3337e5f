"""Everything that is asked once more, in the very transaction that lets a batch of mail go."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import inf
from uuid import UUID

from sqlalchemy import func, literal, select
from sqlalchemy.orm import Session

from funnel.db.bulk import among
from funnel.db.mail import Enrolment, Message
from funnel.db.people import Subscriber
from funnel.domain.delivery import MessageState
from funnel.domain.enrolment import EnrolmentState
from funnel.domain.holds import hold_for
from funnel.domain.people import (
    PersonState,
    Purpose,
    Standing,
    SuppressionReason,
    fingerprint,
    why_not_send,
)
from funnel.domain.ports import MailClass
from funnel.domain.sequence import Fact, House, Place, Sequence, Step
from funnel.services import control, people, sequence_pause, texts
from funnel.services.control import SendingState
from funnel.services.moving import LockedMessage
from funnel.services.places import SET_ASIDE

log = logging.getLogger(__name__)

_MAY_HAVE_GONE = (
    MessageState.SENDING,
    MessageState.UNKNOWN,
    MessageState.ACCEPTED,
    MessageState.UNCONFIRMED,
)
_A_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Objection:
    """Why a mail does not leave now, and the state it goes to; `not_before` when only held."""

    state: MessageState
    why: str
    not_before: datetime | None = None


@dataclass(frozen=True)
class _Person:
    standing: Standing
    zone: str | None
    handle: UUID
    paused_until: datetime | None
    weekly_cap: int | None


@dataclass(frozen=True)
class _Enrolled:
    """Where a message's place in its sequence stands."""

    state: EnrolmentState
    why: str
    sequence_key: str
    round: int
    started_at: datetime


@dataclass(frozen=True)
class Inquiry:
    """All that speaks for and against a batch, read in a handful of statements.

    The people must be locked: then nothing of it changes before the batch is on its way.
    """

    now: datetime
    house: House
    sending: SendingState
    paused: frozenset[str]
    sequences: Mapping[str, Sequence]
    people: Mapping[int, _Person]
    elsewhere: Mapping[str, frozenset[SuppressionReason]]
    enrolled: Mapping[int, _Enrolled]
    facts: Mapping[int, Mapping[Fact, datetime]]
    ahead: Mapping[int, Collection[tuple[str, datetime]]]
    others: dict[int, list[datetime]] = field(default_factory=dict)

    def objection_to(self, message: LockedMessage, digest: str) -> Objection | None:
        """What speaks against sending this message with these words now; None when nothing.

        A message without one is about to leave, so it counts for the next mail of its person.
        """
        try:
            found = self._objection(message, digest)
        except (ArithmeticError, LookupError, TypeError, ValueError):
            # The boundary of one message: a bad value in its rows must not hold up the others.
            log.exception("message %s could not be checked", message.id)
            return Objection(MessageState.FAILED, "It could not be checked; see the log.")
        if found is None and message.mail_class is MailClass.DRIP:
            self.others.setdefault(message.whose, []).append(self.now)
        return found

    def _objection(self, message: LockedMessage, digest: str) -> Objection | None:
        is_series = message.mail_class is MailClass.DRIP
        if self.sending.is_paused:
            return Objection(MessageState.SCHEDULED, "Held: all mail is stopped.")
        if is_series and self.sending.holds_series:
            return Objection(MessageState.SCHEDULED, "Held: series mail is stopped.")
        purpose = Purpose(message.purpose) if message.purpose else None
        refusal = why_not_send(self._standing(message), message.mail_class, purpose)
        if refusal:
            return Objection(MessageState.CANCELLED, refusal)
        if message.payload_sha256 not in {None, digest}:
            why = "An earlier copy with other words may have gone, so this one does not."
            return Objection(MessageState.UNCONFIRMED, why)
        return None if message.enrolment_id is None else self._by_sequence(message)

    def _standing(self, message: LockedMessage) -> Standing:
        """Of the person; of the bare address where the mail does not go to the person's own."""
        if message.to_address is None:
            return self.people[message.whose].standing
        reasons = self.elsewhere[message.to_address]
        return Standing(PersonState.CONFIRMED, frozenset(), reasons)

    def _by_sequence(self, message: LockedMessage) -> Objection | None:
        enrolled = self.enrolled[message.enrolment_id or 0]
        if enrolled.state is not EnrolmentState.ACTIVE:
            return Objection(MessageState.CANCELLED, enrolled.why)
        sequence = self.sequences.get(enrolled.sequence_key)
        if sequence is None:
            return Objection(MessageState.CANCELLED, "This sequence no longer exists.")
        if sequence.exits_on & self._goals(message.whose, enrolled):
            return Objection(MessageState.CANCELLED, "The goal of this sequence was reached.")
        if sequence.key in self.paused:
            return Objection(MessageState.CANCELLED, sequence_pause.WHY)
        step = sequence.step(message.step_key)
        if step is None:
            return Objection(MessageState.CANCELLED, "This step was taken out of the sequence.")
        return self._in_time(message, sequence, step)

    def _goals(self, who: int, enrolled: _Enrolled) -> frozenset[Fact]:
        """On a second round only what happened since it began."""
        facts = self.facts.get(who, {})
        if enrolled.round == 1:
            return frozenset(facts)
        return people.facts_since(facts, enrolled.started_at)

    def _in_time(self, message: LockedMessage, sequence: Sequence, step: Step) -> Objection | None:
        """A mail that waited for a retry or a pause may have missed its hours meanwhile."""
        lives, by_hand = step.expires_after, message.is_hurried
        if lives is not None and not by_hand and self.now > message.due_at + lives:
            return Objection(MessageState.SKIPPED, "Skipped: its time had passed.")
        place = self._place(message, sequence)
        hold = hold_for(sequence, step, place, self.now, self.house, by_hand=by_hand)
        return Objection(MessageState.SCHEDULED, hold.why, hold.until) if hold else None

    def _place(self, message: LockedMessage, sequence: Sequence) -> Place:
        """So much of a person's place as can hold a mail."""
        person = self.people[message.whose]
        others = self.others.get(message.whose, [])
        return Place(
            anchor_at=self.now,
            last_step=None,
            facts=frozenset(),
            zone=person.zone,
            handle=person.handle,
            last_drip_at=max(others, default=None),
            recent=tuple(at for at in others if at > self.now - _A_WEEK),
            ahead=self._ahead(message, sequence),
            paused_until=person.paused_until,
            weekly_cap=person.weekly_cap,
        )

    def _ahead(self, message: LockedMessage, sequence: Sequence) -> datetime | None:
        """When the next mail of this person that matters more is due."""
        waiting = self.ahead.get(message.whose, ())
        more = (at for key, at in waiting if self._priority(key) > sequence.priority)
        return min(more, default=None)

    def _priority(self, key: str) -> float:
        """What stands still, or is no more, holds nothing back."""
        sequence = None if key in self.paused else self.sequences.get(key)
        return -inf if sequence is None else sequence.priority


def inquire(
    session: Session,
    messages: Collection[LockedMessage],
    *,
    pepper: bytes,
    now: datetime,
    house: House,
) -> Inquiry:
    """Read all that decides whether these messages may leave at `now`."""
    ids = {message.whose for message in messages} - {0}
    enrolments = {message.enrolment_id for message in messages if message.enrolment_id}
    inquiry = Inquiry(
        now=now,
        house=house,
        sending=control.sending_state(session),
        paused=frozenset(),
        sequences={},
        people=_people(session, ids, pepper),
        elsewhere=_elsewhere(session, {each.to_address for each in messages}, pepper),
        enrolled={},
        facts={},
        ahead={},
    )
    return _with_sequences(session, inquiry, ids, enrolments) if enrolments else inquiry


def _with_sequences(
    session: Session, inquiry: Inquiry, ids: set[int], enrolments: set[int]
) -> Inquiry:
    sequences = texts.sequences(session)
    gaps = (sequence.min_gap for sequence in sequences.values())
    is_ranked = len({sequence.priority for sequence in sequences.values()}) > 1
    return replace(
        inquiry,
        paused=frozenset(sequence_pause.paused(session)),
        sequences=sequences,
        enrolled=_enrolled(session, enrolments),
        facts=people.fact_times(session, ids),
        ahead=_ahead(session, ids, inquiry.now) if is_ranked else {},
        others=_others(session, ids, inquiry.now - max([_A_WEEK, *gaps]), inquiry.now),
    )


def _elsewhere(
    session: Session, addresses: Collection[str | None], pepper: bytes
) -> dict[str, frozenset[SuppressionReason]]:
    """Why to leave addresses alone that are not, or not yet, a person's own."""
    # A key is the mailbox in small letters.
    hashes = {each: fingerprint(each.lower(), pepper) for each in addresses if each}
    found = people.suppressions(session, hashes.values()) if hashes else {}
    return {each: found.get(known, frozenset()) for each, known in hashes.items()}


def _people(session: Session, ids: set[int], pepper: bytes) -> dict[int, _Person]:
    query = select(
        Subscriber.id,
        Subscriber.state,
        Subscriber.email_key,
        Subscriber.time_zone,
        Subscriber.public_id,
        Subscriber.paused_until,
        Subscriber.weekly_cap,
    )
    rows = session.execute(query.where(among(session, Subscriber.id, ids))).all()
    known = {row.id: (PersonState(row.state), row.email_key) for row in rows}
    standings = people.standings_of(session, known, pepper=pepper)
    return {
        row.id: _Person(
            standings[row.id], row.time_zone, row.public_id, row.paused_until, row.weekly_cap
        )
        for row in rows
    }


def _enrolled(session: Session, ids: set[int]) -> dict[int, _Enrolled]:
    query = select(
        Enrolment.id,
        Enrolment.state,
        Enrolment.why,
        Enrolment.sequence_key,
        Enrolment.round,
        Enrolment.started_at,
    )
    rows = session.execute(query.where(among(session, Enrolment.id, ids)))
    return {
        row.id: _Enrolled(
            EnrolmentState(row.state), row.why, row.sequence_key, row.round, row.started_at
        )
        for row in rows
    }


def _ahead(session: Session, ids: set[int], now: datetime) -> dict[int, list[tuple[str, datetime]]]:
    """When each place of these people is next looked at; now where its mail is on its way."""
    query = select(Enrolment.subscriber_id, Enrolment.sequence_key, Enrolment.next_due_at).where(
        among(session, Enrolment.subscriber_id, ids),
        Enrolment.state == EnrolmentState.ACTIVE,
        Enrolment.why != SET_ASIDE,
    )
    found: dict[int, list[tuple[str, datetime]]] = {}
    for who, key, at in session.execute(query):
        found.setdefault(who, []).append((key, at or now))
    return found


def _others(
    session: Session, ids: set[int], since: datetime, now: datetime
) -> dict[int, list[datetime]]:
    """When these people last got other series mails; one that may be leaving counts as now."""
    # A bare value here would lose the column's type, and SQLite would store it as text.
    as_now = literal(now, Message.accepted_at.type)
    left_at = func.coalesce(Message.accepted_at, Message.closed_at, as_now)
    query = select(Message.subscriber_id, left_at.label("left_at")).where(
        among(session, Message.subscriber_id, ids),
        Message.mail_class == MailClass.DRIP,
        Message.state.in_(_MAY_HAVE_GONE),
        left_at > literal(since, Message.accepted_at.type),
    )
    found: dict[int, list[datetime]] = {}
    for row in session.execute(query):
        found.setdefault(row.subscriber_id, []).append(row.left_at)
    return found
