"""The local mailbox: mail that would have been sent, read in the browser."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from funnel.adapters.mailbox import FileMailbox
from tests.support import make
from tests.support.front_door import Door, Outline, copy_database, open_door, words_of
from tests.support.house import open_house


@pytest.fixture
def door(prepared_sqlite: Path, tmp_path: Path) -> Iterator[Door]:
    """A house whose mail goes into the local mailbox."""
    mailbox = FileMailbox(tmp_path / "mailbox")
    url = copy_database(prepared_sqlite, tmp_path)
    with open_house(url, tmp_path, mailer=mailbox) as house:
        yield open_door(house)


def newest(door: Door) -> str:
    assert door.rt.mailbox is not None
    return f"/mailbox/{door.rt.mailbox.items()[0].key}"


def test_an_empty_mailbox_says_what_to_do(door: Door) -> None:
    words = words_of(door.get("/mailbox"))
    assert "Mail that would have been sent." in words
    assert "Nothing here yet" in words


def test_the_list_shows_each_mail_with_its_reader(door: Door) -> None:
    make.request(door.house)
    door.house.work()
    page = door.get("/mailbox")
    assert "ada@example.org" in words_of(page)
    assert f'href="{newest(door)}"' in page


def test_the_reader_shows_both_parts_and_every_header(door: Door) -> None:
    make.request(door.house)
    door.house.work()
    page = door.get(newest(door))
    frame = Outline(page).all("iframe")[0]
    assert frame["src"] == f"{newest(door)}/html"
    assert "allow-scripts" not in (frame["sandbox"] or "")
    assert "Message-ID" in words_of(page)
    assert "http://localhost/confirm/" in words_of(page)


def test_a_mail_is_shown_where_nothing_in_it_may_run_and_its_links_leave_the_frame(
    door: Door,
) -> None:
    make.request(door.house)
    door.house.work()
    answer = door.client.get(f"{newest(door)}/html")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script" not in policy
    assert '<base target="_top">' in answer.text
    assert "_blank" not in answer.text


@pytest.mark.parametrize("key", ["nothing", "..", "%2e%2e%2fsecret.key", "a" * 3000])
def test_a_mail_that_is_not_there_is_not_found(door: Door, key: str) -> None:
    assert door.client.get(f"/mailbox/{key}").status_code == 404


def test_the_inbox_page_leads_there_while_trying_out(door: Door) -> None:
    page = door.get(door.ask().headers["Location"])
    assert 'href="/mailbox"' in page
    assert "Open Gmail" not in page


def test_an_installation_with_real_mail_has_no_mailbox(door: Door) -> None:
    live = open_door(door.house, replace(door.rt, mailbox=None))
    assert live.client.get("/mailbox").status_code == 404
