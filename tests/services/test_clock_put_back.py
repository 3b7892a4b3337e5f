"""A machine's clock that jumped ahead and came back: nothing waits until that time comes again."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from funnel.db.mail import Message
from funnel.domain.delivery import MessageState
from funnel.domain.ports import Outcome
from tests.support import make
from tests.support.house import START, House, PowerCut, open_house
from tests.support.misled_clock import MisledClock
from tests.support.steps import CONFIRM, send, state_of, sweep

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def misled(house: House) -> tuple[House, MisledClock]:
    """The house with workers that live by such a clock."""
    clock, worker = MisledClock(START), house.rt.worker
    worker = replace(
        worker,
        clock=clock,
        sender=replace(worker.sender, clock=clock),
        sweeper=replace(worker.sweeper, clock=clock),
    )
    return replace(house, rt=replace(house.rt, worker=worker)), clock


@pytest.fixture
def each_misled(database_url: str, tmp_path: Path) -> Iterator[tuple[House, MisledClock]]:
    with open_house(database_url, tmp_path) as opened:
        yield misled(opened)


def test_a_lease_of_next_month_is_over(each_misled: tuple[House, MisledClock]) -> None:
    house, clock = each_misled
    make.request(house)

    def die(_place: str) -> None:
        raise PowerCut

    clock.error = 30 * DAY
    with pytest.raises(PowerCut):
        replace(house.rt.worker.sender, reach=die).send_batch()
    clock.error = timedelta(0)
    assert sweep(house) == 1
    clock.advance(MINUTE)
    send(house)
    assert [mail.to_address for mail in house.mailer.accepted] == ["ada@example.org"]


def test_a_lease_of_a_worker_a_few_minutes_ahead_holds(
    each_misled: tuple[House, MisledClock],
) -> None:
    house, clock = each_misled
    make.request(house)

    def other_worker() -> None:
        clock.error = timedelta(0)
        assert sweep(house) == 0

    house.mailer.during = other_worker
    clock.error = 4 * MINUTE
    send(house)
    assert state_of(house, CONFIRM) == MessageState.ACCEPTED


def test_a_doubt_of_next_month_is_settled(each_misled: tuple[House, MisledClock]) -> None:
    house, clock = each_misled
    house.mailer.knows_at_once = False
    make.request(house)
    house.mailer.script = [Outcome.AMBIGUOUS]
    clock.error = 30 * DAY
    send(house)
    clock.error = timedelta(0)
    clock.advance(MINUTE)
    assert sweep(house) == 1
    assert state_of(house, CONFIRM) == MessageState.SCHEDULED


def test_a_question_of_next_month_is_asked_again(each_misled: tuple[House, MisledClock]) -> None:
    house, clock = each_misled
    house.mailer.knows_at_once, house.mailer.knows = False, False
    make.request(house)
    house.mailer.script = [Outcome.AMBIGUOUS]
    send(house)
    with house.rt.sessions.begin() as session:
        session.execute(update(Message).values(asked_provider_at=clock.machine() + 30 * DAY))
    clock.advance(11 * MINUTE)
    assert sweep(house) == 1
    assert state_of(house, CONFIRM) == MessageState.SCHEDULED
