"""The subjects of mails, as the desk names them."""

import re
from collections.abc import Collection

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from funnel.content.mails import MailText
from funnel.db.texts import TextVersion
from funnel.services import texts

_FIELD = re.compile(r",?\s*\{\{[^{}]*\}\}")


def subject_of(version: TextVersion) -> str:
    """The subject of one version of a mail, its merge fields left out."""
    where = f"{version.key} version {version.version}"
    return plain_subject(texts.mail_text(version.source, where))


def plain_subject(mail: MailText) -> str:
    """The subject of a mail, its merge fields left out."""
    return _FIELD.sub("", mail.subject).strip()


def newest_subjects(session: Session) -> dict[str, str]:
    """The subject of every mail in its newest version, by mail key."""
    newest = (
        select(func.max(TextVersion.id)).where(TextVersion.kind == "mail").group_by(TextVersion.key)
    )
    query = select(TextVersion).where(TextVersion.id.in_(newest))
    return {version.key: subject_of(version) for version in session.scalars(query)}


def step_title(session: Session, sequence_key: str, step_key: str) -> str:
    """The subject of a step's mail in its newest version, or of its first arm; a fork has none,
    and is called by its key."""
    key = f"{sequence_key}/{step_key}"
    is_its_own = or_(TextVersion.key == key, TextVersion.key.startswith(f"{key}.", autoescape=True))
    query = select(TextVersion).where(TextVersion.kind == "mail", is_its_own)
    newest = query.order_by(TextVersion.key, TextVersion.version.desc()).limit(1)
    found = session.scalars(newest).first()
    return subject_of(found) if found else step_key


def subjects(session: Session, version_ids: Collection[int]) -> dict[int, str]:
    """The subject of each of these versions, by the version's id."""
    query = select(TextVersion).where(TextVersion.id.in_(version_ids))
    return {version.id: subject_of(version) for version in session.scalars(query)}
