"""Sequences under way, messages on their way, and what providers told of them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from funnel.db.base import Base, one_of
from funnel.db.people import Subscriber
from funnel.db.texts import TextVersion
from funnel.domain.delivery import OPEN_STATES, MessageState
from funnel.domain.enrolment import EnrolmentState
from funnel.domain.ports import MailClass

_OPEN = ", ".join(f"'{state.value}'" for state in sorted(OPEN_STATES))


class Enrolment(Base):
    """One person in one sequence. `next_due_at` is null while a mail is on its way.

    `round` counts how often they went through it; `onto` is the step they were led or moved to;
    the mail of the step `send_now` waits for no hour.
    """

    __tablename__ = "enrolment"
    __table_args__ = (
        UniqueConstraint("subscriber_id", "sequence_key", "round"),
        Index("ix_enrolment_sequence_key_state_last_step", "sequence_key", "state", "last_step"),
        CheckConstraint(one_of("state", EnrolmentState), name="state"),
        Index(
            "ix_enrolment_due",
            "next_due_at",
            postgresql_where=text("state = 'active' AND next_due_at IS NOT NULL"),
            sqlite_where=text("state = 'active' AND next_due_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id", ondelete="CASCADE"))
    sequence_key: Mapped[str]
    state: Mapped[str] = mapped_column(default=EnrolmentState.ACTIVE)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    last_step: Mapped[str | None]
    anchor_at: Mapped[datetime]
    next_due_at: Mapped[datetime | None]
    why: Mapped[str]
    round: Mapped[int] = mapped_column(default=1, server_default="1")
    onto: Mapped[str | None]
    send_now: Mapped[str | None]

    subscriber: Mapped[Subscriber] = relationship()


class OwedStep(Base):
    """A step that was put in behind a person, and that they are to get all the same."""

    __tablename__ = "owed_step"

    enrolment_id: Mapped[int] = mapped_column(
        ForeignKey("enrolment.id", ondelete="CASCADE"), primary_key=True
    )
    step_key: Mapped[str] = mapped_column(primary_key=True)
    asked_at: Mapped[datetime]


class StepSkip(Base):
    """A step that was passed over for a person, and why in one sentence."""

    __tablename__ = "step_skip"
    __table_args__ = (UniqueConstraint("enrolment_id", "step_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    enrolment_id: Mapped[int] = mapped_column(ForeignKey("enrolment.id", ondelete="CASCADE"))
    step_key: Mapped[str]
    occurred_at: Mapped[datetime]
    why: Mapped[str]


class Message(Base):
    """One mail to one person: the outbox. See docs/sending.md for its life.

    `to_address` is set where it does not go to the person's own address; a mail that answers a
    stranger has no person at all. `lost_claims` counts the workers that stopped with it in hand,
    before it was being sent.
    """

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("enrolment_id", "step_key"),
        CheckConstraint(one_of("state", MessageState), name="state"),
        CheckConstraint(one_of("mail_class", MailClass), name="mail_class"),
        CheckConstraint("subscriber_id IS NOT NULL OR to_address IS NOT NULL", name="recipient"),
        Index(
            "one_open_per_enrolment",
            "enrolment_id",
            unique=True,
            postgresql_where=text(f"enrolment_id IS NOT NULL AND state IN ({_OPEN})"),
            sqlite_where=text(f"enrolment_id IS NOT NULL AND state IN ({_OPEN})"),
        ),
        Index(
            "ix_message_due",
            "priority",
            "not_before",
            postgresql_where=text("state = 'scheduled'"),
            sqlite_where=text("state = 'scheduled'"),
        ),
        Index(
            "ix_message_lease",
            "lease_until",
            postgresql_where=text("state IN ('claimed', 'sending')"),
            sqlite_where=text("state IN ('claimed', 'sending')"),
        ),
        Index(
            "ix_message_closed",
            "closed_at",
            postgresql_where=text("closed_at IS NOT NULL"),
            sqlite_where=text("closed_at IS NOT NULL"),
        ),
        Index(
            "ix_message_doubt",
            "doubt_since",
            postgresql_where=text("state = 'unknown'"),
            sqlite_where=text("state = 'unknown'"),
        ),
        Index("ix_message_subscriber_id_created_at", "subscriber_id", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    subscriber_id: Mapped[int | None] = mapped_column(
        ForeignKey("subscriber.id", ondelete="CASCADE")
    )
    to_address: Mapped[str | None]
    enrolment_id: Mapped[int | None] = mapped_column(ForeignKey("enrolment.id", ondelete="CASCADE"))
    step_key: Mapped[str | None]
    dedupe_key: Mapped[str] = mapped_column(unique=True)
    mail_class: Mapped[str]
    purpose: Mapped[str | None]
    mail_key: Mapped[str]
    text_version_id: Mapped[int] = mapped_column(ForeignKey("text_version.id"))
    reference: Mapped[str | None]
    priority: Mapped[int]
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    not_before: Mapped[datetime]
    state: Mapped[str] = mapped_column(default=MessageState.SCHEDULED)
    fence: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    worker: Mapped[str | None]
    lost_claims: Mapped[int] = mapped_column(default=0, server_default="0")
    attempt: Mapped[int] = mapped_column(default=0)
    is_resent: Mapped[bool] = mapped_column(default=False)
    payload_sha256: Mapped[str | None]
    provider: Mapped[str | None]
    provider_id: Mapped[str | None] = mapped_column(index=True)
    accepted_at: Mapped[datetime | None]
    doubt_since: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    delivery: Mapped[str | None]
    why: Mapped[str]
    variant: Mapped[str | None]
    is_hurried: Mapped[bool] = mapped_column(default=False, server_default=false())
    asked_provider_at: Mapped[datetime | None]

    subscriber: Mapped[Subscriber | None] = relationship()
    text_version: Mapped[TextVersion] = relationship()


class Attempt(Base):
    """One try to hand a message over; the row is written before the first byte leaves."""

    __tablename__ = "attempt"

    message_id: Mapped[UUID] = mapped_column(
        ForeignKey("message.id", ondelete="CASCADE"), primary_key=True
    )
    fence: Mapped[int] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    status_code: Mapped[int | None]
    outcome: Mapped[str | None]


class MailEvent(Base):
    """One event of the provider's webhook, stored once and handled once."""

    __tablename__ = "mail_event"
    __table_args__ = (
        Index(
            "ix_mail_event_unhandled",
            "received_at",
            postgresql_where=text("handled_at IS NULL"),
            sqlite_where=text("handled_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    received_at: Mapped[datetime]
    occurred_at: Mapped[datetime]
    kind: Mapped[str]
    body: Mapped[dict[str, object]] = mapped_column(JSON)
    message_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("message.id", ondelete="SET NULL"), index=True
    )
    handled_at: Mapped[datetime | None]
    problem: Mapped[str | None]


class Control(Base):
    """A switch or a gauge of the sender: paused, breaker, last tick, the demo's clock."""

    __tablename__ = "control"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[dict[str, object]] = mapped_column(JSON)


class Tick(Base):
    """A slot of a periodic job, taken by whoever inserts it first."""

    __tablename__ = "tick"

    name: Mapped[str] = mapped_column(primary_key=True)
    slot: Mapped[datetime] = mapped_column(primary_key=True)


class RateWindow(Base):
    """How often a thing was done since its window opened, by a keyed hash of who did it."""

    __tablename__ = "rate_window"

    key: Mapped[str] = mapped_column(primary_key=True)
    closes_at: Mapped[datetime] = mapped_column(index=True)
    count: Mapped[int]
