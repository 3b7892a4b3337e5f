"""What was typed is letters wherever it is shown: each page in a browser that would run it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page
from sqlalchemy import update
from werkzeug.serving import make_server

from funnel.db.desk import StaffSession
from funnel.db.mail import Message
from funnel.db.people import Subscriber
from funnel.web.app import create_app
from tests.support import make
from tests.support.crawl import places, rules
from tests.support.desk import signed_in
from tests.support.front_door import copy_database
from tests.support.house import House, open_house

# Each closes what it may stand in: words, an attribute, a title, a text area, a comment, a script.
SCRIPTS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "--><script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    '" autofocus onfocus="alert(1)',
    "{{ 7 * 191 }}<iframe srcdoc='<script>alert(1)</script>'></iframe>",
)
HOSTILE = "".join(SCRIPTS)
PERSON = ("first_name", "source", "utm_source", "utm_medium", "utm_campaign", "referrer")
DOWNLOADS = ("/static/", ".pdf", ".json")


@pytest.fixture
def house(prepared_sqlite: Path, tmp_path: Path) -> Iterator[House]:
    with open_house(copy_database(prepared_sqlite, tmp_path), tmp_path) as opened:
        yield opened


@pytest.mark.browser
def test_nothing_that_was_typed_runs_on_any_page(house: House, browser: Browser) -> None:
    there, desk = places(house), signed_in(house)
    make.request(house, email="ben@example.org", name=HOSTILE)
    _spoil(house)
    app = create_app(house.rt)
    paths = [there.path(rule) for rule, methods in rules(app) if "GET" in methods]
    pages = [path for path in paths if not any(part in path for part in DOWNLOADS)]
    with _served(house) as base, _window(browser, base, desk) as (page, problems):
        shown = sum(_shows_letters(page, base + path) for path in pages)
    assert problems == []
    assert shown >= 3  # the list of people, her page and hers of the challenge at least


def _spoil(house: House) -> None:
    """Write what no form would let through: what is shown must hold without the forms' help."""
    with house.rt.sessions.begin() as session:
        session.execute(update(Subscriber).values(dict.fromkeys(PERSON, HOSTILE)))
        session.execute(update(Subscriber).values(landing_page=HOSTILE, email=f"a{HOSTILE}@b"))
        session.execute(update(Message).values(why=HOSTILE))
        session.execute(update(StaffSession).values(browser=HOSTILE))


def _shows_letters(page: Page, url: str) -> bool:
    page.goto(url)
    return "<script>alert(1)</script>" in page.inner_text("body")


@contextmanager
def _served(house: House) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, create_app(house.rt), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def _window(browser: Browser, base: str, desk: FlaskClient) -> Iterator[tuple[Page, list[str]]]:
    """A signed-in window, and what it had to complain of."""
    cookie, problems = desk.get_cookie("desk"), list[str]()
    assert cookie is not None
    window = browser.new_context()
    window.add_cookies([{"name": "desk", "value": cookie.value, "url": base}])
    page = window.new_page()

    def note_dialog(dialog: Dialog) -> None:
        problems.append(f"{page.url}: a dialog")
        dialog.dismiss()

    def note_blocked(said: ConsoleMessage) -> None:
        if "Content Security Policy" in said.text:
            problems.append(f"{page.url}: {said.text}")

    page.on("dialog", note_dialog)
    page.on("console", note_blocked)
    page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))
    yield page, problems
    window.close()
