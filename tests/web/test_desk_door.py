"""The door of the desk: setting up, signing in and out, and who is kept outside."""

import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from funnel.services import passwords
from funnel.web.app import create_app
from tests.support.desk import (
    EMAIL,
    PASSWORD,
    csrf_of,
    desk_pages,
    hidden,
    setup_token,
    sign_in,
    signed_in,
    text_of,
)
from tests.support.house import House

OPEN_TO_ALL = {"desk.sign_in", "desk.set_up"}


@pytest.fixture
def app(house: House) -> Flask:
    """The whole web side."""
    return create_app(house.rt)


@pytest.fixture
def stranger(app: Flask) -> FlaskClient:
    """A browser that is not signed in."""
    return app.test_client()


@pytest.fixture
def desk(house: House) -> FlaskClient:
    """Dr Reyes's browser."""
    return signed_in(house)


def test_every_page_of_the_desk_sends_a_stranger_to_the_door(
    app: Flask, stranger: FlaskClient
) -> None:
    closed = [path for endpoint, path in desk_pages(app) if endpoint not in OPEN_TO_ALL]
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
    path = f"/desk/set-up/{setup_token(house)}"
    form = {"name": "Dr Reyes", "email": EMAIL, "password": PASSWORD}
    assert "Set up your desk" in text_of(stranger.get(path))
    assert stranger.post(path, data=form).headers["Location"] == "/desk/"
    assert "Your first day" in text_of(stranger.get("/desk/"))
    assert stranger.get(path).status_code == 410
    assert stranger.post(path, data=form).status_code == 410


def test_setting_up_keeps_what_was_typed_but_never_the_password(
    house: House, stranger: FlaskClient
) -> None:
    path = f"/desk/set-up/{setup_token(house)}"
    answer = stranger.post(path, data={"name": "Dr Reyes", "email": EMAIL, "password": "tooshort"})
    assert answer.status_code == 422
    assert 'value="Dr Reyes"' in answer.text
    assert "tooshort" not in answer.text
    assert "At least 12 characters" in text_of(answer)


def test_set_up_link_runs_out_after_an_hour(house: House, stranger: FlaskClient) -> None:
    path = f"/desk/set-up/{setup_token(house)}"
    house.clock.advance(timedelta(hours=1))
    answer = stranger.get(path)
    assert answer.status_code == 410
    assert "prints a new one" in text_of(answer)


@pytest.mark.usefixtures("desk")
def test_signing_in_goes_on_to_the_page_that_was_asked_for(stranger: FlaskClient) -> None:
    door = stranger.get("/desk/people?q=ada").headers["Location"]
    assert door == "/desk/sign-in?to=/desk/people?q%3Dada"
    answer = sign_in(stranger, PASSWORD, to="/desk/people?q=ada")
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
    assert sign_in(stranger, PASSWORD, to=target).headers["Location"] == "/desk/"


@pytest.mark.usefixtures("desk")
def test_session_cookie_is_out_of_reach_for_scripts_and_other_sites(stranger: FlaskClient) -> None:
    cookie = sign_in(stranger, PASSWORD).headers["Set-Cookie"]
    assert cookie.startswith("desk=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_session_cookie_is_bound_to_this_very_host_where_pages_are_secure(house: House) -> None:
    settings = replace(house.rt.settings, base_url="https://localhost")
    browser = create_app(replace(house.rt, settings=settings)).test_client()
    answer = browser.post(
        f"/desk/set-up/{setup_token(house)}",
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
    sign_in(stranger, PASSWORD)
    cookie = stranger.get_cookie("desk")
    assert cookie is not None
    assert cookie.value != "chosen-by-someone-else"
    assert stranger.get("/desk/").status_code == 200


@pytest.mark.usefixtures("desk")
def test_wrong_password_is_told_without_saying_which_half_was_wrong(stranger: FlaskClient) -> None:
    known, unknown = (sign_in(stranger, "no", email=email) for email in (EMAIL, "x@example.org"))
    assert known.status_code == unknown.status_code == 422
    assert "That email and password do not match." in text_of(known)
    assert text_of(known) == text_of(unknown)


@pytest.mark.usefixtures("desk")
def test_tries_are_remembered_though_each_was_refused(stranger: FlaskClient) -> None:
    for _ in range(10):
        assert sign_in(stranger, "wrong").status_code == 422
    assert sign_in(stranger, PASSWORD).status_code == 429


class WatchedHasher:
    """Hashes only while somebody else could write."""

    def __init__(self, database: str) -> None:
        self.database, self.calls = database, list[str]()

    def __getattr__(self, name: str) -> object:
        with closing(sqlite3.connect(self.database, timeout=0, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
        self.calls.append(name)
        return getattr(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1), name)


def test_no_writer_waits_while_a_password_is_checked(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = WatchedHasher(house.rt.engine.url.database or "")
    monkeypatch.setattr(passwords, "_HASHER", watched)
    signed_in(house)
    assert sign_in(create_app(house.rt).test_client(), PASSWORD).status_code == 303
    assert {"hash", "verify"} <= set(watched.calls)


@pytest.mark.usefixtures("desk")
def test_sign_in_form_of_another_site_is_refused(stranger: FlaskClient) -> None:
    stamp = hidden(stranger.get("/desk/sign-in").text, "stamp")
    form = {"stamp": stamp, "email": EMAIL, "password": PASSWORD}
    foreign = stranger.post("/desk/sign-in", data=form, headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403
    made_up = stranger.post("/desk/sign-in", data=form | {"stamp": "made up"})
    assert made_up.status_code == 422
    assert stranger.get_cookie("desk") is None


def test_signing_out_ends_the_session_for_good(desk: FlaskClient, stranger: FlaskClient) -> None:
    cookie = desk.get_cookie("desk")
    assert cookie is not None
    assert desk.post("/desk/sign-out", data={"csrf": csrf_of(desk)}).status_code == 303
    stranger.set_cookie("desk", cookie.value)
    assert stranger.get("/desk/").status_code == 303


def test_half_an_hour_of_nothing_closes_the_desk(house: House, desk: FlaskClient) -> None:
    house.clock.advance(timedelta(minutes=20))
    assert desk.get("/desk/").status_code == 200
    house.clock.advance(timedelta(minutes=29))
    assert desk.get("/desk/").status_code == 200
    house.clock.advance(timedelta(minutes=30))
    assert desk.get("/desk/").status_code == 303
