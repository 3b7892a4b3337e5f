"""The words in the database: importing the shipped ones, and finding a version."""

import hashlib
from datetime import datetime
from functools import lru_cache

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from funnel.content.catalog import Catalog
from funnel.content.mails import MailText, parse_mail
from funnel.content.sequences import parse_sequence
from funnel.content.shipped import ShippedText
from funnel.db.texts import TextVersion
from funnel.domain.sequence import Sequence

SHIPPED = "shipped"


def import_shipped(
    session: Session, texts: tuple[ShippedText, ...], catalog: Catalog, *, now: datetime
) -> list[tuple[str, str]]:
    """Publish each shipped text that is new, or newer than a version nobody has edited.

    Running it again publishes nothing. Returns kind and key of each version made.
    """
    wordings = [("wording", word.key, word.text) for word in catalog.wordings.values()]
    mails = [(text.kind, text.key, text.source) for text in texts]
    return [
        (kind, key)
        for kind, key, source in mails + wordings
        if _import_one(session, kind, key, source, now)
    ]


def _import_one(session: Session, kind: str, key: str, source: str, now: datetime) -> bool:
    newest = latest(session, kind, key)
    digest = hashlib.sha256(source.encode()).hexdigest()
    if newest is not None and (newest.sha256 == digest or newest.origin != SHIPPED):
        return False
    session.add(
        TextVersion(
            kind=kind,
            key=key,
            version=newest.version + 1 if newest else 1,
            source=source,
            sha256=digest,
            origin=SHIPPED,
            created_at=now,
        )
    )
    session.flush()
    return True


def latest(session: Session, kind: str, key: str) -> TextVersion | None:
    """The newest version of a text."""
    query = select(TextVersion).where(TextVersion.kind == kind, TextVersion.key == key)
    return session.scalars(query.order_by(TextVersion.version.desc()).limit(1)).first()


def require(session: Session, kind: str, key: str) -> TextVersion:
    """The newest version of a text that must exist; LookupError names what is missing."""
    found = latest(session, kind, key)
    if found is None:
        raise LookupError(f"no {kind} text {key!r}: run `funnel migrate`")
    return found


def sequences(session: Session) -> dict[str, Sequence]:
    """Every sequence in its newest version, by key."""
    newest = (
        select(TextVersion.key, func.max(TextVersion.version).label("version"))
        .where(TextVersion.kind == "sequence")
        .group_by(TextVersion.key)
        .subquery()
    )
    query = select(TextVersion).join(
        newest, (TextVersion.key == newest.c.key) & (TextVersion.version == newest.c.version)
    )
    rows = session.scalars(query.where(TextVersion.kind == "sequence"))
    return {row.key: _sequence(row.source, f"{row.key} version {row.version}") for row in rows}


@lru_cache(maxsize=64)
def _sequence(source: str, where: str) -> Sequence:
    return parse_sequence(source, where)


@lru_cache(maxsize=256)
def mail_text(source: str, where: str) -> MailText:
    """A mail's text, parsed; the same source is parsed once."""
    return parse_mail(source, where)
