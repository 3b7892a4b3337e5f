"""The desk in the browser's words: who gets in, what the pages say, what the buttons do."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from funnel.db.desk import AuditEntry
from funnel.db.offers import Purchase
from funnel.services import challenge, control, offers, staff
from funnel.web.app import create_app
from tests.support import make
from tests.support.house import House, open_house

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

OFFER = "lower-back-programme"
EMAIL, PASSWORD = "reyes@example.org", "kettle lamp otter"
OPEN_TO_ALL = {"desk.sign_in", "desk.set_up"}


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    """A house of this test's own."""
    with open_house(database_url, tmp_path) as opened:
        yield opened


@pytest.fixture
def app(house: House) -> Flask:
    """The whole web side."""
    return create_app(house.rt)


@pytest.fixture
def stranger(app: Flask) -> FlaskClient:
    """A browser that is not signed in."""
    return app.test_client()


@pytest.fixture
def desk(app: Flask, house: House) -> FlaskClient:
    """Dr Reyes's browser, signed in."""
    browser = app.test_client()
    path = house.rt.links.url("desk-setup", token=_setup_token(house))
    browser.post(path, data={"name": "Dr Reyes", "email": EMAIL, "password": PASSWORD})
    return browser


def _setup_token(house: House) -> str:
    with house.rt.sessions.begin() as session:
        return staff.make_setup_link(session, now=house.clock.machine()) or ""


def _text(response: TestResponse) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.text).split())


def _hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found.group(1)


def _sign_in(browser: FlaskClient, password: str, **more: str) -> TestResponse:
    stamp = _hidden(browser.get("/desk/sign-in").text, "stamp")
    form = {"stamp": stamp, "email": EMAIL, "password": password} | more
    return browser.post("/desk/sign-in", data=form)


def _csrf(browser: FlaskClient) -> str:
    return _hidden(browser.get("/desk/people").text, "csrf")


def _desk_rules(app: Flask) -> list[tuple[str, str]]:
    """Every endpoint and path of the desk, with something in each open place."""
    return [
        (rule.endpoint, re.sub(r"<[^>]+>", "1", rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("desk.")
    ]


def test_every_page_of_the_desk_sends_a_stranger_to_the_door(
    app: Flask, stranger: FlaskClient
) -> None:
    closed = [path for endpoint, path in _desk_rules(app) if endpoint not in OPEN_TO_ALL]
    assert len(closed) >= 9
    for path in closed:
        for answer in (stranger.get(path), stranger.post(path, data={"csrf": ""})):
            assert answer.status_code in {303, 405}, path
            assert "sign-in" in answer.headers.get("Location", "sign-in")


def test_no_form_of_the_desk_works_without_its_token(app: Flask, desk: FlaskClient) -> None:
    posts = [
        re.sub(r"<[^>]+>", "1", rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("desk.") and "POST" in (rule.methods or set())
        if rule.endpoint not in OPEN_TO_ALL
    ]
    assert posts
    for path in posts:
        for token in ({}, {"csrf": ""}, {"csrf": "x" * 43}, {"csrf": "é"}):
            assert desk.post(path, data=token).status_code == 403, path


def test_setting_up_opens_the_desk_once(house: House, stranger: FlaskClient) -> None:
    path = f"/desk/set-up/{_setup_token(house)}"
    form = {"name": "Dr Reyes", "email": EMAIL, "password": PASSWORD}
    assert "Set up your desk" in _text(stranger.get(path))
    assert stranger.post(path, data=form).headers["Location"] == "/desk/"
    assert "Your first day" in _text(stranger.get("/desk/"))
    assert stranger.get(path).status_code == 410
    assert stranger.post(path, data=form).status_code == 410


def test_setting_up_keeps_what_was_typed_but_never_the_password(
    house: House, stranger: FlaskClient
) -> None:
    path = f"/desk/set-up/{_setup_token(house)}"
    answer = stranger.post(path, data={"name": "Dr Reyes", "email": EMAIL, "password": "tooshort"})
    assert answer.status_code == 422
    assert 'value="Dr Reyes"' in answer.text
    assert "tooshort" not in answer.text
    assert "At least 12 characters" in _text(answer)


def test_set_up_link_runs_out_after_an_hour(house: House, stranger: FlaskClient) -> None:
    path = f"/desk/set-up/{_setup_token(house)}"
    house.clock.advance(timedelta(hours=1))
    answer = stranger.get(path)
    assert answer.status_code == 410
    assert "prints a new one" in _text(answer)


@pytest.mark.usefixtures("desk")
def test_signing_in_goes_on_to_the_page_that_was_asked_for(stranger: FlaskClient) -> None:
    door = stranger.get("/desk/people?q=ada").headers["Location"]
    assert door == "/desk/sign-in?to=/desk/people?q%3Dada"
    answer = _sign_in(stranger, PASSWORD, to="/desk/people?q=ada")
    assert answer.headers["Location"] == "/desk/people?q=ada"
    assert "Dr Reyes" in stranger.get("/desk/people").text


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/desk/",
        "//evil.example",
        "/desk//evil.example",
        "/desk/\\evil.example",
        "/privacy",
        "javascript:alert(1)",
        "/desk/\r\nSet-Cookie: a=b",
    ],
)
@pytest.mark.usefixtures("desk")
def test_signing_in_never_leads_away_from_the_desk(stranger: FlaskClient, target: str) -> None:
    assert _sign_in(stranger, PASSWORD, to=target).headers["Location"] == "/desk/"


@pytest.mark.usefixtures("desk")
def test_session_cookie_is_out_of_reach_for_scripts_and_other_sites(stranger: FlaskClient) -> None:
    cookie = _sign_in(stranger, PASSWORD).headers["Set-Cookie"]
    assert cookie.startswith("desk=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_session_cookie_is_bound_to_this_very_host_where_pages_are_secure(house: House) -> None:
    settings = replace(house.rt.settings, base_url="https://localhost")
    browser = create_app(replace(house.rt, settings=settings)).test_client()
    answer = browser.post(
        f"/desk/set-up/{_setup_token(house)}",
        data={"name": "Dr Reyes", "email": EMAIL, "password": PASSWORD},
        base_url="https://localhost",
    )
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-desk=")
    assert "Secure" in cookie
    assert "Path=/;" in f"{cookie};"
    assert "Domain" not in cookie
    assert browser.get("/desk/", base_url="https://localhost").status_code == 200


@pytest.mark.usefixtures("desk")
def test_each_sign_in_gives_a_session_of_its_own(stranger: FlaskClient) -> None:
    stranger.set_cookie("desk", "chosen-by-someone-else")
    _sign_in(stranger, PASSWORD)
    cookie = stranger.get_cookie("desk")
    assert cookie is not None
    assert cookie.value != "chosen-by-someone-else"
    assert stranger.get("/desk/").status_code == 200


@pytest.mark.usefixtures("desk")
def test_wrong_password_is_told_without_saying_which_half_was_wrong(stranger: FlaskClient) -> None:
    known, unknown = (_sign_in(stranger, "no", email=email) for email in (EMAIL, "x@example.org"))
    assert known.status_code == unknown.status_code == 422
    assert "That email and password do not match." in _text(known)
    assert _text(known) == _text(unknown)


@pytest.mark.usefixtures("desk")
def test_tries_are_remembered_though_each_was_refused(stranger: FlaskClient) -> None:
    for _ in range(10):
        assert _sign_in(stranger, "wrong").status_code == 422
    assert _sign_in(stranger, PASSWORD).status_code == 429


@pytest.mark.usefixtures("desk")
def test_sign_in_form_of_another_site_is_refused(stranger: FlaskClient) -> None:
    stamp = _hidden(stranger.get("/desk/sign-in").text, "stamp")
    form = {"stamp": stamp, "email": EMAIL, "password": PASSWORD}
    foreign = stranger.post("/desk/sign-in", data=form, headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403
    made_up = stranger.post("/desk/sign-in", data=form | {"stamp": "made up"})
    assert made_up.status_code == 422
    assert stranger.get_cookie("desk") is None


def test_signing_out_ends_the_session_for_good(desk: FlaskClient, stranger: FlaskClient) -> None:
    cookie = desk.get_cookie("desk")
    assert cookie is not None
    assert desk.post("/desk/sign-out", data={"csrf": _csrf(desk)}).status_code == 303
    stranger.set_cookie("desk", cookie.value)
    assert stranger.get("/desk/").status_code == 303


def test_half_an_hour_of_nothing_closes_the_desk(house: House, desk: FlaskClient) -> None:
    house.clock.advance(timedelta(minutes=20))
    assert desk.get("/desk/").status_code == 200
    house.clock.advance(timedelta(minutes=29))
    assert desk.get("/desk/").status_code == 200
    house.clock.advance(timedelta(minutes=30))
    assert desk.get("/desk/").status_code == 303


@pytest.mark.parametrize(
    "path", ["/desk/", "/desk/people", "/desk/challenge", "/desk/programme", "/desk/mail/stop"]
)
def test_pages_explain_themselves_before_anybody_has_come(desk: FlaskClient, path: str) -> None:
    answer = desk.get(path)
    assert answer.status_code == 200
    assert re.search("Nobody|nobody", _text(answer))


def test_pages_of_the_desk_are_kept_by_no_cache_and_no_search_engine(desk: FlaskClient) -> None:
    answer = desk.get("/desk/")
    assert "no-store" in answer.headers["Cache-Control"]
    assert 'name="robots" content="noindex"' in answer.text


def test_overview_tells_the_week_in_a_sentence(house: House, desk: FlaskClient) -> None:
    make.joined(house)
    make.request(house, "ben@example.org", name="Ben")
    house.work()
    words = _text(desk.get("/desk/"))
    assert "Two new people this week, two more than by this time last week." in words
    assert "too early to say where most are lost" in words
    assert "1 of 2 who asked" in words
    assert "1 person on it, 0 finished in all" in words


def test_overview_says_when_all_mail_is_stopped(house: House, desk: FlaskClient) -> None:
    make.request(house)
    with house.rt.sessions.begin() as session:
        control.pause_sending(session, by="Dr Reyes", now=house.clock.now())
    assert "All mail is stopped since today at 10:00, by Dr Reyes." in _text(desk.get("/desk/"))


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
    found = _text(desk.get("/desk/people?q=example.com"))
    assert "ben@example.com" in found
    assert "ada@example.org" not in found
    nobody = _text(desk.get("/desk/people?q=%25"))
    assert "Nobody here has “%” in their name or address." in nobody


@pytest.mark.parametrize("query", ["page=0", "page=-1", "page=x", "page=99999999", "where=moon"])
def test_list_takes_any_query_it_is_given(house: House, desk: FlaskClient, query: str) -> None:
    make.request(house)
    answer = desk.get(f"/desk/people?{query}")
    assert answer.status_code == 200
    assert "ada@example.org" in answer.text


def test_person_page_tells_what_goes_when_and_why(house: House, desk: FlaskClient) -> None:
    make.confirmed(house)
    words = _text(desk.get(f"/desk/people/{make.person(house).id}"))
    assert "” goes tomorrow, Tuesday, at 08:10." in words
    assert "It comes 1 day after the series began, at 08:10 their time." in words
    assert "Seven more of “The follow-up series” come after it." in words
    assert "Yes, said today at 10:02, wording 1" in words


def test_nobody_by_that_number_is_not_found(desk: FlaskClient) -> None:
    assert desk.get("/desk/people/99").status_code == 404
    form = {"csrf": _csrf(desk), "offer": OFFER, "paid": "yes"}
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
    form = {"csrf": _csrf(desk), "offer": OFFER}
    assert "Mark as paid" in _text(desk.get("/desk/programme"))
    assert desk.post(f"{path}/paid", data=form | {"paid": "yes"}).headers["Location"] == path
    assert "Take “paid” back" in _text(desk.get(path))
    assert "1 person bought it" in _text(desk.get("/desk/programme"))
    desk.post(f"{path}/paid", data=form | {"paid": "no"})
    with house.rt.reading.begin() as session:
        assert session.scalars(select(Purchase)).one().voided_at is not None
    assert _audit(house)[-2:] == [
        ("marked as paid", f"person 1, {OFFER}"),
        ("took the mark “paid” back", f"person 1, {OFFER}"),
    ]


def test_paid_for_an_offer_that_does_not_exist_is_refused(house: House, desk: FlaskClient) -> None:
    make.confirmed(house)
    form = {"csrf": _csrf(desk), "offer": "moon", "paid": "yes"}
    assert desk.post("/desk/people/1/paid", data=form).status_code == 400


def test_stopping_all_mail_keeps_every_mail_until_it_may_go(
    house: House, desk: FlaskClient
) -> None:
    form = {"csrf": _csrf(desk)}
    assert "Stop all mail?" in _text(desk.get("/desk/mail/stop"))
    desk.post("/desk/mail/stop", data=form)
    make.request(house)
    house.work()
    assert house.mailer.accepted == []
    assert "1 mail goes out when you let mail go" in _text(desk.get("/desk/mail/stop"))
    desk.post("/desk/mail/start", data=form)
    house.work()
    assert len(house.mailer.to("ada@example.org")) == 1
    assert [action for action, _ in _audit(house)][-2:] == [
        "stopped all mail",
        "let mail go again",
    ]


def test_reading_changes_nothing(app: Flask, house: House, desk: FlaskClient) -> None:
    make.joined(house)
    before = _everything(house)
    for _, path in _desk_rules(app):
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
    path = f"/desk/set-up/{_setup_token(demo)}"
    browser.post(path, data={"name": "Dr Reyes", "email": EMAIL, "password": PASSWORD})
    for page in ("/desk/", "/desk/people", "/desk/people/1", "/desk/challenge"):
        words = _text(browser.get(page))
        assert "Demo. These people are made up. Nothing is sent." in words, page
        assert re.search("demo figures|made-up pe", words), page
