"""The rounds of background work."""

import logging
from dataclasses import replace
from datetime import timedelta
from threading import Event

import pytest
from sqlalchemy import select

from funnel.db.mail import RateWindow, Tick
from funnel.services import control
from funnel.services.work import MAX_ROUNDS, drain, run_guarded
from tests.support import make
from tests.support.house import House, PowerCut


class CountingBell:
    """Remembers which queues were rung."""

    def __init__(self) -> None:
        self.rung: list[str] = []

    def ring(self, queue: str) -> None:
        self.rung.append(queue)


def test_draining_repeats_until_nothing_is_found() -> None:
    answers = iter([True, True, True, False, True])
    assert drain(lambda: next(answers)) == 3


def test_draining_something_endless_stops() -> None:
    assert drain(lambda: True) == MAX_ROUNDS


def test_a_round_that_fails_is_logged_and_does_not_end_the_worker(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail() -> None:
        raise KeyError("something")

    with caplog.at_level(logging.ERROR):
        assert not run_guarded(fail)
        assert run_guarded(lambda: 1)
        assert not run_guarded(lambda: 0)
    assert "the next round comes" in caplog.text


def test_the_end_of_the_process_is_not_swallowed() -> None:
    def die() -> None:
        raise PowerCut

    with pytest.raises(PowerCut):
        run_guarded(die)


def test_a_guide_that_was_made_rings_for_its_mail(house: House) -> None:
    house.work()
    bell = CountingBell()
    worker = replace(house.rt.worker, bell=bell)
    worker.guide_round()
    assert bell.rung == []
    make.request(house)
    make.confirm(house)
    worker.guide_round()
    assert bell.rung == ["mail"]


def test_a_round_leaves_a_sign_of_life(house: House) -> None:
    house.work()
    with house.rt.reading.begin() as session:
        assert control.last_tick(session) == house.clock.machine()


def test_old_limits_and_slots_are_tidied_away(house: House) -> None:
    make.request(house)
    house.work()
    house.clock.advance(timedelta(days=40))
    house.work()
    with house.rt.reading.begin() as session:
        assert session.scalars(select(RateWindow)).all() == []
        oldest = min(session.scalars(select(Tick.slot)))
    assert house.clock.machine() - oldest < timedelta(days=1)


def test_rounds_with_nothing_to_do_change_nothing(house: House) -> None:
    for _ in range(3):
        assert not house.rt.worker.work_mail()


def test_a_worker_that_is_to_stop_begins_nothing_more() -> None:
    stopping, done = Event(), []

    def step() -> bool:
        done.append(1)
        stopping.set()
        return True

    assert drain(step, stopping) == 1
    assert done == [1]
