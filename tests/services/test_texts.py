"""The words in the database have versions."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from funnel.content.catalog import load_catalog
from funnel.content.shipped import ShippedText, shipped_texts
from funnel.db.mail import Message
from funnel.db.texts import TextVersion
from funnel.services import texts
from tests.support import make
from tests.support.house import House
from tests.support.repo import ROOT
from tests.support.steps import publish

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
CATALOG = load_catalog(ROOT / "templates")
SHIPPED = shipped_texts(Path(ROOT / "templates"))
Sessions = sessionmaker[Session]


def ship(sessions: Sessions, *shipped: ShippedText) -> list[tuple[str, str]]:
    with sessions.begin() as session:
        return texts.import_shipped(session, shipped, CATALOG, now=NOW)


def versions(sessions: Sessions, key: str) -> list[tuple[int, str]]:
    query = select(TextVersion).where(TextVersion.key == key).order_by(TextVersion.version)
    with sessions.begin() as session:
        return [(row.version, row.source) for row in session.scalars(query)]


def test_everything_shipped_is_published_once(sessions: Sessions) -> None:
    made = ship(sessions, *SHIPPED)
    assert len(made) == len(SHIPPED) + len(CATALOG.wordings)
    assert ship(sessions, *SHIPPED) == []
    with sessions.begin() as session:
        assert session.scalar(select(func.count()).select_from(TextVersion)) == len(made)
        assert session.scalar(select(func.max(TextVersion.version))) == 1


def test_a_changed_text_becomes_the_next_version_and_the_old_one_stays(
    sessions: Sessions,
) -> None:
    for source in ("one", "two", "two", "three"):
        ship(sessions, ShippedText("mail", "service/x", source, "a test"))
    assert versions(sessions, "service/x") == [(1, "one"), (2, "two"), (3, "three")]
    with sessions.begin() as session:
        newest = texts.latest(session, "mail", "service/x")
        assert newest is not None
        assert newest.source == "three"


def test_a_text_someone_edited_is_never_overwritten(sessions: Sessions) -> None:
    ship(sessions, ShippedText("mail", "service/x", "one", "a test"))
    with sessions.begin() as session:
        session.add(
            TextVersion(
                kind="mail",
                key="service/x",
                version=2,
                source="edited",
                sha256="0",
                origin="edited",
                created_at=NOW,
            )
        )
    ship(sessions, ShippedText("mail", "service/x", "two", "a test"))
    assert versions(sessions, "service/x")[-1] == (2, "edited")


def test_kinds_do_not_mix(sessions: Sessions) -> None:
    ship(sessions, ShippedText("mail", "same", "a mail", "a test"))
    with sessions.begin() as session:
        assert texts.latest(session, "sequence", "same") is None
        with pytest.raises(LookupError, match="no sequence text 'same'"):
            texts.require(session, "sequence", "same")


def test_every_sequence_is_read_in_its_newest_version(house: House) -> None:
    with house.rt.reading.begin() as session:
        found = texts.sequences(session)
        session.rollback()
    assert set(found) == {"nurture", "challenge", "programme"}
    with house.rt.sessions.begin() as session:
        newest = texts.require(session, "sequence", "nurture")
        session.add(
            TextVersion(
                kind="sequence",
                key="nurture",
                version=2,
                source=newest.source.replace("The follow-up series", "Another title"),
                sha256="0",
                origin="edited",
                created_at=NOW,
            )
        )
    with house.rt.reading.begin() as session:
        assert texts.sequences(session)["nurture"].title == "Another title"


def test_a_sequence_that_cannot_be_read_stays_as_it_was_and_is_named(house: House) -> None:
    for key in ("nurture", "brand-new"):
        publish(house, "sequence", key, "key: [this is no plan\n")
    with house.rt.reading.begin() as session:
        assert set(texts.sequences(session)) == {"nurture", "challenge", "programme"}
        assert set(texts.unreadable(session)) == {"nurture", "brand-new"}
    make.confirmed(house)
    assert make.enrolment(house, "nurture").why


def test_a_mail_sent_again_keeps_its_words_and_one_never_started_takes_the_newest(
    house: House,
) -> None:
    for name in ("ada", "ben"):
        make.request(house, f"{name}@example.org")
    with house.rt.sessions.begin() as session:
        again = make.message(house, "service/confirm").id
        session.get_one(Message, again).is_resent = True
        old = texts.require(session, "mail", "service/confirm")
        session.add(
            TextVersion(
                kind="mail",
                key="service/confirm",
                version=2,
                source=old.source.replace("Please confirm your email", "Another subject"),
                sha256="0",
                origin="edited",
                created_at=NOW,
            )
        )
    house.work()
    subjects = {email.to_address: email.subject for email in house.mailer.accepted}
    assert subjects == {
        "ada@example.org": "Please confirm your email",
        "ben@example.org": "Another subject",
    }
