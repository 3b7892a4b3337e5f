"""Clicks as the pages meet them: in memory first, told apart, and shown at the desk."""

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from funnel.db.people import ClickCount, LinkClick, VisitCount
from funnel.db.tables import Base
from funnel.domain.clicks import ClickKind
from funnel.domain.delivery import MessageState
from funnel.domain.ports import OutgoingEmail
from funnel.links import LinkPurpose
from funnel.services import clicks
from funnel.web.click_memory import PAGES, SAME_PRESS_SECONDS
from funnel.web.tally import COUNTED
from tests.support import make, rows
from tests.support.desk import signed_in, text_of
from tests.support.front_door import Door, Outline, copy_database, open_door, words_of
from tests.support.house import link_in, open_house
from tests.support.scanners import BROWSERS, SCANNERS
from tests.support.visitor import hidden_fields

FIRST, INVITE = "nurture/one-technique", "nurture/five-days"
DAY, A_WHILE = timedelta(days=1), timedelta(minutes=2)
PERSON = BROWSERS[0]


@pytest.fixture(scope="module")
def series_had(
    prepared_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, datetime, list[OutgoingEmail]]:
    """A database in which Ada has had the whole series; when that was, and her mails."""
    folder = tmp_path_factory.mktemp("series")
    with open_house(copy_database(prepared_sqlite, folder), folder) as house:
        make.confirmed(house)
        house.hop(20 * DAY)
        return folder / "funnel.db", house.clock.now(), house.mailer.accepted


@pytest.fixture
def door(series_had: tuple[Path, datetime, list[OutgoingEmail]], tmp_path: Path) -> Iterator[Door]:
    """The front door of a house where Ada has had the whole series."""
    database, now, mails = series_had
    with open_house(copy_database(database, tmp_path), tmp_path, start=now) as house:
        house.mailer.accepted.extend(mails)
        yield open_door(house)


def link_of(door: Door, subject: str, path: str) -> str:
    """The path, with its mark, of a link in one of Ada's mails."""
    mail = next(m for m in door.house.mailer.to("ada@example.org") if subject in m.subject)
    return link_in(mail, path)


@pytest.fixture
def guide_link(door: Door) -> str:
    return link_of(door, "One small thing", "/guide/")


@pytest.fixture
def invitation(door: Door) -> str:
    return link_of(door, "Five days", "/challenge/")


def press(
    door: Door, path: str, agent: str = PERSON, *, ahead: str = "", status: int = 200
) -> None:
    """Follow a link in this browser."""
    headers = {"User-Agent": agent, **({"Sec-Purpose": ahead} if ahead else {})}
    assert door.client.get(path, headers=headers, buffered=True).status_code == status


def settle(door: Door) -> None:
    """Let the seconds pass after which visits are judged, and write what came of them."""
    door.house.clock.advance(A_WHILE)
    door.client.application.extensions["tally"].flush()


def counts(door: Door) -> dict[tuple[str, str], int]:
    with door.house.rt.reading.begin() as session:
        found = session.scalars(select(ClickCount))
        return {(row.mail_key, row.kind): row.clicks for row in found}


def noted(door: Door) -> list[str]:
    with door.house.rt.reading.begin() as session:
        return list(session.scalars(select(LinkClick.mail_key)))


def contents(door: Door) -> dict[str, list[tuple[object, ...]]]:
    with door.house.rt.reading.begin() as session:
        return {
            name: [tuple(row) for row in session.execute(select(table))]
            for name, table in Base.metadata.tables.items()
        }


# --- what counts ----------------------------------------------------------------------------------


def test_a_pressed_link_is_counted_later_and_the_request_itself_writes_nothing(
    door: Door, guide_link: str
) -> None:
    before = contents(door)
    press(door, guide_link)
    assert contents(door) == before
    settle(door)
    assert counts(door) == {(FIRST, "person"): 1}
    assert noted(door) == []


def test_each_mail_has_its_own_count_though_both_lead_to_one_page(
    door: Door, invitation: str
) -> None:
    press(door, invitation)
    settle(door)
    press(door, link_of(door, "Good questions", "/challenge/"))
    settle(door)
    assert counts(door) == {(INVITE, "person"): 1, ("nurture/good-questions", "person"): 1}


def test_a_page_loaded_again_is_one_press_and_the_next_day_it_is_another(
    door: Door, guide_link: str
) -> None:
    for _ in range(4):
        press(door, guide_link)
        settle(door)
    assert counts(door) == {(FIRST, "person"): 1}
    door.house.clock.advance(timedelta(seconds=SAME_PRESS_SECONDS))
    press(door, guide_link)
    settle(door)
    assert sum(counts(door).values()) == 2


def test_scanners_that_own_up_are_counted_apart(door: Door, guide_link: str) -> None:
    agents = [scanner.agent for scanner in SCANNERS if scanner.owns_up]
    for agent in agents:
        press(door, guide_link, agent)
        settle(door)
        door.house.clock.advance(timedelta(seconds=SAME_PRESS_SECONDS))
    assert counts(door) == {(FIRST, "machine"): len(agents)}


def test_a_head_request_and_a_look_ahead_are_machines(door: Door, guide_link: str) -> None:
    door.client.head(guide_link, headers={"User-Agent": PERSON})
    settle(door)
    press(door, guide_link, ahead="prefetch;prerender")
    settle(door)
    assert counts(door) == {(FIRST, "machine"): 1}, "the same page again, by the same kind"


def test_a_browser_that_opens_every_link_at_once_is_a_machine(door: Door) -> None:
    mail = next(m for m in door.house.mailer.accepted if "Five days" in m.subject)
    for path in re.findall(r"http://localhost(/\S+)", mail.text):
        door.client.get(path, headers={"User-Agent": PERSON}, buffered=True)
    settle(door)
    assert counts(door) == {(INVITE, "machine"): 1}


def test_every_page_that_is_watched_is_there(door: Door) -> None:
    assert {*PAGES, *COUNTED} <= set(door.client.application.view_functions)


def test_a_person_after_a_machine_still_counts(door: Door, guide_link: str) -> None:
    door.client.head(guide_link, headers={"User-Agent": PERSON})
    settle(door)
    press(door, guide_link)
    settle(door)
    assert counts(door) == {(FIRST, "machine"): 1, (FIRST, "person"): 1}


@pytest.mark.parametrize("mark", ["", "?m=", "?m=abcdef", "?m=ABCDEF", "?m=%00", "?m=a&m=b"])
def test_a_made_up_mark_counts_nothing_and_breaks_nothing(
    door: Door, guide_link: str, mark: str
) -> None:
    press(door, urlsplit(guide_link).path + mark)
    settle(door)
    assert counts(door) == {}


def test_a_link_that_opens_nothing_counts_nothing(door: Door, guide_link: str) -> None:
    mark = urlsplit(guide_link).query
    press(door, f"/guide/{'x' * 65}?{mark}", status=404)
    settle(door)
    assert counts(door) == {}


def test_looking_at_warning_signs_is_nobodys_business(door: Door) -> None:
    """No mail marks the links to the warning signs, nor those to stop it."""
    for mail in door.house.mailer.accepted:
        for path in re.findall(r"http://localhost(/\S+)", mail.text):
            if "?m=" in path:
                assert path.startswith(("/guide/", "/challenge/", "/programme/"))


def test_a_page_that_waits_for_the_guide_and_asks_by_itself_is_one_press(
    door: Door, guide_link: str
) -> None:
    for _ in range(5):
        press(door, guide_link)
        door.house.clock.advance(timedelta(seconds=3))
    settle(door)
    assert counts(door) == {(FIRST, "person"): 1}


class Away(sessionmaker[Session]):
    """A database that is not there."""

    def begin(self) -> NoReturn:
        raise OperationalError("SELECT 1", {}, Exception())


def test_a_database_that_is_away_gets_the_counts_later(door: Door, guide_link: str) -> None:
    tally = door.client.application.extensions["tally"]
    press(door, guide_link)
    there, tally._rt = tally._rt, replace(tally._rt, sessions=Away())
    settle(door)
    assert counts(door) == {}
    tally._rt = there
    settle(door)
    assert counts(door) == {(FIRST, "person"): 1}


def test_visits_are_judged_without_a_turn_at_writing(door: Door, guide_link: str) -> None:
    tally = door.client.application.extensions["tally"]
    press(door, guide_link)
    there, tally._rt = tally._rt, replace(tally._rt, reading=Away())
    settle(door)
    assert counts(door) == {}, "only whoever reads can judge"
    tally._rt = there
    settle(door)
    assert counts(door) == {(FIRST, "person"): 1}


def test_where_nothing_is_to_be_counted_nothing_is_written(door: Door, guide_link: str) -> None:
    tally = door.client.application.extensions["tally"]
    press(door, f"{guide_link.partition('?')[0]}?m=abcdef")
    tally._rt = replace(tally._rt, sessions=Away())
    settle(door)
    assert not tally._clicks.is_waiting


def test_a_link_that_is_hammered_is_judged_in_a_moment(door: Door, guide_link: str) -> None:
    press(door, guide_link)
    memory = door.client.application.extensions["tally"]._clicks
    (seen,) = memory._waiting
    memory._waiting.extend([seen] * 5_000)
    memory._recent.extend([seen] * 5_000)
    began = time.process_time()
    settle(door)
    assert time.process_time() - began < 3.0
    assert counts(door) == {(FIRST, "machine"): 1}


# --- the choice -----------------------------------------------------------------------------------


@pytest.fixture
def choices(door: Door) -> str:
    handle = make.person(door.house).public_id
    return f"/preferences/{door.rt.links.token(LinkPurpose.PREFERENCES, handle)}"


def box(page: str) -> dict[str, str | None]:
    return next(tag for tag in Outline(page).all("input") if tag.get("name") == "clicks")


def test_the_box_is_empty_until_it_is_ticked_and_stands_apart_from_the_others(
    door: Door, choices: str
) -> None:
    page = door.get(choices)
    assert "checked" not in box(page)
    assert door.rt.catalog.wordings["clicks"].text in words_of(page)
    answer = door.client.post(f"{choices}/clicks", data={**hidden_fields(page), "clicks": "yes"})
    shown = door.get(answer.headers["Location"])
    assert "From now on we note which links you press." in words_of(shown)
    assert "checked" in box(shown)
    answer = door.client.post(choices, data={**hidden_fields(shown), "want": "series"})
    assert "checked" in box(door.get(answer.headers["Location"])), "saving other choices keeps it"


def test_a_press_of_someone_who_allows_it_is_seen_at_the_desk_and_gone_when_taken_back(
    door: Door, choices: str, guide_link: str
) -> None:
    door.client.post(f"{choices}/clicks", data={"clicks": "yes"})
    door.house.clock.advance(A_WHILE)
    press(door, guide_link)
    settle(door)
    assert noted(door) == [FIRST]
    desk = signed_in(door.house)
    page = f"/desk/people/{make.person(door.house).id}"
    shown = text_of(desk.get(page))
    assert "Pressed a link in “One small thing to try today”" in shown
    assert "Noting which links they press" in shown
    answer = door.client.post(f"{choices}/clicks", data={})
    assert "What we had noted of your links, if anything, is deleted." in words_of(
        door.get(answer.headers["Location"])
    )
    assert noted(door) == []
    assert "Pressed a link" not in text_of(desk.get(page))


def test_whoever_gets_no_mail_is_not_asked(door: Door, choices: str) -> None:
    make.unsubscribed(door.house)
    assert "Which links you press" not in words_of(door.get(choices))
    assert door.client.post(f"{choices}/clicks", data={"clicks": "yes"}).status_code == 404


# --- at the desk ----------------------------------------------------------------------------------


def row_of(page: str, subject: str) -> str:
    found: list[str] = re.findall(r"<tr role=\"row\">.*?</tr>", page, re.DOTALL)
    return next(row for row in found if subject in row)


def test_the_desk_shows_presses_only_of_mails_that_went_to_thirty(door: Door) -> None:
    desk = signed_in(door.house)
    assert "not enough yet" in row_of(desk.get("/desk/").text, "One small thing")
    now = door.house.clock.now()
    with door.house.rt.sessions.begin() as session:
        version = make.message(door.house, FIRST).text_version_id
        for _ in range(29):
            person = rows.add_person(session, {}, created_at=now)
            rows.add_message(session, person, FIRST, version, MessageState.ACCEPTED, created_at=now)
        presses = [(now, FIRST, ClickKind.PERSON)] * 7
        clicks.add_counts(session, [*presses, (now, FIRST, ClickKind.MACHINE)])
    shown = " ".join(words_of(row_of(desk.get("/desk/").text, "One small thing")).split())
    assert "7 and 1 by machines" in shown
    assert "–" in row_of(desk.get("/desk/").text, "Please confirm your email")


def test_visits_are_counted_as_before(door: Door) -> None:
    press(door, "/")
    press(door, "/", SCANNERS[0].agent)
    settle(door)
    with door.house.rt.reading.begin() as session:
        assert list(session.scalars(select(VisitCount.visits))) == [1]
