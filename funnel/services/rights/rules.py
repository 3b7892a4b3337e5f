"""What goes by itself: one rule for each kind of row, with the rows that it means at an instant."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, delete, exists, func, or_, select, tuple_
from sqlalchemy.orm import Session

from funnel.content.retention import Retention
from funnel.db.bulk import among
from funnel.db.complaints import Complaint
from funnel.db.desk import AuditEntry
from funnel.db.guides import Guide
from funnel.db.mail import Attempt, MailEvent, Message
from funnel.db.offers import ChallengeDayDone, ChallengeEntry, Purchase, WaitlistEntry
from funnel.db.people import (
    AddressChange,
    Confirmation,
    Consent,
    ConsentEvent,
    FunnelEvent,
    KeptAnswers,
    LinkClick,
    Subscriber,
)
from funnel.db.rights import DataRequest
from funnel.domain.clicks import ClickKind
from funnel.domain.delivery import OPEN_STATES
from funnel.domain.people import PersonState, Purpose
from funnel.domain.retention import months_before, years_before
from funnel.services import complaints, self_check, visits
from funnel.services.address_change import confirm_key
from funnel.services.rights.erasure import bury

PEOPLE_AT_ONCE = 100
ROWS_AT_ONCE = 1000
OPENED_LINKS = timedelta(days=7)
_GONE = (PersonState.UNSUBSCRIBED, PersonState.BOUNCED, PersonState.COMPLAINED)
_MAILS = (Purpose.SERIES, Purpose.CHALLENGE)

Over = Select[*tuple[Any, ...]]
Found = Sequence[Row[*tuple[Any, ...]]]


@dataclass(frozen=True)
class Rule:
    """What goes, and after how long.

    `due` selects the rows that are over at an instant, the time they are counted from as `since`.
    `let_go` deletes such rows, which are locked. `by_machine`: their times are the machine's.
    """

    key: str
    what: str
    keeps: str
    due: Callable[[datetime], Over]
    let_go: Callable[[Session, Found, datetime], object]
    at_once: int = ROWS_AT_ONCE
    by_machine: bool = False


def rules(kept: Retention, *, answers_days: int, pepper: bytes) -> tuple[Rule, ...]:
    """Every rule, those about people first."""
    return (*_of_people(kept, pepper), _answers(answers_days), *_of_rows(kept))


def _of_people(kept: Retention, pepper: bytes) -> tuple[Rule, ...]:
    def gone(session: Session, found: Found, _now: datetime) -> None:
        bury(session, [row.Subscriber for row in found], pepper=pepper)

    def never_confirmed(session: Session, found: Found, now: datetime) -> None:
        visits.count_unconfirmed(session, [row.Subscriber for row in found])
        gone(session, found, now)

    return (
        Rule(
            "unconfirmed",
            "Details that were never confirmed",
            f"{kept.unconfirmed_days} days",
            lambda now: _unconfirmed(now - timedelta(days=kept.unconfirmed_days)),
            never_confirmed,
            PEOPLE_AT_ONCE,
        ),
        Rule(
            "evidence",
            "People who left, with what they agreed to",
            f"{kept.evidence_months} months after they left or were last here",
            lambda now: _left(months_before(now, kept.evidence_months)),
            gone,
            PEOPLE_AT_ONCE,
        ),
        Rule(
            "inactive",
            "People without a series and without a sign of life",
            f"{kept.inactive_months} months",
            lambda now: _inactive(months_before(now, kept.inactive_months)),
            gone,
            PEOPLE_AT_ONCE,
        ),
    )


def _answers(days: int) -> Rule:
    return Rule(
        "answers",
        "Answers to the self-check",
        f"{days} days",
        # With their people: whoever has to do with answers locks the person first.
        lambda now: (
            select(Subscriber, KeptAnswers.given_at.label("since"))
            .join(KeptAnswers, KeptAnswers.subscriber_id == Subscriber.id)
            .where(KeptAnswers.delete_at <= now)
        ),
        lambda session, _found, now: self_check.forget_old(session, now=now),
    )


def _of_rows(kept: Retention) -> tuple[Rule, ...]:
    dealt_with = func.coalesce(Complaint.closed_at, Complaint.answered_at)
    return (
        Rule(
            "raw-events",
            "What the email provider told of each email",
            f"{kept.raw_events_days} days",
            lambda now: select(MailEvent.id, MailEvent.received_at.label("since")).where(
                MailEvent.received_at <= now - timedelta(days=kept.raw_events_days)
            ),
            _delete_from(MailEvent),
        ),
        Rule(
            "attempts",
            "Each single try to hand an email over",
            f"{kept.attempts_months} months; the email keeps their number",
            lambda now: _attempts(months_before(now, kept.attempts_months)),
            _delete_attempts,
            by_machine=True,
        ),
        Rule(
            "complaints",
            "Complaints about personal details",
            f"{kept.complaints_months} months after they were answered or closed",
            lambda now: select(Complaint.id, dealt_with.label("since")).where(
                dealt_with <= months_before(now, kept.complaints_months)
            ),
            _delete_complaints,
        ),
        Rule(
            "audit",
            "What was done at the desk",
            f"{kept.audit_months} months",
            lambda now: select(AuditEntry.id, AuditEntry.occurred_at.label("since")).where(
                AuditEntry.occurred_at <= months_before(now, kept.audit_months)
            ),
            _delete_from(AuditEntry),
            by_machine=True,
        ),
        Rule(
            "accounting",
            "What was paid for",
            f"{kept.accounting_years} years",
            lambda now: select(Purchase.id, Purchase.purchased_at.label("since")).where(
                Purchase.purchased_at <= years_before(now, kept.accounting_years)
            ),
            _delete_from(Purchase),
        ),
        Rule(
            "address-changes",
            "Wishes to have mail at another address",
            "until their link runs out, or the move has settled",
            lambda now: select(AddressChange.id, AddressChange.expires_at.label("since")).where(
                AddressChange.expires_at <= now
            ),
            _delete_changes,
        ),
        Rule(
            "data-requests",
            "Links to one’s own data that ran out",
            "a week after they ran out",
            lambda now: select(DataRequest.id, DataRequest.expires_at.label("since")).where(
                DataRequest.expires_at <= now - OPENED_LINKS
            ),
            _delete_from(DataRequest),
        ),
    )


def _unconfirmed(cutoff: datetime) -> Over:
    """Nobody pressed the button, and no request of theirs is younger."""
    asked_again = exists().where(
        Confirmation.subscriber_id == Subscriber.id, Confirmation.created_at > cutoff
    )
    return select(Subscriber, Subscriber.created_at.label("since")).where(
        Subscriber.state == PersonState.PENDING, Subscriber.created_at <= cutoff, ~asked_again
    )


def _left(cutoff: datetime) -> Over:
    return select(Subscriber, Subscriber.unsubscribed_at.label("since")).where(
        Subscriber.state.in_(_GONE), Subscriber.unsubscribed_at <= cutoff, is_silent(cutoff)
    )


def _inactive(cutoff: datetime) -> Over:
    return select(Subscriber, Subscriber.created_at.label("since")).where(
        Subscriber.state == PersonState.CONFIRMED, is_silent(cutoff), ~gets_mail()
    )


def gets_mail() -> ColumnElement[bool]:
    """Holds for people who agree to a series."""
    return exists().where(Consent.subscriber_id == Subscriber.id, Consent.purpose.in_(_MAILS))


def is_silent(cutoff: datetime) -> ColumnElement[bool]:
    """Holds for people who have given no sign of life since then, whatever it could be."""
    by_person = LinkClick.kind == ClickKind.PERSON
    in_challenge = ChallengeEntry.id == ChallengeDayDone.entry_id
    signs = (
        _sign(FunnelEvent.subscriber_id, FunnelEvent.occurred_at > cutoff),
        _sign(FunnelEvent.subscriber_id, FunnelEvent.again_at > cutoff),
        _sign(Guide.subscriber_id, Guide.last_downloaded_at > cutoff),
        _sign(ChallengeEntry.subscriber_id, in_challenge & (ChallengeDayDone.done_at > cutoff)),
        _sign(WaitlistEntry.subscriber_id, WaitlistEntry.joined_at > cutoff),
        _sign(Purchase.subscriber_id, Purchase.purchased_at > cutoff),
        _sign(ConsentEvent.subscriber_id, ConsentEvent.occurred_at > cutoff),
        _sign(DataRequest.subscriber_id, DataRequest.asked_at > cutoff),
        _sign(LinkClick.subscriber_id, (LinkClick.clicked_at > cutoff) & by_person),
    )
    return (Subscriber.created_at <= cutoff) & ~or_(*signs)


def _sign(whose: Any, is_young: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(whose == Subscriber.id, is_young)


def _attempts(cutoff: datetime) -> Over:
    is_open = Message.state.in_(sorted(OPEN_STATES))
    return select(Attempt.message_id, Attempt.fence, Attempt.started_at.label("since")).where(
        Attempt.started_at <= cutoff,
        ~exists().where(Message.id == Attempt.message_id, is_open),
    )


def _delete_attempts(session: Session, found: Found, _now: datetime) -> None:
    keys = [(row.message_id, row.fence) for row in found]
    session.execute(
        delete(Attempt)
        .where(tuple_(Attempt.message_id, Attempt.fence).in_(keys))
        .execution_options(synchronize_session=False)
    )


def _delete_complaints(session: Session, found: Found, _now: datetime) -> None:
    complaints.delete_all(session, [row.id for row in found])


def _delete_changes(session: Session, found: Found, _now: datetime) -> None:
    """What was never confirmed goes with its mail: the address may be a stranger's."""
    is_meant = among(session, AddressChange.id, [row.id for row in found])
    mistyped = select(AddressChange.public_id).where(is_meant, AddressChange.confirmed_at.is_(None))
    keys = [confirm_key(handle) for handle in session.scalars(mistyped)]
    session.execute(delete(Message).where(Message.dedupe_key.in_(keys)))
    session.execute(delete(AddressChange).where(is_meant))


def _delete_from(table: Any) -> Callable[[Session, Found, datetime], None]:
    def let_go(session: Session, found: Found, _now: datetime) -> None:
        session.execute(
            delete(table)
            .where(among(session, table.id, [row.id for row in found]))
            .execution_options(synchronize_session=False)
        )

    return let_go
