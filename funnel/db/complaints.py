"""What people complain of: how we handled their details."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from funnel.db.base import Base, one_of
from funnel.domain.complaints import ComplaintState


class Complaint(Base):
    """A complaint about data protection; its words and its outcome lie sealed.

    Whoever complains need not be known to us, so it belongs to an address and to no person.
    """

    __tablename__ = "complaint"
    __table_args__ = (CheckConstraint(one_of("state", ComplaintState), name="state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(unique=True)
    received_at: Mapped[datetime]
    name: Mapped[str | None]
    email: Mapped[str]
    email_key: Mapped[str] = mapped_column(index=True)
    sealed_words: Mapped[bytes]
    state: Mapped[str] = mapped_column(default=ComplaintState.OPEN)
    acknowledged_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    sealed_outcome: Mapped[bytes | None]
