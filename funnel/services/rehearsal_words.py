"""What an installation has published: its words, and the days on which the practice is away."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from funnel.content.catalog import Catalog
from funnel.content.shipped import ShippedText
from funnel.db.texts import TextVersion
from funnel.services import control
from funnel.services.texts import import_shipped

_Kind = Literal["mail", "sequence"]
_KINDS: tuple[_Kind, ...] = ("mail", "sequence")


ABSENCES = "absences"


@dataclass(frozen=True)
class Published:
    """Every mail and sequence in its newest version, in a steady order, and the absences."""

    texts: tuple[ShippedText, ...]
    absences: Mapping[str, object]


def published(session: Session) -> Published:
    """What is published now."""
    words = tuple(text for kind in _KINDS for text in _newest(session, kind))
    return Published(words, control.read(session, ABSENCES))


def take_over(session: Session, found: Published, catalog: Catalog, *, now: datetime) -> None:
    """Publish the same in a database of one's own."""
    import_shipped(session, found.texts, catalog, now=now)
    if found.absences:
        control.write(session, ABSENCES, dict(found.absences))


def _newest(session: Session, kind: _Kind) -> list[ShippedText]:
    ids = select(func.max(TextVersion.id)).where(TextVersion.kind == kind).group_by(TextVersion.key)
    query = select(TextVersion).where(TextVersion.id.in_(ids)).order_by(TextVersion.key)
    return [
        ShippedText(kind, row.key, row.source, f"{row.key} version {row.version}")
        for row in session.scalars(query)
    ]
