"""What people asked about their own data, and what is still to be erased elsewhere."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from funnel.db.base import Base


class DataRequest(Base):
    """A link to one's own data, mailed to the address on file. It opens until `expires_at`."""

    __tablename__ = "data_request"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(unique=True)
    subscriber_id: Mapped[int] = mapped_column(
        ForeignKey("subscriber.id", ondelete="CASCADE"), index=True
    )
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class ErasureJob(Base):
    """An address that is still to be erased outside the database; gone when that is done.

    `not_before` is the machine's time.
    """

    __tablename__ = "erasure_job"

    id: Mapped[int] = mapped_column(primary_key=True)
    sealed_address: Mapped[bytes]
    asked_at: Mapped[datetime]
    not_before: Mapped[datetime]
    attempt: Mapped[int]
    why: Mapped[str]
