"""The challenge people join, the waiting list, and what was paid for."""

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from funnel.db.base import Base


class ChallengeEntry(Base):
    """One person in the challenge."""

    __tablename__ = "challenge_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(
        ForeignKey("subscriber.id", ondelete="CASCADE"), unique=True
    )
    joined_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]

    days: Mapped[list["ChallengeDayDone"]] = relationship(
        cascade="all, delete-orphan", order_by="ChallengeDayDone.day"
    )


class ChallengeDayDone(Base):
    """A day that was ticked off."""

    __tablename__ = "challenge_day_done"

    entry_id: Mapped[int] = mapped_column(
        ForeignKey("challenge_entry.id", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[int] = mapped_column(primary_key=True)
    done_at: Mapped[datetime]


class WaitlistEntry(Base):
    """One person waiting for one offer."""

    __tablename__ = "waitlist_entry"
    __table_args__ = (UniqueConstraint("subscriber_id", "offer_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id", ondelete="CASCADE"))
    offer_key: Mapped[str]
    joined_at: Mapped[datetime]
    left_at: Mapped[datetime | None]


class Purchase(Base):
    """An offer that was paid for, as the therapist marked it. An erased buyer leaves it unnamed."""

    __tablename__ = "purchase"
    __table_args__ = (UniqueConstraint("subscriber_id", "offer_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    subscriber_id: Mapped[int | None] = mapped_column(
        ForeignKey("subscriber.id", ondelete="SET NULL")
    )
    offer_key: Mapped[str]
    marked_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    purchased_at: Mapped[datetime]
    voided_at: Mapped[datetime | None]
