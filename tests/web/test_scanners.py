"""Thirty mail scanners over every link and every open page: nothing changes (B1, S1)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from funnel.domain.people import PersonState
from tests.support import make
from tests.support.every_mail import NEWCOMER, checksum, links_in_mails, live
from tests.support.front_door import copy_database, open_door
from tests.support.house import House, open_house
from tests.support.scanners import SCANNERS

OPEN = {"public", "self_check", "guide", "portal", "mailbox"}


@pytest.fixture(scope="module")
def house(prepared_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("scanned")
    with open_house(copy_database(prepared_sqlite, folder), folder) as opened:
        live(opened)
        yield opened


def open_pages(app: Flask, known: list[str], house: House) -> dict[str, str]:
    """A path for every endpoint that strangers may GET: one from a mail, or one made here."""
    adapter = app.url_map.bind("localhost")
    found = {str(adapter.match(path.partition("?")[0])[0]): path for path in known}
    token = next(path.split("/")[2] for path in known if path.startswith("/guide/"))
    sealed = house.rt.links.seal(NEWCOMER)
    return found | {
        "public.landing": "/",
        "public.back_to_landing": "/signup",
        "public.check_your_inbox": f"/check-your-inbox/{sealed}",
        "public.back_to_inbox": f"/check-your-inbox/{sealed}/resend",
        "self_check.start": "/self-check",
        "self_check.back_to_start": "/self-check/send",
        "guide.thank_you": f"/thank-you/{token}",
        "guide.pdf": f"/guide/{token}/pain-relief-blueprint.pdf",
        "portal.open_challenge": "/challenge",
    }


def test_thirty_scanners_over_every_link_and_page_change_nothing(house: House) -> None:
    door = open_door(house)
    app = door.client.application
    links = links_in_mails(house)
    pages = open_pages(app, links, house)
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    endpoints = {rule.endpoint for rule in rules if rule.endpoint.partition(".")[0] in OPEN}
    assert endpoints <= pages.keys(), "a page is open that no scanner has tried"
    paths = sorted({*links, *pages.values()})
    assert len(links) > 25
    before = checksum(house)
    for scanner in SCANNERS:
        for method in ("GET", "HEAD", "OPTIONS"):
            for path in paths:
                headers = {"User-Agent": scanner.agent}
                with door.client.open(path, method=method, headers=headers) as answer:
                    assert answer.status_code < 400, f"{method} {path}: {answer.status_code}"
    app.extensions["tally"].flush()
    assert checksum(house) == before
    assert make.person(house, NEWCOMER).state == PersonState.PENDING
    assert make.person(house, "ada@example.org").state == PersonState.CONFIRMED


def test_the_checksum_would_notice_a_single_press(house: House) -> None:
    door = open_door(house)
    before = checksum(house)
    day = next(path for path in links_in_mails(house, "bea@example.org") if "/day/1" in path)
    door.press(f"{day.partition('?')[0]}/done", page=day, done="yes")
    assert checksum(house) != before
