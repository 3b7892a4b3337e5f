"""Personal guides: whose they are, and every print of them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from funnel.db.base import Base, one_of
from funnel.db.people import Subscriber
from funnel.domain.guides import Edition, GuideState


class Guide(Base):
    """One person's guide. `document` is its personal part, without anything about health."""

    __tablename__ = "guide"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(unique=True)
    subscriber_id: Mapped[int] = mapped_column(
        ForeignKey("subscriber.id", ondelete="CASCADE"), unique=True
    )
    document: Mapped[dict[str, object]] = mapped_column(JSON)
    requested_at: Mapped[datetime]
    ready_at: Mapped[datetime | None]
    link_expires_at: Mapped[datetime | None]
    downloads: Mapped[int] = mapped_column(default=0)
    first_downloaded_at: Mapped[datetime | None]
    last_downloaded_at: Mapped[datetime | None]

    subscriber: Mapped[Subscriber] = relationship()


class GuidePrint(Base):
    """One edition of a guide as a file. The row is the truth; the file can be made again.

    Without a guide it is a house copy: nobody's name in it, one for each edition and pattern.
    """

    __tablename__ = "guide_print"
    __table_args__ = (
        CheckConstraint(one_of("state", GuideState), name="state"),
        CheckConstraint(one_of("edition", Edition), name="edition"),
        UniqueConstraint("guide_id", "edition"),
        Index(
            "uq_guide_print_house",
            "house_pattern",
            "edition",
            unique=True,
            postgresql_where=text("guide_id IS NULL"),
            sqlite_where=text("guide_id IS NULL"),
        ),
        Index(
            "ix_guide_print_open",
            "not_before",
            postgresql_where=text("state IN ('requested', 'claimed', 'failed')"),
            sqlite_where=text("state IN ('requested', 'claimed', 'failed')"),
        ),
        Index("ix_guide_print_storage_key", "storage_key"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    guide_id: Mapped[int | None] = mapped_column(ForeignKey("guide.id", ondelete="CASCADE"))
    house_pattern: Mapped[str | None]
    edition: Mapped[str]
    state: Mapped[str] = mapped_column(default=GuideState.REQUESTED)
    requested_at: Mapped[datetime]
    not_before: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(default=0)
    attempt: Mapped[int] = mapped_column(default=0)
    made_at: Mapped[datetime | None]
    recipe: Mapped[str | None]
    storage_key: Mapped[str | None]
    size_bytes: Mapped[int | None]  # about: the exact one would tell what is in it
    pages: Mapped[int | None]
    seconds_to_make: Mapped[float | None]
    why: Mapped[str]

    guide: Mapped[Guide | None] = relationship()
