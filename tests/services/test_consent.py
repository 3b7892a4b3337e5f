"""Evidence of what people agreed to."""

from dataclasses import replace

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from funnel.db.people import Consent, ConsentEvent
from funnel.db.texts import TextVersion
from funnel.domain.people import Purpose
from funnel.services import consent, texts
from tests.support import make
from tests.support.house import House


def events(house: House) -> list[ConsentEvent]:
    with house.rt.reading.begin() as session:
        return list(session.scalars(select(ConsentEvent).order_by(ConsentEvent.id)))


@pytest.mark.parametrize("series", [True, False])
@pytest.mark.parametrize("health", [True, False])
def test_every_box_leaves_a_line_ticked_or_not(house: House, series: bool, health: bool) -> None:
    make.request(house, series=series, health=health)
    kept = {event.purpose: event.is_granted for event in events(house)}
    assert kept == {"guide": True, "series": series, "health": health}
    make.confirm(house)
    confirmed = [event.purpose for event in events(house) if event.action == "confirmed"]
    wanted = ["guide", *["series"] * series, *["health"] * health]
    assert sorted(confirmed) == sorted(wanted)
    assert {row.purpose for row in make.person(house).consents} == set(wanted) - {"guide"}


def test_a_line_of_evidence_is_whole(house: House) -> None:
    make.request(house)
    for event in events(house):
        assert event.page_url == "http://localhost/"
        assert event.form_version == "landing"
        assert event.ip_truncated == "192.0.2.0"
        assert event.user_agent == "Test browser"
        assert event.source == "clinic-qr"
        assert event.method == "button"
        assert event.seconds_on_page == 12.0
        assert event.occurred_at == house.clock.now()


def test_each_line_keeps_the_very_wording_it_was_given_on(house: House) -> None:
    for number in range(3):
        catalog = house.rt.catalog
        words = dict(catalog.wordings)
        words["series"] = replace(words["series"], text=f"Wording number {number}.")
        with house.rt.sessions.begin() as session:
            changed = replace(catalog, wordings=words)
            texts.import_shipped(session, (), changed, now=house.clock.now())
        make.request(house, f"person{number}@example.org")
    with house.rt.reading.begin() as session:
        shown = session.execute(
            select(TextVersion.source, ConsentEvent.wording_sha256, TextVersion.sha256)
            .join(ConsentEvent, ConsentEvent.wording_id == TextVersion.id)
            .where(ConsentEvent.purpose == "series")
            .order_by(ConsentEvent.id)
        ).all()
    assert [row.source for row in shown] == [f"Wording number {number}." for number in range(3)]
    assert all(row.wording_sha256 == row.sha256 for row in shown)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE consent_event SET is_granted = NOT is_granted",
        "UPDATE consent_event SET purpose = 'other' WHERE purpose = 'guide'",
        "DELETE FROM consent_event",
        "DELETE FROM consent_event WHERE action = 'asked'",
    ],
)
def test_evidence_cannot_be_changed_or_deleted(each_house: House, statement: str) -> None:
    house = each_house
    make.request(house)
    before = len(events(house))
    with pytest.raises(DatabaseError, match="append-only"), house.rt.sessions.begin() as session:
        session.execute(text(statement))
    assert len(events(house)) == before == 3


@pytest.fixture
def ada(house: House) -> House:
    make.confirmed(house)
    return house


def test_granting_twice_leaves_one_consent_and_one_line(ada: House) -> None:
    before = len(events(ada))
    for _ in range(2):
        with ada.rt.sessions.begin() as session:
            consent.grant(
                session,
                make.person(ada),
                Purpose.CHALLENGE,
                action="joined",
                evidence=make.EVIDENCE,
                now=ada.clock.now(),
            )
    assert len(events(ada)) == before + 1


def test_withdrawing_tells_whether_it_stood_and_leaves_a_line(ada: House) -> None:
    results = []
    for _ in range(2):
        with ada.rt.sessions.begin() as session:
            results.append(
                consent.withdraw(
                    session,
                    make.person(ada),
                    Purpose.SERIES,
                    evidence=make.EVIDENCE,
                    now=ada.clock.now(),
                )
            )
    assert results == [True, False]
    last = events(ada)[-1]
    assert (last.action, last.purpose, last.is_granted) == ("withdrawn", "series", False)
    with ada.rt.reading.begin() as session:
        assert session.scalars(select(Consent)).all() == []


def test_no_wording_no_evidence(house: House) -> None:
    make.request(house)
    with pytest.raises(LookupError, match="funnel migrate"), house.rt.sessions.begin() as session:
        consent.note(
            session,
            make.person(house),
            "unheard-of",
            action="asked",
            is_granted=True,
            evidence=make.EVIDENCE,
            now=house.clock.now(),
        )
