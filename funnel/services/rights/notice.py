"""The privacy notice in its versions: what was published, and since when."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from funnel.content.documents import NOTICE
from funnel.db.texts import TextVersion
from funnel.services import texts

KIND = "document"


@dataclass(frozen=True)
class Notice:
    """One version of the privacy notice, in Markdown."""

    version: int
    source: str
    published_at: datetime


def publish(session: Session, source: str, *, now: datetime) -> bool:
    """Publish the notice as its next version; one that is as it was is left alone."""
    newest = texts.latest(session, KIND, NOTICE)
    if newest is not None and newest.source == source:
        return False
    number = newest.version + 1 if newest else 1
    return texts.add_version(session, KIND, NOTICE, number, source, origin=texts.SHIPPED, now=now)


def current(session: Session) -> Notice | None:
    """The version in force; None before the first was published."""
    found = texts.latest(session, KIND, NOTICE)
    return _notice(found) if found else None


def in_force(session: Session) -> int | None:
    """The id of the version in force, for a line of evidence to point at."""
    query = select(TextVersion.id).where(TextVersion.kind == KIND, TextVersion.key == NOTICE)
    return session.scalars(query.order_by(TextVersion.version.desc()).limit(1)).first()


def _notice(found: TextVersion) -> Notice:
    return Notice(found.version, found.source, found.created_at)
