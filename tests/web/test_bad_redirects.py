"""Corpus S-bad-6: whatever a stranger writes into a link, people stay on our own pages."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit

import pytest
from argon2 import PasswordHasher
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from funnel.services import passwords
from funnel.web.desk import access
from tests.support.corpora.redirects import TARGETS
from tests.support.desk import PASSWORD, csrf_of, sign_in, signed_in
from tests.support.hostile import Siege, under_siege

HOME = "http://localhost"


@pytest.fixture
def siege(
    prepared_sqlite: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Siege]:
    quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(passwords, "_HASHER", quick)
    monkeypatch.setattr(passwords, "is_weak", lambda _: False)
    with under_siege(prepared_sqlite, tmp_path, caplog) as begun:
        yield begun


@pytest.fixture
def desk(siege: Siege) -> FlaskClient:
    """Dr Reyes's browser."""
    return signed_in(siege.house)


def where_to(answer: TestResponse) -> str:
    """The address a browser goes on to: it drops tabs and line breaks, and turns backslashes."""
    location = re.sub(r"[\t\r\n]", "", answer.headers["Location"].strip("\x00 "))
    return urljoin(f"{HOME}/desk/sign-in", location.replace("\\", "/"))


def assert_at_the_desk(answer: TestResponse, target: str) -> None:
    assert answer.status_code == 303, repr(target)
    cookies = answer.headers.get_all("Set-Cookie")
    assert not [cookie for cookie in cookies if cookie.startswith("desk=chosen")], repr(target)
    parts = urlsplit(where_to(answer))
    assert (parts.scheme, parts.netloc) == ("http", "localhost"), repr(target)
    assert parts.path.startswith("/desk/"), repr(target)


def test_the_way_on_after_the_second_step_stays_at_the_desk(desk: FlaskClient) -> None:
    for target in TARGETS:
        assert_at_the_desk(desk.get("/desk/second-step", query_string={"to": target}), target)


@pytest.mark.usefixtures("desk")
def test_the_way_on_after_signing_in_stays_at_the_desk(siege: Siege) -> None:
    browser = siege.door.client
    for target in TARGETS:
        assert_at_the_desk(sign_in(browser, PASSWORD, to=target[:9_000]), target)


def test_the_way_on_after_the_password_stays_at_the_desk(desk: FlaskClient) -> None:
    form = {"csrf": csrf_of(desk), access.AGAIN: PASSWORD}
    for target in TARGETS:
        assert_at_the_desk(desk.post("/desk/password", data=form | {"to": target}), target)


def test_no_path_of_ours_leads_to_another_site(siege: Siege) -> None:
    for target in TARGETS:
        for path in (target, f"/{target}", f"/desk/{target}", quote(target)):
            answer = siege.open_as_sent(path)
            if "Location" in answer.headers:
                assert urlsplit(where_to(answer)).netloc == "localhost", repr(path)


def test_no_field_of_a_public_page_leads_to_another_site(siege: Siege) -> None:
    names = ("to", "next", "url", "return", "redirect", "landing_page", "referrer")
    for target in TARGETS:
        query = dict.fromkeys(names, target[:500])
        for path in ("/", "/self-check", "/challenge", "/signup", "/self-check/send"):
            answer = siege.open("GET", path, query_string=query)
            assert "evil.example" not in answer.headers.get("Location", ""), repr(target)
            links = re.findall(r'(?:href|action|src)="([^"]*)"', answer.text)
            assert not [each for each in links if urlsplit(each).netloc.startswith("evil")], target
