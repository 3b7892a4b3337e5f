"""The second step at the desk: forced in production, offered in the trial, never in the way."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from funnel.db.desk import Staff
from funnel.web.app import create_app
from tests.support import make
from tests.support.desk import (
    PASSWORD,
    csrf_of,
    csrf_of_page,
    desk_pages,
    setup_token,
    sign_in,
    signed_in,
    text_of,
)
from tests.support.house import House
from tests.support.phone import DOOR, SET_UP, Phone, scan, set_up_phone

ACCOUNT = "/desk/account"
HALFWAY = {"desk.second_step", "desk.sign_out", "desk.sign_in", "desk.set_up"}
FIRST = {"desk.set_up_second_step", "desk.ask_password", "desk.sign_out", "desk.sign_in"}


@pytest.fixture
def desk(house: House) -> FlaskClient:
    """Dr Reyes's browser, while Funnel is tried out."""
    return signed_in(house)


@pytest.fixture
def phone(house: House, desk: FlaskClient) -> Phone:
    """The second step is set up on Dr Reyes's phone."""
    return set_up_phone(house, desk)[0]


def in_production(house: House) -> House:
    """The same house with real visitors."""
    settings = replace(house.rt.settings, is_production=True)
    return replace(house, rt=replace(house.rt, settings=settings))


def code_form(browser: FlaskClient, code: str, **more: str) -> dict[str, str]:
    return {"csrf": csrf_of_page(browser.get(DOOR).text), "code": code, **more}


def halfway(house: House) -> FlaskClient:
    """A browser in which the right password was given, and nothing more."""
    browser = create_app(house.rt).test_client()
    assert sign_in(browser, PASSWORD, to="/desk/people").status_code == 303
    return browser


def test_in_production_nothing_is_shown_before_there_is_a_second_step(house: House) -> None:
    make.confirmed(house)
    real = in_production(house)
    desk = signed_in(real)
    app = create_app(real.rt)
    for endpoint, path in desk_pages(app):
        if endpoint in FIRST | {"desk.set_up", "desk.second_step"}:
            continue
        answer = desk.get(path)
        assert answer.status_code in {303, 405}, path
        if answer.status_code == 303:
            assert answer.headers["Location"].startswith(SET_UP), path
    for path in ("/desk/", "/desk/people", SET_UP, "/desk/password"):
        assert "ada@example.org" not in desk.get(path, follow_redirects=True).text
    set_up_phone(real, desk)
    assert "Ada" in desk.get("/desk/people").text


def test_in_production_no_form_acts_before_there_is_a_second_step(house: House) -> None:
    real = in_production(house)
    desk = signed_in(real)
    token = csrf_of_page(desk.get(SET_UP).text)
    for path in posts(create_app(real.rt), FIRST | {"desk.second_step"}):
        answer = desk.post(path, data={"csrf": token})
        assert answer.status_code == 303, path
        assert answer.headers["Location"].startswith(SET_UP), path


def posts(app: Flask, but: set[str]) -> list[str]:
    """The path of every form of the desk."""
    return [
        re.sub(r"<[^>]+>", "1", rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("desk.") and "POST" in (rule.methods or set())
        if rule.endpoint not in but | {"desk.sign_in", "desk.set_up"}
    ]


def test_in_the_trial_it_is_offered_and_not_forced(desk: FlaskClient) -> None:
    assert desk.get("/desk/people").status_code == 200
    assert "Sign in in two steps" in text_of(desk.get("/desk/"))
    page = text_of(desk.get(ACCOUNT))
    assert "A password alone opens your desk." in page
    assert f'href="{SET_UP}"' in desk.get(ACCOUNT).text


def test_set_up_page_shows_the_secret_as_a_picture_and_as_text(desk: FlaskClient) -> None:
    page = desk.get(SET_UP).text
    secret = scan(page).secret
    assert page.count('class="qr__code"') == 1
    assert "style=" not in page
    grouped = " ".join(secret[at : at + 4] for at in range(0, 32, 4))
    assert grouped in page
    assert scan(desk.get(SET_UP).text).secret == secret, "a phone reloads pages as it likes"
    assert "no-store" in desk.get(SET_UP).headers["Cache-Control"]


def test_looking_at_the_set_up_page_changes_nothing(house: House, desk: FlaskClient) -> None:
    desk.get(SET_UP)
    with house.rt.reading.begin() as session:
        person = session.scalars(select(Staff)).one()
    assert (person.totp_sealed, person.second_factor_at) == (None, None)


def test_a_wrong_code_at_set_up_keeps_the_same_picture(desk: FlaskClient) -> None:
    page = desk.get(SET_UP).text
    answer = desk.post(SET_UP, data={"csrf": csrf_of_page(page), "code": "no"})
    assert answer.status_code == 422
    assert scan(answer.text).secret == scan(page).secret
    assert "That code does not fit." in text_of(answer)


def test_recovery_codes_are_shown_once(house: House, desk: FlaskClient) -> None:
    _, codes = set_up_phone(house, desk)
    assert len(codes) == 10
    for path in (ACCOUNT, SET_UP, "/desk/"):
        assert not [code for code in codes if code in desk.get(path).text]
    assert "Ten recovery codes are left" in text_of(desk.get(ACCOUNT))


@pytest.mark.usefixtures("phone")
def test_password_alone_opens_no_page_and_no_form(house: House) -> None:
    make.confirmed(house)
    browser = halfway(house)
    app = create_app(house.rt)
    token = csrf_of_page(browser.get(DOOR).text)
    for endpoint, path in desk_pages(app):
        if endpoint in HALFWAY:
            continue
        for answer in (browser.get(path), browser.post(path, data={"csrf": token})):
            assert answer.status_code in {303, 405}, path
            assert DOOR in answer.headers.get("Location", DOOR), path
            assert "ada@example.org" not in answer.text


def test_code_opens_the_desk_and_leads_on(house: House, phone: Phone) -> None:
    browser = halfway(house)
    asked = browser.get("/desk/people?q=ada").headers["Location"]
    assert asked == f"{DOOR}?to=/desk/people?q%3Dada"
    form = code_form(browser, phone.code(house.clock.machine()), to="/desk/people?q=ada")
    answer = browser.post(DOOR, data=form)
    assert answer.headers["Location"] == "/desk/people?q=ada"
    assert browser.get("/desk/people").status_code == 200


def test_each_step_gives_a_session_of_its_own(house: House, phone: Phone) -> None:
    browser = halfway(house)
    after_password = browser.get_cookie("desk")
    browser.post(DOOR, data=code_form(browser, phone.code(house.clock.machine())))
    after_code = browser.get_cookie("desk")
    assert after_password is not None
    assert after_code is not None
    assert after_password.value != after_code.value
    thief = create_app(house.rt).test_client()
    thief.set_cookie("desk", after_password.value)
    assert "sign-in" in thief.get("/desk/people").headers["Location"]


def test_a_wrong_code_says_so_and_opens_nothing(house: House, phone: Phone) -> None:
    browser = halfway(house)
    right = phone.code(house.clock.machine())
    wrong = f"{(int(right) + 1) % 1_000_000:06}"
    for typed in (wrong, "", "abcd-efgh-jkmn", "x" * 9_000, "é\u202e"):
        answer = browser.post(DOOR, data=code_form(browser, typed))
        assert answer.status_code == 422
        assert "That code does not fit." in text_of(answer)
    assert browser.get("/desk/people").status_code == 303


@pytest.mark.usefixtures("phone")
def test_tries_of_codes_are_remembered_though_each_was_refused(house: House) -> None:
    browser = halfway(house)
    form = code_form(browser, "000000")
    statuses = [browser.post(DOOR, data=form).status_code for _ in range(11)]
    assert statuses == [422] * 10 + [429]


def test_a_code_on_paper_opens_the_desk_once(house: House, desk: FlaskClient) -> None:
    _, codes = set_up_phone(house, desk)
    browser = halfway(house)
    assert browser.post(DOOR, data=code_form(browser, codes[0])).status_code == 303
    assert browser.get("/desk/people").status_code == 200
    again = halfway(house)
    assert again.post(DOOR, data=code_form(again, codes[0])).status_code == 422
    page = text_of(browser.get(ACCOUNT))
    assert "Nine recovery codes are left" in page
    assert "Used a recovery code" in page


@pytest.mark.usefixtures("phone")
def test_signing_out_works_from_halfway(house: House) -> None:
    browser = halfway(house)
    token = csrf_of_page(browser.get(DOOR).text)
    assert browser.post("/desk/sign-out", data={"csrf": token}).status_code == 303
    assert "sign-in" in browser.get(DOOR).headers["Location"]


def test_the_door_leads_on_who_has_passed_it(desk: FlaskClient) -> None:
    answer = desk.get(f"{DOOR}?to=/desk/people")
    assert answer.headers["Location"] == "/desk/people"


def test_new_codes_and_a_new_phone_want_the_password_again(house: House, desk: FlaskClient) -> None:
    set_up_phone(house, desk)
    house.clock.advance(timedelta(minutes=6))
    assert desk.get(SET_UP).headers["Location"] == f"/desk/password?to={SET_UP}"
    form = {"csrf": csrf_of(desk)}
    for path in ("/desk/account/recovery-codes", "/desk/account/second-step/off"):
        answer = desk.post(path, data=form)
        assert answer.status_code == 403
        assert "Your password, please" in text_of(answer)
    assert "Ten recovery codes are left" in text_of(desk.get(ACCOUNT))


def test_a_new_phone_takes_the_place_of_the_old_one(house: House, desk: FlaskClient) -> None:
    old, codes = set_up_phone(house, desk)
    new, newer_codes = set_up_phone(house, desk)
    assert new.secret != old.secret
    assert not set(codes) & set(newer_codes)
    browser = halfway(house)
    when = house.clock.machine()
    assert browser.post(DOOR, data=code_form(browser, old.code(when))).status_code == 422
    assert browser.post(DOOR, data=code_form(browser, new.code(when))).status_code == 303


def test_in_the_trial_it_can_be_switched_off_again(house: House, desk: FlaskClient) -> None:
    set_up_phone(house, desk)
    answer = desk.post("/desk/account/second-step/off", data={"csrf": csrf_of(desk)})
    assert answer.headers["Location"] == ACCOUNT
    assert "A password alone opens your desk." in text_of(desk.get(ACCOUNT))


def test_in_production_it_cannot_be_switched_off(house: House) -> None:
    real = in_production(house)
    desk = signed_in(real)
    set_up_phone(real, desk)
    assert "Switch it off" not in desk.get(ACCOUNT).text
    form = {"csrf": csrf_of(desk)}
    assert desk.post("/desk/account/second-step/off", data=form).status_code == 403
    assert desk.get("/desk/people").status_code == 200


@pytest.mark.usefixtures("phone")
def test_setting_up_the_desk_link_needs_no_phone_of_somebody_else(house: House) -> None:
    assert setup_token(house) == "", "there is an account, so no link is made any more"
