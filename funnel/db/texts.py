"""Immutable versions of every text the funnel sends."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from funnel.db.base import Base


class TextVersion(Base):
    """One version of one text. Rows are never changed; a publish adds the next version."""

    __tablename__ = "text_version"
    __table_args__ = (UniqueConstraint("kind", "key", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    key: Mapped[str]
    version: Mapped[int]
    source: Mapped[str]
    sha256: Mapped[str]
    origin: Mapped[str]
    made_by: Mapped[str | None]
    created_at: Mapped[datetime]
