"""What can do much asks for the password again, and loses nothing that was typed."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from funnel.services import brake, control
from funnel.web.desk import access
from tests.support.desk import PASSWORD, csrf_of, hidden, signed_in
from tests.support.front_door import Outline
from tests.support.house import House

ASK = "/desk/password"
RELEASE = "/desk/mail/release"


@pytest.fixture
def desk(house: House) -> FlaskClient:
    """Dr Reyes's browser, six minutes after she gave her password."""
    browser = signed_in(house)
    house.clock.advance(timedelta(minutes=6))
    return browser


@pytest.fixture
def held(house: House) -> None:
    """The series is held."""
    with house.rt.sessions.begin() as session:
        control.write(session, control.BRAKE, {"on": True, "why": "3 of 9 mails were reported."})


def is_held(house: House) -> bool:
    with house.rt.reading.begin() as session:
        return control.sending_state(session).braked is not None


@pytest.mark.usefixtures("held")
def test_a_form_waits_for_the_password_and_is_sent_then(house: House, desk: FlaskClient) -> None:
    form = {"csrf": csrf_of(desk), "note": 'two "words" & more'}
    asked = desk.post(RELEASE, data=form)
    assert asked.status_code == 403
    assert is_held(house)
    fields = {
        str(tag["name"]): str(tag["value"])
        for tag in Outline(asked.text).all("input")
        if tag.get("type") == "hidden"
    }
    assert fields == form
    assert Outline(asked.text).all("form")[0]["action"] == f"{RELEASE}?"
    wrong = desk.post(RELEASE, data={**fields, access.AGAIN: "wrong"})
    assert wrong.status_code == 422
    assert is_held(house)
    assert "two &#34;words&#34; &amp; more" in wrong.text
    right = desk.post(RELEASE, data={**fields, access.AGAIN: PASSWORD})
    assert right.status_code == 303
    assert not is_held(house)


@pytest.mark.usefixtures("held")
def test_for_five_minutes_it_is_not_asked_for_again(house: House, desk: FlaskClient) -> None:
    form = {"csrf": csrf_of(desk)}
    desk.post(RELEASE, data={**form, access.AGAIN: PASSWORD})
    house.clock.advance(timedelta(minutes=4, seconds=59))
    assert desk.post(RELEASE, data=form).status_code == 303
    house.clock.advance(timedelta(seconds=1))
    assert desk.post(RELEASE, data=form).status_code == 403


def test_a_page_is_shown_after_the_password(desk: FlaskClient) -> None:
    door = desk.get("/desk/account/second-step").headers["Location"]
    assert door == f"{ASK}?to=/desk/account/second-step"
    page = desk.get(door).text
    form = {"csrf": hidden(page, "csrf"), "to": hidden(page, "to")}
    assert desk.post(ASK, data=form | {access.AGAIN: "no"}).status_code == 422
    answer = desk.post(ASK, data=form | {access.AGAIN: PASSWORD})
    assert answer.headers["Location"] == "/desk/account/second-step"
    assert desk.get("/desk/account/second-step").status_code == 200


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example/desk/", "/privacy"])
def test_giving_the_password_never_leads_away(desk: FlaskClient, target: str) -> None:
    form = {"csrf": csrf_of(desk), "to": target, access.AGAIN: PASSWORD}
    assert desk.post(ASK, data=form).headers["Location"] == "/desk/"


@pytest.mark.usefixtures("held")
def test_guesses_at_it_are_counted(house: House, desk: FlaskClient) -> None:
    form = {"csrf": csrf_of(desk), access.AGAIN: "guess"}
    statuses = [desk.post(RELEASE, data=form).status_code for _ in range(11)]
    assert statuses == [422] * 10 + [429]
    assert desk.post(RELEASE, data=form | {access.AGAIN: PASSWORD}).status_code == 429
    assert is_held(house)


@pytest.mark.usefixtures("held")
def test_the_password_never_stands_in_for_the_forms_own_token(
    house: House, desk: FlaskClient
) -> None:
    for token in ({}, {"csrf": "made up"}):
        assert desk.post(RELEASE, data={**token, access.AGAIN: PASSWORD}).status_code == 403
    assert is_held(house)


def test_letting_go_after_a_restore_asks_too(desk: FlaskClient) -> None:
    answer = desk.post("/desk/mail/recover", data={"csrf": csrf_of(desk), "due": "skip"})
    assert answer.status_code == 403
    assert 'name="due" value="skip"' in answer.text


def test_stopping_all_mail_never_asks(house: House, desk: FlaskClient) -> None:
    assert desk.post("/desk/mail/stop", data={"csrf": csrf_of(desk)}).status_code == 303
    with house.rt.reading.begin() as session:
        assert control.sending_state(session).is_paused


def test_the_brake_is_only_let_go_by_its_own_service(house: House) -> None:
    with house.rt.sessions.begin() as session:
        brake.let_go(session, now=house.clock.now())
    assert not is_held(house)
