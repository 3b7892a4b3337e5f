"""Presses of links in mails, as the desk shows them: of a mail, and of one person who allows it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from funnel.db.people import ClickCount, LinkClick
from funnel.domain.clicks import ClickKind
from funnel.domain.schedule import DEFAULT_ZONE, zone_of


@dataclass(frozen=True)
class Presses:
    """How often links of a mail were pressed by people, and followed by machines."""

    people: int = 0
    machines: int = 0


def presses(session: Session, *, since: datetime) -> dict[str, Presses]:
    """The presses since that day, by mail key."""
    day = since.astimezone(zone_of(DEFAULT_ZONE)).date().isoformat()
    query = (
        select(ClickCount.mail_key, ClickCount.kind, func.sum(ClickCount.clicks))
        .where(ClickCount.day >= day)
        .group_by(ClickCount.mail_key, ClickCount.kind)
    )
    found = {(key, kind): int(many) for key, kind, many in session.execute(query)}
    return {
        key: Presses(found.get((key, ClickKind.PERSON), 0), found.get((key, ClickKind.MACHINE), 0))
        for key, _ in found
    }


def presses_of(session: Session, subscriber_id: int, *, most: int) -> list[LinkClick]:
    """The newest presses noted of one person, oldest first."""
    query = select(LinkClick).where(LinkClick.subscriber_id == subscriber_id)
    newest = query.order_by(LinkClick.clicked_at.desc(), LinkClick.id.desc()).limit(most)
    return list(reversed(session.scalars(newest).all()))
