"""People, what they agreed to, and addresses left alone."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from funnel.db.base import Base, one_of
from funnel.domain.clicks import ClickKind
from funnel.domain.people import PersonState, Purpose, SuppressionReason
from funnel.domain.sequence import Fact


class Subscriber(Base):
    """One person, found by one address. `public_id` is the handle that signed links carry.

    Until `paused_until` they want no series mail; `weekly_cap` is the most of them in seven days.
    """

    __tablename__ = "subscriber"
    __table_args__ = (
        CheckConstraint(one_of("state", PersonState), name="state"),
        Index("ix_subscriber_created_at", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(unique=True)
    email: Mapped[str]
    email_key: Mapped[str] = mapped_column(unique=True)
    first_name: Mapped[str | None]
    state: Mapped[str] = mapped_column(default=PersonState.PENDING)
    time_zone: Mapped[str | None]
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    unsubscribed_at: Mapped[datetime | None]
    paused_until: Mapped[datetime | None]
    weekly_cap: Mapped[int | None]
    source: Mapped[str] = mapped_column(default="direct")
    utm_source: Mapped[str | None]
    utm_medium: Mapped[str | None]
    utm_campaign: Mapped[str | None]
    referrer: Mapped[str | None]
    landing_page: Mapped[str | None]
    is_test: Mapped[bool] = mapped_column(default=False)

    consents: Mapped[list["Consent"]] = relationship(
        cascade="all, delete-orphan", order_by="Consent.purpose"
    )


class Confirmation(Base):
    """One request to confirm an address, with what was ticked on the form.

    `reminded_at`: the one reminder was thought of, whether or not it could go.
    """

    __tablename__ = "confirmation"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(unique=True)
    subscriber_id: Mapped[int] = mapped_column(
        ForeignKey("subscriber.id", ondelete="CASCADE"), index=True
    )
    wants_series: Mapped[bool]
    wants_health: Mapped[bool]
    sealed_answers: Mapped[bytes | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]


class AddressChange(Base):
    """A wish to have one's mail at another address, until its link is pressed there."""

    __tablename__ = "address_change"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(unique=True)
    subscriber_id: Mapped[int] = mapped_column(
        ForeignKey("subscriber.id", ondelete="CASCADE"), index=True
    )
    email: Mapped[str]
    email_key: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    confirmed_at: Mapped[datetime | None]


class KeptAnswers(Base):
    """What a person told in the self-check, sealed: kept by consent, and not for long."""

    __tablename__ = "kept_answers"

    subscriber_id: Mapped[int] = mapped_column(
        ForeignKey("subscriber.id", ondelete="CASCADE"), primary_key=True
    )
    sealed: Mapped[bytes]
    given_at: Mapped[datetime]
    delete_at: Mapped[datetime] = mapped_column(index=True)


class Consent(Base):
    """A consent that stands now. Withdrawing deletes the row; the history is ConsentEvent."""

    __tablename__ = "consent"
    __table_args__ = (CheckConstraint(one_of("purpose", Purpose), name="purpose"),)

    subscriber_id: Mapped[int] = mapped_column(
        ForeignKey("subscriber.id", ondelete="CASCADE"), primary_key=True
    )
    purpose: Mapped[str] = mapped_column(primary_key=True)
    given_at: Mapped[datetime]


class ConsentEvent(Base):
    """Evidence, append-only: who agreed to, or withdrew from, which exact wording, and how.

    The one change that the database lets through makes a tombstone of a line: the person and all
    that could tell who it was are taken out, and what was agreed to, and when, stays.
    """

    __tablename__ = "consent_event"
    __table_args__ = (Index("ix_consent_event_subscriber_id", "subscriber_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    subscriber_id: Mapped[int | None] = mapped_column(ForeignKey("subscriber.id"))
    occurred_at: Mapped[datetime]
    action: Mapped[str]
    purpose: Mapped[str]
    is_granted: Mapped[bool]
    wording_id: Mapped[int] = mapped_column(ForeignKey("text_version.id"))
    wording_sha256: Mapped[str]
    page_url: Mapped[str]
    form_version: Mapped[str]
    method: Mapped[str]
    ip_truncated: Mapped[str]
    user_agent: Mapped[str]
    source: Mapped[str]
    seconds_on_page: Mapped[float | None]
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("text_version.id"))


class Suppression(Base):
    """An address left alone, kept as a keyed hash so that it outlives the person's data."""

    __tablename__ = "suppression"
    __table_args__ = (
        UniqueConstraint("address_hash", "reason"),
        CheckConstraint(one_of("reason", SuppressionReason), name="reason"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    address_hash: Mapped[str]
    reason: Mapped[str]
    created_at: Mapped[datetime]


class FunnelEvent(Base):
    """The first time a fact of the funnel became true of a person, and the last time it did."""

    __tablename__ = "funnel_event"
    __table_args__ = (
        UniqueConstraint("subscriber_id", "fact"),
        CheckConstraint(one_of("fact", Fact), name="fact"),
        Index("ix_funnel_event_fact_occurred_at", "fact", "occurred_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id", ondelete="CASCADE"))
    fact: Mapped[str]
    occurred_at: Mapped[datetime]
    again_at: Mapped[datetime | None]


class VisitCount(Base):
    """Visits to a public page, a count for a day and a source. It knows no person."""

    __tablename__ = "visit_count"

    day: Mapped[str] = mapped_column(primary_key=True)
    page: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    visits: Mapped[int]


class ClickCount(Base):
    """Links of a mail that were followed, a count for a day. It knows no person."""

    __tablename__ = "click_count"
    __table_args__ = (CheckConstraint(one_of("kind", ClickKind), name="kind"),)

    day: Mapped[str] = mapped_column(primary_key=True)
    mail_key: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    clicks: Mapped[int]


class LinkClick(Base):
    """A link that one person followed: kept only while they allow it, by a consent of its own."""

    __tablename__ = "link_click"
    __table_args__ = (CheckConstraint(one_of("kind", ClickKind), name="kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(
        ForeignKey("subscriber.id", ondelete="CASCADE"), index=True
    )
    mail_key: Mapped[str]
    clicked_at: Mapped[datetime]
    kind: Mapped[str]
