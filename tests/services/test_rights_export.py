"""Access and portability: everything held about a person, and nothing about anybody else (C34)."""

import json
import time
from datetime import timedelta

import pytest
from sqlalchemy import text

from funnel.db.base import Base
from funnel.domain.errors import NotFound
from funnel.services import mail_events, offers
from funnel.services.rights.columns import TABLES, Fate
from funnel.services.rights.export import personal_data
from tests.support import make
from tests.support.house import House
from tests.support.rights import data_of, listed
from tests.support.rows import add_staff

DAY = timedelta(days=1)


@pytest.fixture
def busy(each_house: House) -> House:
    """Ada has done all there is to do; Bea asked as well."""
    house = each_house
    make.confirmed(house, health=True)
    make.confirmed(house, "bea@example.org", name="Bea")
    house.hop(4 * DAY)
    make.join(house)
    house.work()
    with house.rt.sessions.begin() as session:
        add_staff(session)
        handle = make.person(house).public_id
        offers.join_waitlist(session, handle, "lower-back-programme", now=house.clock.now())
        whose = make.person(house).id
        offers.mark_paid(session, whose, "lower-back-programme", staff_id=1, now=house.clock.now())
        first = make.messages(house)[0]
        event = {
            "sg_event_id": "e1",
            "event": "delivered",
            "send_id": str(first.id),
            "email": "ada@example.org",
            "timestamp": 1,
        }
        mail_events.take_events(session, [event], now=house.clock.now())
    house.work()
    return house


def test_everything_that_is_held_is_in_it(busy: House) -> None:
    data = data_of(busy)
    told = data.as_json()
    exported = {name for name, table in TABLES.items() if table.exported}
    assert exported | {"self_check"} <= told.keys()
    rare = {"owed_step", "step_skip", "suppression", "data_request", "challenge_day_done"}
    rare |= {"address_change", "complaint", "link_click"}
    assert {name for name in exported if not told[name]} == rare
    text_of = json.dumps(told)
    assert "bea@example.org" not in text_of
    assert "Bea" not in text_of
    assert [each["email"] for each in listed(data, "subscriber")] == ["ada@example.org"]
    subjects = {each["subject"] for each in listed(data, "message")}
    assert "Please confirm your email" in subjects
    wording = busy.rt.catalog.wordings["series"].text
    assert wording in {each["wording"] for each in listed(data, "consent_event")}


def test_it_has_every_row_of_hers(busy: House) -> None:
    data = data_of(busy)
    whose = make.person(busy).id
    for name, table in TABLES.items():
        if table.owner == "subscriber_id":
            query = text(f"SELECT count(*) FROM {name} WHERE subscriber_id = :who")  # noqa: S608
            with busy.rt.reading.begin() as session:
                assert session.scalar(query, {"who": whose}) == len(listed(data, name)), name


def test_her_own_copy_holds_her_answers_and_that_of_the_desk_does_not(busy: House) -> None:
    question = busy.rt.catalog.self_check.questions[0]
    (answers,) = listed(data_of(busy), "self_check")
    assert answers[question.title] == question.answers[0].text
    assert "Your pattern" in answers
    desk = data_of(busy, for_her=False).as_json()
    assert "self_check" not in desk
    assert question.answers[0].text not in json.dumps(desk)


def test_answers_that_wait_for_her_yes_are_hers_to_see(house: House) -> None:
    make.request(house, health=True)
    (answers,) = listed(data_of(house), "self_check")
    assert len(answers) > 1


def test_why_an_address_is_left_alone_is_told(house: House) -> None:
    make.confirmed(house)
    make.unsubscribed(house)
    (reason,) = listed(data_of(house), "suppression")
    assert reason["reason"] == "unsubscribed"


def test_no_handle_that_links_are_made_of_leaves(busy: House) -> None:
    told = json.dumps(data_of(busy).as_json())
    for handle in (make.person(busy).public_id, make.newest_confirmation(busy)):
        assert str(handle) not in told


def test_an_export_is_quick(busy: House) -> None:
    started = time.monotonic()
    data_of(busy)
    assert time.monotonic() - started < 60


def test_nobody_has_no_data(house: House) -> None:
    with house.rt.reading.begin() as session, pytest.raises(NotFound):
        personal_data(
            session,
            4711,
            links=house.rt.links,
            brand=house.rt.catalog.brand,
            keeper=None,
            now=house.clock.now(),
        )


def test_tables_about_nobody_hold_no_column_that_leads_to_somebody() -> None:
    for name, table in TABLES.items():
        if table.fate is Fate.NOBODYS:
            assert "subscriber_id" not in Base.metadata.tables[name].c
