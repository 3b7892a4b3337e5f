"""How each mail fared, in the order people get them, and why some did not go."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from funnel.db.mail import Enrolment, Message, StepSkip
from funnel.db.people import Subscriber
from funnel.domain.delivery import OPEN_STATES, MessageState
from funnel.domain.sequence import Fact, Sequence
from funnel.domain.stats import ENOUGH
from funnel.services import texts
from funnel.services.reports.clicks import Presses, presses
from funnel.services.reports.titles import newest_subjects

PERIOD = timedelta(weeks=8)
MAX_REASONS = 12
SERVICE = "service"
SERVICE_ORDER = ("service/confirm", "service/guide_ready", "service/challenge_link")
FACT_ORDER = tuple(Fact)

_FAILED = frozenset({MessageState.FAILED, MessageState.UNCONFIRMED})
_HELD_BACK = frozenset({MessageState.CANCELLED, MessageState.SKIPPED})


@dataclass(frozen=True)
class MailCount:
    """One mail: how often it was handed over, waits, failed, or was rightly held back.

    `presses` is None for a mail whose links are not counted.
    """

    mail_key: str
    subject: str
    part: str
    sent: int
    waiting: int
    failed: int
    held_back: int
    presses: Presses | None = None

    @property
    def is_early(self) -> bool:
        """True while it went to too few to read anything into their presses."""
        return self.sent < ENOUGH


@dataclass(frozen=True)
class MailReason:
    """Why a mail did not go, and for how many people. `is_failure` asks for a look."""

    subject: str
    why: str
    count: int
    is_failure: bool


@dataclass(frozen=True)
class MailReport:
    """Every mail of the last weeks, and the commonest reasons why one did not go."""

    since: datetime
    mails: tuple[MailCount, ...]
    reasons: tuple[MailReason, ...]


def mails(session: Session, *, now: datetime) -> MailReport:
    """All mails made in the last eight weeks, service mails first, then each sequence in order."""
    since = now - PERIOD
    subjects, known = newest_subjects(session), texts.sequences(session)
    counts = _counts(session, since)
    skips = _skips(session, since)
    for mail_key, _, many in skips:
        counts[mail_key][MessageState.SKIPPED] += many
    ordered = sorted(counts, key=lambda key: _place(key, known))
    pressed = presses(session, since=since)
    return MailReport(
        since=since,
        mails=tuple(_mail_count(key, counts[key], subjects, known, pressed) for key in ordered),
        reasons=_reasons(session, since, skips, subjects),
    )


def _counts(session: Session, since: datetime) -> dict[str, dict[MessageState, int]]:
    query = (
        select(Message.mail_key, Message.state, func.count())
        .join(Subscriber, Subscriber.id == Message.subscriber_id)
        .where(Message.created_at >= since, Subscriber.is_test.is_(False))
        .group_by(Message.mail_key, Message.state)
    )
    counts: dict[str, dict[MessageState, int]] = defaultdict(lambda: defaultdict(int))
    for mail_key, state, many in session.execute(query):
        counts[mail_key][MessageState(state)] = many
    return counts


def _skips(session: Session, since: datetime) -> list[tuple[str, str, int]]:
    """Steps that were passed over, as mail key, reason and how many people."""
    query = (
        select(Enrolment.sequence_key, StepSkip.step_key, StepSkip.why, func.count())
        .join(Enrolment, Enrolment.id == StepSkip.enrolment_id)
        .join(Subscriber, Subscriber.id == Enrolment.subscriber_id)
        .where(StepSkip.occurred_at >= since, Subscriber.is_test.is_(False))
        .group_by(Enrolment.sequence_key, StepSkip.step_key, StepSkip.why)
    )
    return [(f"{key}/{step}", why, many) for key, step, why, many in session.execute(query)]


def _place(mail_key: str, known: dict[str, Sequence]) -> tuple[int, str, int, str]:
    part, _, step_key = mail_key.partition("/")
    if part == SERVICE:
        return -1, part, _index(SERVICE_ORDER, mail_key), mail_key
    sequence = known.get(part)
    if sequence is None:
        return len(FACT_ORDER), part, 0, mail_key
    begins = min((FACT_ORDER.index(fact) for fact in sequence.starts_on), default=len(FACT_ORDER))
    return begins, part, _index([step.key for step in sequence.steps], step_key), mail_key


def _index(keys: Collection[str], key: str) -> int:
    """The place of a key; after all others when it is not among them."""
    return list(keys).index(key) if key in keys else len(keys)


def _mail_count(
    mail_key: str,
    states: dict[MessageState, int],
    subjects: dict[str, str],
    known: dict[str, Sequence],
    pressed: dict[str, Presses],
) -> MailCount:
    part = mail_key.partition("/")[0]
    return MailCount(
        mail_key=mail_key,
        subject=subjects.get(mail_key, mail_key),
        part=known[part].title if part in known else "On their own request",
        sent=states.get(MessageState.ACCEPTED, 0),
        waiting=sum(states.get(state, 0) for state in OPEN_STATES),
        failed=sum(states.get(state, 0) for state in _FAILED),
        held_back=sum(states.get(state, 0) for state in _HELD_BACK),
        presses=None if part == SERVICE else pressed.get(mail_key, Presses()),
    )


def _reasons(
    session: Session, since: datetime, skips: list[tuple[str, str, int]], subjects: dict[str, str]
) -> tuple[MailReason, ...]:
    query = (
        select(Message.mail_key, Message.why, Message.state, func.count())
        .join(Subscriber, Subscriber.id == Message.subscriber_id)
        .where(
            Message.created_at >= since,
            Message.state.in_(sorted(_FAILED | _HELD_BACK)),
            Subscriber.is_test.is_(False),
        )
        .group_by(Message.mail_key, Message.why, Message.state)
    )
    found = [
        MailReason(subjects.get(key, key), why, many, MessageState(state) in _FAILED)
        for key, why, state, many in session.execute(query)
    ]
    found += [MailReason(subjects.get(key, key), why, many, False) for key, why, many in skips]
    found.sort(key=lambda reason: (not reason.is_failure, -reason.count, reason.subject))
    return tuple(found[:MAX_REASONS])
