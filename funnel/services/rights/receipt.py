"""The consent receipt: who agreed to which exact words, when, where and how, and what was
taken back."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from funnel.db.people import Consent, ConsentEvent, Subscriber
from funnel.db.texts import TextVersion
from funnel.domain.errors import NotFound
from funnel.domain.schedule import zone_of
from funnel.services.rights.records import Record, plain

GUIDE = "guide"
ASKED = "Asked for it"
PURPOSES = {
    GUIDE: "The guide",
    "series": "The follow-up series",
    "health": "Keeping answers about health",
    "challenge": "The challenge’s emails",
    "clicks": "Noting which links are pressed",
    "address": "The address of the emails",
}
_SAID = {
    ("asked", True): "Ticked this box",
    ("asked", False): "Left this box empty",
    ("confirmed", True): "Confirmed it, from the address itself",
    ("joined", True): "Agreed, by joining",
    ("chosen", True): "Chose it, on the page of email choices",
    ("withdrawn", False): "Took it back",
    ("changed", True): "Confirmed another address, from the address itself",
    ("expired", False): "Its time was over, so it ended by itself",
}


@dataclass(frozen=True)
class Words:
    """One version of a text, and whether it still has the hash that was noted with the consent."""

    text: str
    version: int
    sha256: str
    is_unchanged: bool


@dataclass(frozen=True)
class Line:
    """One line of evidence. `wording` is what was on the page; `notice` the privacy notice."""

    at: datetime
    purpose: str
    said: str
    is_granted: bool
    wording: Words
    notice: Words | None
    page_url: str
    form_version: str
    method: str
    network: str
    browser: str
    source: str
    seconds_on_page: float | None

    @property
    def name(self) -> str:
        """What it was about."""
        return PURPOSES.get(self.purpose, self.purpose)


@dataclass(frozen=True)
class Receipt:
    """Everything one person ever agreed to, oldest first, and what stands now."""

    email: str
    first_name: str | None
    zone: ZoneInfo
    made_at: datetime
    lines: tuple[Line, ...]
    standing: tuple[str, ...]
    unsubscribed_at: datetime | None

    def as_json(self) -> Record:
        """The same as plain values, under names that stay."""
        return {
            "format": "consent receipt",
            "version": 1,
            "made_at": plain(self.made_at),
            "email": self.email,
            "first_name": self.first_name,
            "time_zone": self.zone.key,
            "standing": list(self.standing),
            "unsubscribed_at": plain(self.unsubscribed_at),
            "lines": [_as_json(line, self.zone) for line in self.lines],
        }


def receipt(session: Session, subscriber_id: int, *, now: datetime) -> Receipt:
    """The receipt of one person; raises NotFound."""
    person = session.get(Subscriber, subscriber_id)
    if person is None:
        raise NotFound
    query = select(Consent.purpose).where(Consent.subscriber_id == person.id)
    return Receipt(
        email=person.email,
        first_name=person.first_name,
        zone=zone_of(person.time_zone),
        made_at=now,
        lines=_lines(session, person.id),
        standing=tuple(session.scalars(query.order_by(Consent.purpose))),
        unsubscribed_at=person.unsubscribed_at,
    )


def _lines(session: Session, subscriber_id: int) -> tuple[Line, ...]:
    query = select(ConsentEvent).where(ConsentEvent.subscriber_id == subscriber_id)
    found = session.scalars(query.order_by(ConsentEvent.occurred_at, ConsentEvent.id)).all()
    texts = _texts(session, {event.wording_id for event in found})
    texts |= _texts(session, {event.notice_id for event in found if event.notice_id})
    return tuple(_line(event, texts) for event in found)


def _texts(session: Session, ids: Collection[int]) -> dict[int, TextVersion]:
    query = select(TextVersion).where(TextVersion.id.in_(ids))
    return {text.id: text for text in session.scalars(query)}


def _line(event: ConsentEvent, texts: dict[int, TextVersion]) -> Line:
    notice = texts[event.notice_id] if event.notice_id else None
    is_button = event.purpose == GUIDE and event.action == "asked"  # it has no box of its own
    said = ASKED if is_button else _SAID.get((event.action, event.is_granted))
    return Line(
        at=event.occurred_at,
        purpose=event.purpose,
        said=said or f"{event.action[:1].upper()}{event.action[1:]}",
        is_granted=event.is_granted,
        wording=_words(texts[event.wording_id], event.wording_sha256),
        notice=_words(notice, notice.sha256) if notice else None,
        page_url=event.page_url,
        form_version=event.form_version,
        method=event.method,
        network=event.ip_truncated,
        browser=event.user_agent,
        source=event.source,
        seconds_on_page=event.seconds_on_page,
    )


def _words(text: TextVersion, sha256: str) -> Words:
    """A text with the hash that was noted; it is compared with the text as it is today."""
    is_unchanged = hashlib.sha256(text.source.encode()).hexdigest() == sha256
    return Words(text.source, text.version, sha256, is_unchanged)


def _as_json(line: Line, zone: ZoneInfo) -> Record:
    return {
        "at": plain(line.at),
        "at_local": line.at.astimezone(zone).isoformat(),
        "purpose": line.purpose,
        "said": line.said,
        "is_granted": line.is_granted,
        "wording": line.wording.text,
        "wording_version": line.wording.version,
        "wording_sha256": line.wording.sha256,
        "wording_is_unchanged": line.wording.is_unchanged,
        "privacy_notice_version": line.notice.version if line.notice else None,
        "privacy_notice_sha256": line.notice.sha256 if line.notice else None,
        "page": line.page_url,
        "form_version": line.form_version,
        "method": line.method,
        "network": line.network,
        "browser": line.browser,
        "source": line.source,
        "seconds_on_page": line.seconds_on_page,
    }
