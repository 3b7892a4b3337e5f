"""The small sum in a real browser, under our strict policy: nothing to type, nothing foreign."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import func, select

from funnel.db.people import Subscriber
from funnel.domain.proof_of_work import ProofMode
from funnel.services import front_gate
from tests.support.front_door import copy_database
from tests.support.house import House, open_house
from tests.support.served import Served, served
from tests.support.visitor import MIN_FORM_SECONDS

pytestmark = pytest.mark.browser


@pytest.fixture
def house(prepared_sqlite: Path, tmp_path: Path) -> Iterator[House]:
    with open_house(copy_database(prepared_sqlite, tmp_path), tmp_path) as opened:
        with opened.rt.sessions.begin() as session:
            front_gate.set_mode(session, ProofMode.ON, by="Dr Reyes")
        yield opened


@pytest.fixture
def site(house: House) -> Iterator[Served]:
    with served(house) as running:
        yield running


def people(house: House) -> int:
    with house.rt.reading.begin() as session:
        return session.scalar(select(func.count()).select_from(Subscriber)) or 0


def fill_in(page: Page, site: Served) -> None:
    page.goto(site.base + "/")
    page.get_by_label("Email", exact=True).fill("ada@example.org")
    page.wait_for_timeout(1000 * MIN_FORM_SECONDS)


def test_one_press_does_the_sum_and_sends_the_form(
    browser: Browser, house: House, site: Served
) -> None:
    page = browser.new_page()
    problems: list[str] = []
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda asked: problems.append(asked.url) if _is_foreign(asked.url) else None)
    fill_in(page, site)
    with page.expect_navigation(url="**/check-your-inbox/**"):
        page.get_by_role("button", name="Send me the guide").dblclick()
    assert people(house) == 1
    with page.expect_navigation(url="**again=1"):
        page.get_by_role("button", name="Send it again").click()
    page.close()
    assert problems == []


def _is_foreign(url: str) -> bool:
    return urlsplit(url).hostname not in {"127.0.0.1", None}


def test_without_javascript_the_form_comes_back_with_kind_words(
    browser: Browser, house: House, site: Served
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    fill_in(page, site)
    page.get_by_role("button", name="Send me the guide").click()
    page.wait_for_load_state()
    assert page.get_by_label("Email", exact=True).input_value() == "ada@example.org"
    assert "This needs JavaScript" in page.inner_text("main")
    assert people(house) == 0
    context.close()
