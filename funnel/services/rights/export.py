"""Everything we hold about one person, as JSON and to read. docs/your-data.md tells the names."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from funnel.content.brand import Brand
from funnel.db.people import Confirmation, KeptAnswers, Subscriber
from funnel.db.texts import TextVersion
from funnel.domain.errors import NotFound
from funnel.domain.schedule import zone_of
from funnel.links import Links
from funnel.services.reports.titles import subjects
from funnel.services.rights.columns import TABLES
from funnel.services.rights.records import Record, plain, plain_record, records_of
from funnel.services.self_check import Keeper

ANSWERS = "self_check"
ANSWERS_TITLE = "Your answers to the self-check"


@dataclass(frozen=True)
class Part:
    """The rows of one table under its title, or her answers under theirs."""

    key: str
    title: str
    rows: tuple[Record, ...]


@dataclass(frozen=True)
class PersonalData:
    """One person's data. `for_her`: her own copy, the only one that holds her answers."""

    made_at: datetime
    zone: ZoneInfo
    for_her: bool
    controller: str
    contact: str
    parts: tuple[Part, ...]

    def as_json(self) -> Record:
        """Plain values under names that stay; times in UTC."""
        return {
            "format": "personal data",
            "version": 1,
            "made_at": plain(self.made_at),
            "controller": self.controller,
            "contact": self.contact,
            **{part.key: [plain_record(row) for row in part.rows] for part in self.parts},
        }


def personal_data(
    session: Session,
    subscriber_id: int,
    *,
    links: Links,
    brand: Brand,
    keeper: Keeper | None,
    now: datetime,
) -> PersonalData:
    """All of it; raises NotFound. Only with a `keeper` her answers are opened: for herself."""
    person = session.get(Subscriber, subscriber_id)
    if person is None:
        raise NotFound
    parts = [_part(session, key, person, links.pepper) for key in _exported()]
    if keeper is not None:
        parts.append(_answers(session, person, keeper))
    return PersonalData(
        made_at=now,
        zone=zone_of(person.time_zone),
        for_her=keeper is not None,
        controller=brand.trading_name,
        contact=brand.shown.reply_to_address,
        parts=tuple(parts),
    )


def _exported() -> Iterable[str]:
    return (key for key, table in TABLES.items() if table.exported)


def _part(session: Session, key: str, person: Subscriber, pepper: bytes) -> Part:
    spell = _SPELLED.get(key)
    rows = spell(session, person, pepper) if spell else records_of(session, key, person, pepper)
    return Part(key, TABLES[key].title, tuple(rows))


def _messages(session: Session, person: Subscriber, pepper: bytes) -> list[Record]:
    """Mails with their subjects, in the order they were made."""
    rows = records_of(session, "message", person, pepper, "text_version_id")
    versions = {int(str(row["text_version_id"])) for row in rows}
    names: dict[object, str] = dict(subjects(session, versions).items())
    mails: list[Record] = [{"subject": names[row.pop("text_version_id")], **row} for row in rows]
    return sorted(mails, key=lambda row: str(row["created_at"]))


def _consents(session: Session, person: Subscriber, pepper: bytes) -> list[Record]:
    """Lines of evidence with the words they are about."""
    rows = records_of(session, "consent_event", person, pepper, "wording_id")
    wordings = select(TextVersion.id, TextVersion.source).where(TextVersion.kind == "wording")
    words: dict[object, str] = dict(session.execute(wordings).all())
    return [{"wording": words[row.pop("wording_id")], **row} for row in rows]


_SPELLED: Mapping[str, Callable[[Session, Subscriber, bytes], list[Record]]] = {
    "message": _messages,
    "consent_event": _consents,
}


def _answers(session: Session, person: Subscriber, keeper: Keeper) -> Part:
    """Answers that are kept, and those that wait for her yes or no."""
    kept = session.get(KeptAnswers, person.id)
    waiting = select(Confirmation.sealed_answers).where(
        Confirmation.subscriber_id == person.id, Confirmation.sealed_answers.is_not(None)
    )
    sealed = [kept.sealed] if kept else []
    sealed += [each for each in session.scalars(waiting) if each is not None]
    opened = [keeper.spelled(each) for each in sealed]
    rows: list[Record] = [{**each} for each in opened if each]
    return Part(ANSWERS, ANSWERS_TITLE, tuple(rows))
