"""Personal guides: what to print, and where the printed file lies."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from funnel.db.base import Base, one_of
from funnel.db.people import Subscriber
from funnel.domain.guides import GuideState


class Guide(Base):
    """One person's guide. The row is the truth; the file can be made again from `document`."""

    __tablename__ = "guide"
    __table_args__ = (
        CheckConstraint(one_of("state", GuideState), name="state"),
        Index(
            "ix_guide_open",
            "not_before",
            postgresql_where=text("state IN ('requested', 'claimed', 'failed')"),
            sqlite_where=text("state IN ('requested', 'claimed', 'failed')"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(unique=True)
    subscriber_id: Mapped[int] = mapped_column(
        ForeignKey("subscriber.id", ondelete="CASCADE"), unique=True
    )
    document: Mapped[dict[str, object]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(default=GuideState.REQUESTED)
    requested_at: Mapped[datetime]
    not_before: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(default=0)
    attempt: Mapped[int] = mapped_column(default=0)
    ready_at: Mapped[datetime | None]
    link_expires_at: Mapped[datetime | None]
    storage_key: Mapped[str | None]
    sha256: Mapped[str | None]
    size_bytes: Mapped[int | None]
    pages: Mapped[int | None]
    seconds_to_make: Mapped[float | None]
    downloads: Mapped[int] = mapped_column(default=0)
    first_downloaded_at: Mapped[datetime | None]
    last_downloaded_at: Mapped[datetime | None]
    why: Mapped[str]

    subscriber: Mapped[Subscriber] = relationship()
