"""The therapist's desk: who may enter, who is in, and what was done."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from funnel.db.base import Base


class Staff(Base):
    """Someone who may sign in to the desk.

    `totp_sealed` is the secret shared with their phone's app since `second_factor_at`; `totp_step`
    is the newest step of thirty seconds whose code was used.
    """

    __tablename__ = "staff"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    email_key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str]
    created_at: Mapped[datetime]
    second_factor_at: Mapped[datetime | None]
    totp_sealed: Mapped[bytes | None]
    totp_step: Mapped[int | None]


class SetupToken(Base):
    """The one-time link that makes the first account; only its hash is kept."""

    __tablename__ = "setup_token"

    token_sha256: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class StaffSession(Base):
    """A signed-in browser; only the hash of its secret is kept.

    `password_at` and `second_factor_at` say when each was last given in it.
    """

    __tablename__ = "staff_session"

    token_sha256: Mapped[str] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"))
    csrf_token: Mapped[str]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    password_at: Mapped[datetime | None]
    second_factor_at: Mapped[datetime | None]
    browser: Mapped[str | None]

    staff: Mapped[Staff] = relationship()


class RecoveryCode(Base):
    """A code on paper that takes the place of the phone once; only its keyed hash is kept."""

    __tablename__ = "recovery_code"

    code_name: Mapped[str] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    used_at: Mapped[datetime | None]


class AuditEntry(Base):
    """What somebody did at the desk: the database refuses to change it. A timer lets it go."""

    __tablename__ = "audit_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    occurred_at: Mapped[datetime] = mapped_column(index=True)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    action: Mapped[str]
    subject: Mapped[str]
