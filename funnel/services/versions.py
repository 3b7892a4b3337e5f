"""The versions of every text, for whoever looks at them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from funnel.db.texts import TextVersion
from funnel.domain.errors import NotFound
from funnel.services import texts


@dataclass(frozen=True)
class Version:
    """One version of one text: where it was published, by whom and when."""

    kind: str
    key: str
    number: int
    source: str
    origin: str
    by: str | None
    created_at: datetime


def all_texts(session: Session) -> list[Version]:
    """The newest version of every mail and sequence, by kind and key."""
    newest = select(func.max(TextVersion.id)).group_by(TextVersion.kind, TextVersion.key)
    query = select(TextVersion).where(
        TextVersion.id.in_(newest), TextVersion.kind.in_(["mail", "sequence"])
    )
    return [
        _view(row) for row in session.scalars(query.order_by(TextVersion.kind, TextVersion.key))
    ]


def history(session: Session, kind: str, key: str) -> list[Version]:
    """Every version of a text, the newest first; empty for an unknown one."""
    return [_view(row) for row in texts.versions(session, kind, key)]


def version(session: Session, kind: str, key: str, number: int | None = None) -> Version:
    """One version of a text, the newest without a number; raises NotFound."""
    found = history(session, kind, key)
    for row in found:
        if number is None or row.number == number:
            return row
    what = f"text “{key}”" if not found else f"version {number} of “{key}”"
    raise NotFound(f"there is no {what}.")


def _view(row: TextVersion) -> Version:
    return Version(
        row.kind, row.key, row.version, row.source, row.origin, row.made_by, row.created_at
    )
