"""The words in the database: importing the shipped ones, and finding a version."""

import hashlib
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from weakref import WeakKeyDictionary

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from funnel.content.catalog import Catalog
from funnel.content.mails import MailText, parse_mail
from funnel.content.sequences import parse_sequence
from funnel.content.shipped import ShippedText
from funnel.db.texts import TextVersion
from funnel.db.upsert import insert_if_absent
from funnel.domain.errors import ContentInvalid
from funnel.domain.sequence import Sequence
from funnel.domain.versions import with_history

SHIPPED = "shipped"
log = logging.getLogger(__name__)


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
    if newest is not None and (newest.source == source or newest.origin != SHIPPED):
        return False
    number = newest.version + 1 if newest else 1
    return add_version(session, kind, key, number, source, origin=SHIPPED, now=now)


def edited_by_hand(session: Session, shipped: Iterable[ShippedText]) -> tuple[ShippedText, ...]:
    """The shipped texts that differ from a newest version that somebody published by hand."""
    return tuple(
        text
        for text in shipped
        if (newest := latest(session, text.kind, text.key)) is not None
        and newest.origin != SHIPPED
        and newest.source != text.source
    )


def add_version(
    session: Session,
    kind: str,
    key: str,
    version: int,
    source: str,
    *,
    origin: str,
    by: str | None = None,
    now: datetime,
) -> bool:
    """Add a version of a text; False when somebody else has added this number meanwhile."""
    return insert_if_absent(
        session,
        TextVersion,
        kind=kind,
        key=key,
        version=version,
        source=source,
        sha256=hashlib.sha256(source.encode()).hexdigest(),
        origin=origin,
        made_by=by,
        created_at=now,
    )


def newest_versions(session: Session) -> dict[tuple[str, str], int]:
    """The number of the newest version of every text, by kind and key."""
    query = select(TextVersion.kind, TextVersion.key, func.max(TextVersion.version))
    rows = session.execute(query.group_by(TextVersion.kind, TextVersion.key))
    return {(kind, key): version for kind, key, version in rows}


def versions(session: Session, kind: str, key: str) -> list[TextVersion]:
    """Every version of a text, the newest first; empty for an unknown one."""
    query = select(TextVersion).where(TextVersion.kind == kind, TextVersion.key == key)
    return list(session.scalars(query.order_by(TextVersion.version.desc())))


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
    """Every sequence in its newest version, by key, knowing the steps that older ones had.

    One whose newest version cannot be read stays as it was before; see `unreadable`. They are
    read again only when a version came; else this is one small query.
    """
    return dict(_kept(session).sequences)


def unreadable(session: Session) -> tuple[str, ...]:
    """The sequences whose newest version cannot be read, by key: an older one holds meanwhile."""
    return _kept(session).unreadable


def _kept(session: Session) -> "_Kept":
    query = select(TextVersion.key, TextVersion.version, TextVersion.sha256).where(
        TextVersion.kind == "sequence"
    )
    known = tuple(
        (row.key, row.version, row.sha256)
        for row in session.execute(query.order_by(TextVersion.key, TextVersion.version))
    )
    kept = _KEPT.get(session.get_bind())
    if kept is None or kept.known != known:
        kept = _read_sequences(session, known)
        _KEPT[session.get_bind()] = kept
    return kept


@dataclass(frozen=True)
class _Kept:
    """The sequences of one database, and the versions they were read from."""

    known: tuple[tuple[str, int, str], ...]
    sequences: Mapping[str, Sequence]
    unreadable: tuple[str, ...]


_KEPT: WeakKeyDictionary[object, _Kept] = WeakKeyDictionary()


def _read_sequences(session: Session, known: tuple[tuple[str, int, str], ...]) -> _Kept:
    query = select(TextVersion).where(TextVersion.kind == "sequence")
    found: dict[str, list[TextVersion]] = defaultdict(list)
    for row in session.scalars(query.order_by(TextVersion.version)):
        found[row.key].append(row)
    unread = tuple(key for key, rows in found.items() if _read(rows[-1]) is None)
    for key in unread:
        # One bad text must not stop everybody's mail.
        log.error("sequence %s version %s cannot be read", key, found[key][-1].version)
    readable = {key: _readable(rows) for key, rows in found.items()}
    return _Kept(known, {key: with_history(each) for key, each in readable.items() if each}, unread)


def _readable(rows: Iterable[TextVersion]) -> list[Sequence]:
    found = (_read(row) for row in rows)
    return [version for version in found if version is not None]


def draft_with_history(session: Session, draft: Sequence) -> Sequence:
    """A sequence as it will be once it is the newest version."""
    query = select(TextVersion).where(TextVersion.kind == "sequence", TextVersion.key == draft.key)
    rows = session.scalars(query.order_by(TextVersion.version))
    return with_history([*_readable(rows), draft])


def _read(row: TextVersion) -> Sequence | None:
    """One version; None where the language it was written in is no longer read."""
    try:
        return _sequence(row.source, f"{row.key} version {row.version}")
    except ContentInvalid:
        return None


@lru_cache(maxsize=256)
def _sequence(source: str, where: str) -> Sequence:
    return parse_sequence(source, where)


@lru_cache(maxsize=256)
def mail_text(source: str, where: str, mark: str = "") -> MailText:
    """A mail's text, parsed, with the mark of its counted links; the same is parsed once."""
    return replace(parse_mail(source, where), mark=mark)
