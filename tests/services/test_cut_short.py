"""The web process killed at every statement of a request: all of it holds, or nothing (B5)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, event, func, select

from funnel.db.guides import Guide
from funnel.db.mail import Enrolment, Message
from funnel.db.people import Confirmation, Consent, ConsentEvent, Subscriber
from funnel.domain.people import PersonState
from tests.support import make
from tests.support.house import House, PowerCut

TABLES = (Confirmation, Consent, ConsentEvent, Enrolment, Guide, Message, Subscriber)


@contextmanager
def cut_at(engine: Engine, number: int) -> Iterator[None]:
    """The process dies as it comes to that statement."""
    seen = 0

    def count(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            raise PowerCut

    event.listen(engine, "before_cursor_execute", count)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", count)


def rows(house: House) -> dict[str, int]:
    with house.rt.reading.begin() as session:
        return {
            table.__tablename__: session.scalar(select(func.count()).select_from(table)) or 0
            for table in TABLES
        }


def killed_everywhere(house: House, act: Callable[[], object]) -> int:
    """Kill the act at each of its statements in turn, until it comes through; how many it has."""
    before, number = rows(house), 0
    while True:
        number += 1
        try:
            with cut_at(house.rt.engine, number):
                act()
        except PowerCut:
            assert rows(house) == before, f"half of it stayed when it was cut at {number}"
        else:
            return number


def test_a_request_is_there_with_its_mail_or_not_at_all(each_house: House) -> None:
    statements = killed_everywhere(each_house, lambda: make.request(each_house))
    assert statements > 10
    assert rows(each_house)["message"] == 1
    assert rows(each_house)["subscriber"] == 1


def test_a_confirm_is_whole_with_series_and_guide_or_did_not_happen(each_house: House) -> None:
    make.request(each_house)
    each_house.work()
    statements = killed_everywhere(each_house, lambda: make.confirm(each_house))
    assert statements > 10
    assert make.person(each_house).state == PersonState.CONFIRMED
    after = rows(each_house)
    assert (after["enrolment"], after["guide"], after["consent"]) == (1, 1, 1)
    each_house.work()
    assert [mail.subject for mail in each_house.mailer.accepted] == [
        "Please confirm your email",
        "Your guide is ready",
    ]


@pytest.mark.parametrize("at", [1, 5, 9])
def test_after_a_cut_the_next_press_works_as_if_nothing_had_been(house: House, at: int) -> None:
    make.request(house)
    with pytest.raises(PowerCut), cut_at(house.rt.engine, at):
        make.confirm(house)
    assert make.confirm(house).has_series
