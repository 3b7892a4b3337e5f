"""A real browser that no person holds: it opens every link, and another presses every button."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import select

from funnel.db.mail import Enrolment
from funnel.db.people import Consent, ConsentEvent
from funnel.domain.enrolment import LIVE
from funnel.domain.people import PersonState
from tests.support import make
from tests.support.desk import signed_in, text_of
from tests.support.every_mail import NEWCOMER, checksum, links_in_mails, live
from tests.support.front_door import copy_database
from tests.support.house import House, open_house
from tests.support.served import Served, served

A_PERSON_READS = 1_200  # milliseconds, at least
BUTTONS = "main form button"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def lived(prepared_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("lived")
    with open_house(copy_database(prepared_sqlite, folder), folder) as opened:
        live(opened)
        yield opened


@pytest.fixture
def house(lived: House) -> House:
    return lived


@pytest.fixture
def site(house: House) -> Iterator[Served]:
    with served(house) as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(accept_downloads=True)
    yield context.new_page()
    context.close()


def test_a_browser_that_opens_every_link_of_every_mail_changes_nothing(
    house: House, site: Served, page: Page
) -> None:
    before = checksum(house)
    links = links_in_mails(house)
    assert len(links) > 25
    for path in links:
        answer = page.goto(site.base + path)
        assert answer is not None
        assert answer.ok, path
        page.wait_for_load_state("networkidle")
    site.app.extensions["tally"].flush()
    assert checksum(house) == before
    assert make.person(house, NEWCOMER).state == PersonState.PENDING


def confirm_path(house: House) -> str:
    return next(path for path in links_in_mails(house, NEWCOMER) if path.startswith("/confirm/"))


def test_a_browser_that_presses_every_button_leaves_a_whole_funnel_and_a_mark(
    house: House, site: Served, page: Page
) -> None:
    statuses: list[int] = []
    page.on("response", lambda answer: statuses.append(answer.status))
    for path in links_in_mails(house):
        for number in range(_buttons(page, site.base + path)):
            page.goto(site.base + path)
            press(page, number)
    assert statuses
    assert max(statuses) < 500
    house.work()
    for email in (NEWCOMER, "ada@example.org", "bea@example.org"):
        is_whole(house, email)
    assert _seconds_to_confirm(house) < 1.0
    desk = signed_in(house)
    shown = text_of(desk.get(f"/desk/people/{make.person(house, NEWCOMER).id}"))
    assert "perhaps by a mail scanner, and no person" in shown


def _buttons(page: Page, url: str) -> int:
    page.goto(url)
    return page.locator(BUTTONS).count()


def press(page: Page, number: int) -> None:
    """Press a button the moment it is there; one that an earlier press took away is left alone."""
    button = page.locator(BUTTONS).nth(number)
    if button.count():
        button.evaluate("button => button.click()")
        page.wait_for_load_state("networkidle")


def is_whole(house: House, email: str) -> None:
    """State, consents and places of a person tell the same story."""
    person = make.person(house, email)
    with house.rt.reading.begin() as session:
        consents = set(
            session.scalars(select(Consent.purpose).where(Consent.subscriber_id == person.id))
        )
        places = session.scalars(
            select(Enrolment.sequence_key).where(
                Enrolment.subscriber_id == person.id, Enrolment.state.in_(LIVE)
            )
        ).all()
    mail = consents & {"series", "challenge"}
    if person.state == PersonState.UNSUBSCRIBED:
        assert not mail
        assert not places
    else:
        assert person.state == PersonState.CONFIRMED
        assert len(places) == len(set(places))


def _seconds_to_confirm(house: House) -> float:
    person = make.person(house, NEWCOMER)
    with house.rt.reading.begin() as session:
        query = select(ConsentEvent.seconds_on_page).where(
            ConsentEvent.subscriber_id == person.id, ConsentEvent.action == "confirmed"
        )
        found = [seconds for seconds in session.scalars(query) if seconds is not None]
    assert found
    return min(found)


def test_a_person_who_reads_the_page_first_gets_no_mark(
    prepared_sqlite: Path, tmp_path: Path, browser: Browser
) -> None:
    with open_house(copy_database(prepared_sqlite, tmp_path), tmp_path) as house:
        make.request(house, NEWCOMER)
        house.work()
        with served(house) as site:
            page = browser.new_page()
            page.goto(site.base + confirm_path(house))
            page.wait_for_timeout(A_PERSON_READS)
            page.get_by_role("button", name="Yes, send my guide").click()
            page.wait_for_load_state()
            page.close()
        assert _seconds_to_confirm(house) >= 1.0
        desk = signed_in(house)
        shown = text_of(desk.get(f"/desk/people/{make.person(house, NEWCOMER).id}"))
        assert "Agreed" in shown
        assert "mail scanner" not in shown
