"""Rows put straight into the tables, for figures that are worked out by hand."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from sqlalchemy.orm import Session

from funnel.db.mail import Enrolment, Message
from funnel.db.people import FunnelEvent, Subscriber
from funnel.db.texts import TextVersion
from funnel.domain.delivery import EventKind, MessageState
from funnel.domain.people import PersonState
from funnel.domain.ports import MailClass
from funnel.domain.sequence import Fact
from funnel.services import staff

# A Friday afternoon; the week began on Monday 16 November at 00:00 in London.
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)

SEQUENCE = """
key: {key}
title: {title}
purpose: {purpose}
starts_on: [{starts_on}]
window: 08:00-20:00
steps:
  - key: one
    after: 1 day
  - key: two
    after: 1 day
  - key: three
    after: 1 day
"""


def add_person(
    session: Session,
    facts: dict[Fact, datetime],
    *,
    name: str | None = "Ada",
    email: str | None = None,
    source: str = "google",
    state: PersonState = PersonState.CONFIRMED,
    is_test: bool = False,
    created_at: datetime = NOW,
) -> Subscriber:
    """A person with these facts."""
    address = email or f"{uuid4().hex}@example.org"
    person = Subscriber(
        public_id=uuid4(),
        email=address,
        email_key=address.lower(),
        first_name=name,
        state=state,
        source=source,
        is_test=is_test,
        created_at=created_at,
    )
    session.add(person)
    session.flush()
    session.add_all(
        FunnelEvent(subscriber_id=person.id, fact=fact, occurred_at=when)
        for fact, when in facts.items()
    )
    session.flush()
    return person


def add_texts(session: Session) -> dict[str, int]:
    """One sequence of three mails and two service mails; returns version ids by mail key."""
    sequence = SEQUENCE.format(
        key="nurture", title="The series", purpose="series", starts_on="confirmed"
    )
    sources = {("sequence", "nurture"): sequence}
    for key, subject in {
        "service/confirm": "Please confirm",
        "service/guide_ready": "Your guide is ready{{ first_name or 'there' }}",
        "nurture/one": "First",
        "nurture/two": "Second, {{ first_name or 'there' }}",
        "nurture/three": "Third",
    }.items():
        words = f'---\nsubject: "{subject}"\npreheader: A line below it\n---\n\nHello.\n'
        sources["mail", key] = words.replace("'there'", '\\"there\\"')
    rows = [
        TextVersion(
            kind=kind,
            key=key,
            version=1,
            source=source,
            sha256="0",
            origin="shipped",
            created_at=NOW,
        )
        for (kind, key), source in sources.items()
    ]
    session.add_all(rows)
    session.flush()
    return {row.key: row.id for row in rows if row.kind == "mail"}


def add_message(
    session: Session,
    person: Subscriber,
    mail_key: str,
    version_id: int,
    state: MessageState,
    *,
    created_at: datetime = NOW,
    why: str = "Because.",
    delivery: EventKind | None = None,
    enrolment: Enrolment | None = None,
) -> Message:
    """One mail in one state."""
    message = Message(
        id=uuid4(),
        subscriber_id=person.id,
        enrolment_id=enrolment.id if enrolment else None,
        step_key=mail_key.partition("/")[2] if enrolment else None,
        dedupe_key=uuid4().hex,
        mail_class=MailClass.DRIP if enrolment else MailClass.DELIVER,
        mail_key=mail_key,
        text_version_id=version_id,
        priority=0,
        created_at=created_at,
        due_at=created_at,
        not_before=created_at,
        state=state,
        accepted_at=created_at if state is MessageState.ACCEPTED else None,
        closed_at=created_at,
        delivery=delivery,
        why=why,
    )
    session.add(message)
    session.flush()
    return message


def add_enrolment(
    session: Session,
    person: Subscriber,
    *,
    last_step: str | None = None,
    next_due_at: datetime | None = None,
    why: str = "It is not due before then.",
    state: str = "active",
) -> Enrolment:
    """A place in the series."""
    enrolment = Enrolment(
        subscriber_id=person.id,
        sequence_key="nurture",
        state=state,
        started_at=NOW - 5 * DAY,
        anchor_at=NOW - DAY,
        last_step=last_step,
        next_due_at=next_due_at,
        why=why,
    )
    session.add(enrolment)
    session.flush()
    return enrolment


def add_staff(session: Session) -> None:
    """Dr Reyes, the first member of staff."""
    token = staff.make_setup_link(session, now=NOW) or ""
    account = staff.new_account(
        name="Dr Reyes", email="r@example.org", password="kettle lamp otter"
    )
    staff.set_up(session, token, account, now=NOW)
