"""The pages of the desk: what they say, and what their buttons do."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from funnel.db.desk import AuditEntry
from funnel.db.offers import Purchase
from funnel.domain.ports import Outcome
from funnel.services import challenge, control, offers
from funnel.web.app import create_app
from tests.support import make
from tests.support.desk import EMAIL, PASSWORD, csrf_of, desk_pages, setup_token, signed_in, text_of
from tests.support.house import House

OFFER = "lower-back-programme"


@pytest.fixture
def desk(house: House) -> FlaskClient:
    """Dr Reyes's browser."""
    return signed_in(house)


@pytest.mark.parametrize(
    "path", ["/desk/", "/desk/people", "/desk/challenge", "/desk/programme", "/desk/mail/stop"]
)
def test_pages_explain_themselves_before_anybody_has_come(desk: FlaskClient, path: str) -> None:
    answer = desk.get(path)
    assert answer.status_code == 200
    assert re.search("Nobody|nobody", text_of(answer))


def test_pages_of_the_desk_are_kept_by_no_cache_and_no_search_engine(desk: FlaskClient) -> None:
    answer = desk.get("/desk/")
    assert "no-store" in answer.headers["Cache-Control"]
    assert 'name="robots" content="noindex"' in answer.text


def test_overview_tells_the_week_in_a_sentence(house: House, desk: FlaskClient) -> None:
    make.joined(house)
    make.request(house, "ben@example.org", name="Ben")
    house.work()
    words = text_of(desk.get("/desk/"))
    assert "Two new people this week, two more than by this time last week." in words
    assert "too early to say where most are lost" in words
    assert "1 of 2 who asked" in words
    assert "1 person on it, 0 finished in all" in words


def test_overview_says_when_all_mail_is_stopped(house: House, desk: FlaskClient) -> None:
    make.request(house)
    with house.rt.sessions.begin() as session:
        control.pause_sending(session, by="Dr Reyes", now=house.clock.now())
    assert "All mail is stopped since today at 10:00, by Dr Reyes." in text_of(desk.get("/desk/"))


def test_names_people_typed_are_shown_as_letters(house: House, desk: FlaskClient) -> None:
    name = '"><script>alert(1)</script>'
    done = make.confirmed(house, name=name)
    with house.rt.sessions.begin() as session:
        challenge.join(
            session,
            done.subscriber_handle,
            make.EVIDENCE,
            links=house.rt.links,
            now=house.clock.now(),
        )
    subscriber_id = make.person(house).id
    for path in ("/desk/", "/desk/people", f"/desk/people/{subscriber_id}", "/desk/challenge"):
        page = desk.get(path).text
        assert "<script" not in page, path
        assert "&lt;script&gt;" in page or path == "/desk/", path


def test_people_are_found_by_a_part_of_name_or_address(house: House, desk: FlaskClient) -> None:
    make.request(house, "ada@example.org", name="Ada")
    make.request(house, "ben@example.com", name="Ben")
    found = text_of(desk.get("/desk/people?q=example.com"))
    assert "ben@example.com" in found
    assert "ada@example.org" not in found
    nobody = text_of(desk.get("/desk/people?q=%25"))
    assert "Nobody here has “%” in their name or address." in nobody


@pytest.mark.parametrize("query", ["page=0", "page=-1", "page=x", "page=99999999", "where=moon"])
def test_list_takes_any_query_it_is_given(house: House, desk: FlaskClient, query: str) -> None:
    make.request(house)
    answer = desk.get(f"/desk/people?{query}")
    assert answer.status_code == 200
    assert "ada@example.org" in answer.text


def test_a_failed_mail_leads_from_the_overview_to_the_person(house: House) -> None:
    make.confirmed(house)
    make.confirmed(house, "ben@example.org", name="Ben")
    house.mailer.script = [Outcome.REFUSED]
    house.hop(timedelta(days=1))
    desk = signed_in(house)
    assert "See who" in _health_of(desk)
    words = text_of(desk.get("/desk/people?look=held"))
    assert "Look after Held 1 A mail failed 1" in words
    assert "does not go. Held: the mail failed." in words


def _health_of(desk: FlaskClient) -> str:
    return text_of(desk.get("/desk/")).partition("Is everything working?")[2]


def test_person_page_tells_what_goes_when_and_why(house: House, desk: FlaskClient) -> None:
    make.confirmed(house)
    words = text_of(desk.get(f"/desk/people/{make.person(house).id}"))
    assert "” goes tomorrow, Tuesday, at 08:10." in words
    assert "It comes 1 day after the series began, at 08:10 their time." in words
    assert "Seven more of “The follow-up series” come after it." in words
    assert "Yes, said today at 10:02, wording 1" in words


def test_nobody_by_that_number_is_not_found(desk: FlaskClient) -> None:
    assert desk.get("/desk/people/99").status_code == 404
    form = {"csrf": csrf_of(desk), "offer": OFFER, "paid": "yes"}
    assert desk.post("/desk/people/99/paid", data=form).status_code == 404


def _audit(house: House) -> list[tuple[str, str]]:
    with house.rt.reading.begin() as session:
        rows = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        return [(row.action, row.subject) for row in rows]


def test_paid_is_marked_taken_back_and_written_down(house: House, desk: FlaskClient) -> None:
    done = make.confirmed(house)
    with house.rt.sessions.begin() as session:
        offers.join_waitlist(session, done.subscriber_handle, OFFER, now=house.clock.now())
    path = f"/desk/people/{make.person(house).id}"
    form = {"csrf": csrf_of(desk), "offer": OFFER}
    assert "Mark as paid" in text_of(desk.get("/desk/programme"))
    assert desk.post(f"{path}/paid", data=form | {"paid": "yes"}).headers["Location"] == path
    assert "Take “paid” back" in text_of(desk.get(path))
    assert "1 person bought it" in text_of(desk.get("/desk/programme"))
    desk.post(f"{path}/paid", data=form | {"paid": "no"})
    with house.rt.reading.begin() as session:
        assert session.scalars(select(Purchase)).one().voided_at is not None
    assert _audit(house)[-2:] == [
        ("marked as paid", f"person 1, {OFFER}"),
        ("took the mark “paid” back", f"person 1, {OFFER}"),
    ]


def test_paid_for_an_offer_that_does_not_exist_is_refused(house: House, desk: FlaskClient) -> None:
    make.confirmed(house)
    form = {"csrf": csrf_of(desk), "offer": "moon", "paid": "yes"}
    assert desk.post("/desk/people/1/paid", data=form).status_code == 400


def test_a_held_mail_goes_when_it_is_tried_again(house: House) -> None:
    make.confirmed(house)
    house.mailer.script = [Outcome.REFUSED]
    house.hop(timedelta(days=1))
    desk = signed_in(house)
    path = f"/desk/people/{make.person(house).id}"
    assert "Try that mail again" in text_of(desk.get(path))
    desk.post(f"{path}/release", data={"csrf": csrf_of(desk)})
    house.work()
    assert house.mailer.accepted[-1].subject == "One small thing to try today"
    assert "Try that mail again" not in text_of(desk.get(path))
    assert _audit(house)[-1] == ("tried a held mail again", "person 1")


def test_stopping_all_mail_keeps_every_mail_until_it_may_go(
    house: House, desk: FlaskClient
) -> None:
    form = {"csrf": csrf_of(desk)}
    assert "Stop all mail?" in text_of(desk.get("/desk/mail/stop"))
    desk.post("/desk/mail/stop", data=form)
    make.request(house)
    house.work()
    assert house.mailer.accepted == []
    assert "1 mail goes out when you let mail go" in text_of(desk.get("/desk/mail/stop"))
    desk.post("/desk/mail/start", data=form)
    house.work()
    assert len(house.mailer.to("ada@example.org")) == 1
    assert [action for action, _ in _audit(house)][-2:] == [
        "stopped all mail",
        "let mail go again",
    ]


def test_reading_changes_nothing(house: House, desk: FlaskClient) -> None:
    make.joined(house)
    before = _everything(house)
    for _, path in desk_pages(desk.application):
        desk.get(path)
        desk.head(path)
    assert _everything(house) == before


def _everything(house: House) -> list[str]:
    with house.rt.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        # That the session is in use is noted, once a minute; nothing else is.
        return [line for line in driver.iterdump() if '"staff_session"' not in line]


def test_made_up_people_are_marked_as_such_everywhere(house: House) -> None:
    make.joined(house)
    demo = replace(house, rt=replace(house.rt, settings=replace(house.rt.settings, demo=True)))
    browser = create_app(demo.rt).test_client()
    path = f"/desk/set-up/{setup_token(demo)}"
    browser.post(path, data={"name": "Dr Reyes", "email": EMAIL, "password": PASSWORD})
    for page in ("/desk/", "/desk/people", "/desk/people/1", "/desk/challenge"):
        words = text_of(browser.get(page))
        assert "Demo. These people are made up. Nothing is sent." in words, page
        assert re.search("demo figures|made-up pe", words), page
