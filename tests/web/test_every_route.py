"""What holds for every route there is, also for one that was added today."""

import logging
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import Headers

from funnel.web import forms
from funnel.web.app import create_app
from tests.support import make
from tests.support.crawl import Places, places, rules
from tests.support.desk import PASSWORD, csrf_of, desk_pages, setup_token, sign_in, signed_in
from tests.support.hostile import changed, rows
from tests.support.house import House

SCANNER = {"User-Agent": "Barracuda scanner"}
EVIL = {"Origin": "https://evil.example"}
# Static files are for everybody, and may be kept.
OPEN_FILES = frozenset({"static"})


@pytest.fixture
def app(house: House) -> Flask:
    """The whole web side."""
    return create_app(house.rt)


@pytest.fixture
def desk(house: House) -> FlaskClient:
    """Dr Reyes's browser."""
    return signed_in(house)


@pytest.fixture
def found(house: House) -> Places:
    """Pages of somebody who joined everything."""
    return places(house)


def test_reading_any_page_changes_nothing(house: House, desk: FlaskClient, found: Places) -> None:
    desk.get("/desk/")  # a session notes once a minute that it is in use
    before, shown = rows(house), 0
    for rule, methods in rules(create_app(house.rt)):
        for method in {"GET", "HEAD", "OPTIONS"} if "GET" in methods else {"OPTIONS"}:
            answer = desk.open(found.path(rule), method=method, headers=SCANNER, buffered=True)
            assert answer.status_code < 500, f"{method} {rule.rule}"
            shown += answer.status_code == 200
    assert shown > 60
    assert changed(before, rows(house)) == {}


def assert_guarded(headers: Headers, where: str) -> None:
    assert "default-src 'none'" in headers["Content-Security-Policy"], where
    assert "unsafe" not in headers["Content-Security-Policy"] or "/mailbox/" in where, where
    assert headers["X-Content-Type-Options"] == "nosniff", where
    assert headers["Referrer-Policy"] == "same-origin", where
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin", where
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin", where
    assert "max-age=31536000" in headers["Strict-Transport-Security"], where
    assert "includeSubDomains" in headers["Strict-Transport-Security"], where
    assert "Server" not in headers, where
    assert "X-Powered-By" not in headers, where


def test_every_answer_of_every_route_carries_the_headers_that_protect_it(
    house: House, desk: FlaskClient, found: Places
) -> None:
    settings = replace(house.rt.settings, base_url="https://localhost")
    app = create_app(replace(house.rt, settings=settings))
    browser = app.test_client()
    cookie = desk.get_cookie("desk")
    assert cookie is not None
    browser.set_cookie("__Host-desk", cookie.value, secure=True)
    for rule, methods in rules(app):
        for method in methods:
            path = found.path(rule)
            answer = browser.open(
                path, method=method, base_url="https://localhost", data={}, buffered=True
            )
            assert_guarded(answer.headers, f"{method} {path}")
            if rule.endpoint not in OPEN_FILES:
                kept = answer.headers["Cache-Control"]
                assert "no-store" in kept or "private, no-cache" in kept, rule.rule


def test_every_kind_of_refusal_carries_them_too(house: House) -> None:
    settings = replace(house.rt.settings, base_url="https://localhost")
    client = create_app(replace(house.rt, settings=settings)).test_client()
    refusals = {
        404: client.get("/nothing-here", base_url="https://localhost"),
        405: client.delete("/", base_url="https://localhost"),
        403: client.post("/signup", base_url="https://localhost", headers=EVIL),
        413: client.post("/signup", base_url="https://localhost", data={"a": "b" * 20_000}),
        400: client.post("/signup", base_url="https://localhost", data={"a": ["b", "c"]}),
        422: client.post("/signup", base_url="https://localhost", data={}),
    }
    for status, answer in refusals.items():
        assert answer.status_code == status
        assert_guarded(answer.headers, str(status))
    stranger = client.get("/", base_url="https://evil.example")
    assert stranger.status_code == 400
    assert stranger.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "[", "[::1", "@localhost", "", "a b", "\xff"]
)
def test_a_request_for_another_host_is_refused_in_plain_words(app: Flask, host: str) -> None:
    answer = app.test_client().get("/", environ_overrides={"HTTP_HOST": host})
    assert answer.status_code == 400
    assert answer.mimetype == "text/plain"
    assert "evil" not in answer.text


def test_links_in_mail_name_our_own_site_whatever_a_visitor_says(house: House) -> None:
    headers = {
        "X-Forwarded-Host": "evil.example",
        "X-Host": "evil.example",
        "Forwarded": "host=evil.example",
        "X-Forwarded-Proto": "https",
    }
    make.request(house)
    client = create_app(house.rt).test_client()
    client.get("/", headers=headers)
    client.post("/signup", data={"email": "ada@example.org"}, headers=headers)
    sealed = house.rt.links.seal("ada@example.org")
    client.post(f"/check-your-inbox/{sealed}/resend", headers=headers)
    house.work()
    assert house.mailer.accepted
    for mail in house.mailer.accepted:
        assert "evil.example" not in mail.html + mail.text
        assert "http://localhost/confirm/" in mail.text


def test_what_goes_wrong_is_a_number_on_the_page_and_nothing_more(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("FLASK_DEBUG", "1")
    app = create_app(house.rt)
    assert not app.debug

    def broken() -> str:
        raise RuntimeError("secret-of-the-house")

    app.add_url_rule("/broken", view_func=broken)
    caplog.set_level(logging.ERROR)
    answer = app.test_client().get("/broken")
    assert answer.status_code == 500
    assert "secret-of-the-house" not in answer.text
    assert "Traceback" not in answer.text
    (record,) = caplog.records
    number = record.getMessage().split()[-1]
    assert number in answer.text


def test_every_route_of_the_desk_is_shut_to_strangers_and_to_forged_sessions(
    app: Flask, desk: FlaskClient
) -> None:
    real = desk.get_cookie("desk")
    assert real is not None
    for value in (
        "",
        "x" * 43,
        real.value[:-1],
        real.value.swapcase(),
        real.value + "A",
        "é",
        "\0",
    ):
        stranger = app.test_client()
        stranger.set_cookie("desk", value)
        for endpoint, path in desk_pages(app):
            if endpoint in {"desk.sign_in", "desk.set_up"}:
                continue
            for method in ("GET", "POST", "HEAD"):
                answer = stranger.open(path, method=method)
                assert answer.status_code in {303, 405}, f"{method} {path}"
                if answer.status_code == 303:
                    assert answer.headers["Location"].startswith("/desk/sign-in"), path


def test_the_token_of_another_session_is_refused_by_every_form(
    app: Flask, desk: FlaskClient
) -> None:
    other = app.test_client()
    sign_in(other, PASSWORD)
    foreign = csrf_of(other)
    assert foreign != csrf_of(desk)
    for endpoint, path in desk_pages(app):
        if endpoint in {"desk.sign_in", "desk.set_up"}:
            continue
        assert desk.post(path, data={"csrf": foreign}).status_code in {403, 405}, path


def test_a_set_up_link_is_worth_nothing_once_there_is_an_account(house: House) -> None:
    token = setup_token(house)
    assert token
    signed_in(house)
    assert create_app(house.rt).test_client().get(f"/desk/set-up/{token}").status_code == 410


def test_no_page_may_be_framed_by_another_site(app: Flask) -> None:
    answers = [app.test_client().get(rule.rule) for rule, _ in rules(app) if not rule.arguments]
    for answer in answers:
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("hops", "forwarded", "counted"),
    [
        (0, "192.0.2.1", "127.0.0.1"),
        (1, "192.0.2.1", "192.0.2.1"),
        (1, "10.9.9.9, 192.0.2.1", "192.0.2.1"),
        (2, "10.9.9.9, 192.0.2.1, 198.51.100.1", "192.0.2.1"),
        (1, "not an address", "unknown"),
    ],
)
def test_only_what_a_trusted_proxy_says_of_an_address_counts(
    house: House, hops: int, forwarded: str, counted: str
) -> None:
    app = create_app(replace(house.rt, settings=replace(house.rt.settings, trusted_proxies=hops)))
    seen = list[str]()
    app.before_request(lambda: seen.append(forms.ip_key()))
    app.test_client().get("/", headers={"X-Forwarded-For": forwarded, "X-Real-IP": "10.9.9.9"})
    assert seen == [counted]
