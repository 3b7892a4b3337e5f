"""Where many people stand, read in a handful of statements."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from funnel.db.bulk import among
from funnel.db.mail import Enrolment, Message, OwedStep
from funnel.db.offers import ChallengeDayDone, ChallengeEntry
from funnel.db.people import Subscriber
from funnel.domain.delivery import OPEN_STATES, MessageState
from funnel.domain.enrolment import EnrolmentState
from funnel.domain.people import PersonState, Standing, why_not_send
from funnel.domain.ports import MailClass
from funnel.domain.progress import conditions_of
from funnel.domain.sequence import Condition, Fact, House, Place
from funnel.domain.sequence import Sequence as Series
from funnel.services import people, sequence_pause, texts
from funnel.services.house_rules import Rules, house_at
from funnel.services.step_mail import SURELY_NOT_SENT

SET_ASIDE = "Held: this place could not be decided; see the log."
Patterns = Callable[[Session, Collection[int]], Mapping[int, str]]

_A_WEEK = timedelta(days=7)
_COUNTS_AS_SENT = sorted({*OPEN_STATES, MessageState.ACCEPTED, MessageState.UNCONFIRMED})


@dataclass(frozen=True)
class Enrolled:
    """An enrolment, with what of its person a decision needs. The fields are `COLUMNS`."""

    id: int
    subscriber_id: int
    sequence_key: str
    state: str
    round: int
    started_at: datetime
    last_step: str | None
    anchor_at: datetime
    onto: str | None
    send_now: str | None
    next_due_at: datetime | None
    why: str
    handle: UUID
    person_state: str
    time_zone: str | None
    source: str
    email_key: str
    paused_until: datetime | None
    weekly_cap: int | None


COLUMNS = (
    Enrolment.id,
    Enrolment.subscriber_id,
    Enrolment.sequence_key,
    Enrolment.state,
    Enrolment.round,
    Enrolment.started_at,
    Enrolment.last_step,
    Enrolment.anchor_at,
    Enrolment.onto,
    Enrolment.send_now,
    Enrolment.next_due_at,
    Enrolment.why,
    Subscriber.public_id,
    Subscriber.state,
    Subscriber.time_zone,
    Subscriber.source,
    Subscriber.email_key,
    Subscriber.paused_until,
    Subscriber.weekly_cap,
)


def claim_due(session: Session, *, now: datetime, limit: int) -> list[Enrolled]:
    """Lock those who are due longest, with their person; whoever is taken is left for later.

    The person's row is what everybody locks first, so nobody here waits for anybody.
    """
    query = (
        select(*COLUMNS)
        .join(Subscriber, Subscriber.id == Enrolment.subscriber_id)
        .where(Enrolment.state == EnrolmentState.ACTIVE, Enrolment.next_due_at <= now)
        .order_by(Enrolment.next_due_at)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    )
    return [Enrolled(*tuple(row)) for row in session.execute(query)]


def enrolled(session: Session, is_meant: ColumnElement[bool]) -> list[Enrolled]:
    """The enrolments that are meant, not locked."""
    query = select(*COLUMNS).join(Subscriber, Subscriber.id == Enrolment.subscriber_id)
    return [Enrolled(*tuple(row)) for row in session.execute(query.where(is_meant))]


@dataclass
class Batch:
    """All that the decisions about some enrolments need. What is decided is noted in it."""

    sequences: Mapping[str, Series]
    house: House
    paused: frozenset[str]
    facts: dict[int, dict[Fact, datetime]]
    standings: dict[int, Standing]
    drips: dict[int | None, list[datetime]]
    had: dict[int, set[str]]
    leaving: dict[int, str]
    owed: dict[int, set[str]]
    days: dict[int, int] = field(default_factory=dict)
    patterns: Mapping[int, str] = field(default_factory=dict)
    beside: dict[int, dict[int, tuple[int, datetime | None]]] = field(default_factory=dict)

    def place(self, row: Enrolled, sequence: Series, now: datetime) -> Place:
        """Where this person stands in the sequence of the row."""
        who = row.subscriber_id
        facts = self.facts.get(who, {})
        drips = self.drips.get(who, ())
        return Place(
            anchor_at=row.anchor_at,
            last_step=row.last_step,
            facts=frozenset(facts),
            zone=row.time_zone,
            last_drip_at=max(drips, default=None),
            refusal=why_not_send(self.standings[who], MailClass.DRIP, sequence.purpose),
            handle=row.handle,
            goals=people.facts_since(facts, row.started_at) if row.round > 1 else None,
            source=row.source,
            pattern=self.patterns.get(who),
            days_done=self.days.get(who, 0),
            onto=row.onto,
            owed=frozenset(self.owed.get(row.id, ())),
            had=frozenset(self.had.get(row.id, ())),
            recent=tuple(at for at in drips if at > now - _A_WEEK),
            ahead=self._ahead(row, sequence, now),
            send_now=row.send_now,
            paused_until=row.paused_until,
            weekly_cap=row.weekly_cap,
        )

    def _ahead(self, row: Enrolled, sequence: Series, now: datetime) -> datetime | None:
        """When a sequence that matters more looks at this person next; now if a mail leaves."""
        beside = self.beside.get(row.subscriber_id, {}).values()
        return min((due or now for rank, due in beside if rank > sequence.priority), default=None)


def load(
    session: Session,
    rows: Sequence[Enrolled],
    *,
    pepper: bytes,
    rules: Rules,
    patterns: Patterns,
    now: datetime,
) -> Batch:
    """Read all that deciding about these enrolments takes."""
    sequences = texts.sequences(session)
    who, ids = sorted({row.subscriber_id for row in rows}), [row.id for row in rows]
    keys = {row.sequence_key for row in rows}
    conditions = [each for key in keys for each in _conditions(sequences.get(key))]
    horizon = max([_A_WEEK, *(each.min_gap for each in sequences.values())])
    had, leaving = _mails(session, ids)
    paused = frozenset(sequence_pause.paused(session))
    return Batch(
        sequences=sequences,
        house=house_at(session, rules, now),
        paused=paused,
        facts=people.fact_times(session, who),
        standings=_standings(session, rows, pepper),
        drips=_drips(session, who, now - horizon),
        had=had,
        leaving=leaving,
        owed=_owed(session, ids),
        days=_days(session, who) if any(each.days_done for each in conditions) else {},
        patterns=patterns(session, who) if any(each.pattern for each in conditions) else {},
        beside=_beside(session, who, sequences, paused),
    )


def _conditions(sequence: Series | None) -> list[Condition]:
    return [each for step in sequence.steps for each in conditions_of(step)] if sequence else []


def _standings(session: Session, rows: Sequence[Enrolled], pepper: bytes) -> dict[int, Standing]:
    known = {row.subscriber_id: (PersonState(row.person_state), row.email_key) for row in rows}
    return people.standings_of(session, known, pepper=pepper)


def _drips(
    session: Session, who: Collection[int], since: datetime
) -> dict[int | None, list[datetime]]:
    """When each person got, or is just getting, series mails of any sequence."""
    at = func.coalesce(Message.accepted_at, Message.due_at)
    query = select(Message.subscriber_id, at).where(
        among(session, Message.subscriber_id, who),
        Message.mail_class == MailClass.DRIP,
        Message.state.in_(_COUNTS_AS_SENT),
        at > since,
    )
    found: dict[int | None, list[datetime]] = defaultdict(list)
    for person, when in session.execute(query):
        found[person].append(when)
    return found


def _mails(session: Session, ids: Collection[int]) -> tuple[dict[int, set[str]], dict[int, str]]:
    """Steps whose mail went or may have gone, and the step whose mail is on its way."""
    query = select(Message.enrolment_id, Message.step_key, Message.state).where(
        among(session, Message.enrolment_id, ids), Message.state.not_in(sorted(SURELY_NOT_SENT))
    )
    had: dict[int, set[str]] = defaultdict(set)
    leaving: dict[int, str] = {}
    for enrolment_id, step_key, state in session.execute(query):
        if enrolment_id is None or step_key is None:
            continue
        had[enrolment_id].add(step_key)
        if state in OPEN_STATES:
            leaving[enrolment_id] = step_key
    return had, leaving


def _owed(session: Session, ids: Collection[int]) -> dict[int, set[str]]:
    query = select(OwedStep.enrolment_id, OwedStep.step_key)
    found: dict[int, set[str]] = defaultdict(set)
    for enrolment_id, step_key in session.execute(
        query.where(among(session, OwedStep.enrolment_id, ids))
    ):
        found[enrolment_id].add(step_key)
    return found


def _days(session: Session, who: Collection[int]) -> dict[int, int]:
    query = (
        select(ChallengeEntry.subscriber_id, func.count())
        .join(ChallengeDayDone, ChallengeDayDone.entry_id == ChallengeEntry.id)
        .where(among(session, ChallengeEntry.subscriber_id, who))
        .group_by(ChallengeEntry.subscriber_id)
    )
    return dict(session.execute(query).all())


def _beside(
    session: Session,
    who: Collection[int],
    sequences: Mapping[str, Series],
    paused: Collection[str],
) -> dict[int, dict[int, tuple[int, datetime | None]]]:
    """The priority and the next instant of each going enrolment of these people.

    Not read while all sequences matter alike; what stands still, or was set aside, holds nothing
    back.
    """
    if len({each.priority for each in sequences.values()}) < 2:
        return {}
    going = {key: each.priority for key, each in sequences.items() if key not in paused}
    query = select(
        Enrolment.subscriber_id, Enrolment.id, Enrolment.sequence_key, Enrolment.next_due_at
    ).where(
        among(session, Enrolment.subscriber_id, who),
        Enrolment.state == EnrolmentState.ACTIVE,
        Enrolment.sequence_key.in_(going),
        Enrolment.why != SET_ASIDE,
    )
    found: dict[int, dict[int, tuple[int, datetime | None]]] = defaultdict(dict)
    for person, enrolment_id, key, due in session.execute(query):
        found[person][enrolment_id] = (going[key], due)
    return found
