"""The rounds of background work."""

import logging
from dataclasses import replace
from datetime import timedelta
from threading import Event
from typing import cast

import pytest
from sqlalchemy import select

from funnel.db.base import Base
from funnel.db.mail import Control, RateWindow, Tick
from funnel.services import control
from funnel.services.doubt import Sweeper
from funnel.services.errands import Errand
from funnel.services.rights import outside
from funnel.services.skew import ClockWatch
from funnel.services.work import MAX_ROUNDS, drain, run_guarded
from tests.support import make
from tests.support.house import House, PowerCut
from tests.support.misled_clock import DatedMailer, MisledClock
from tests.support.rights import erase
from tests.support.steps import drip_due


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


def everything(house: House) -> dict[str, list[tuple[object, ...]]]:
    """All that is in the database, but for the note that a clock is wrong."""
    tables = Base.metadata.sorted_tables
    with house.rt.reading.begin() as session:
        found = {
            each.name: [tuple(row) for row in session.execute(each.select())] for each in tables
        }
    found[Control.__tablename__] = [
        row for row in found[Control.__tablename__] if control.SKEW not in row
    ]
    return found


def test_a_worker_whose_clock_is_wrong_does_nothing_at_all(house: House) -> None:
    drip_due(house)
    make.request(house, "bea@example.org")
    make.request(house, "cleo@example.org")
    make.confirm(house, "cleo@example.org")
    clock, mailer, worker = MisledClock(house.clock.now()), DatedMailer(), house.rt.worker
    mailer.last_date_seen = (clock.now(), clock.boot_seconds())
    gate = worker.sender.throttle.gate
    clocks = ClockWatch(house.rt.sessions, clock, mailer, gate, "there:1")
    worker = replace(
        worker,
        clock=clock,
        watch=replace(worker.watch, clock=clock, clocks=clocks),
        sender=replace(worker.sender, clock=clock),
        sweeper=replace(worker.sweeper, clock=clock),
        printer=replace(worker.printer, clock=clock),
    )
    before = everything(house)
    clock.error = timedelta(days=30)
    for work in (worker.mail_round, worker.guide_round, worker.tick, worker.work_mail):
        work()
        assert everything(house) == before
    clock.error = timedelta(0)
    worker.mail_round()
    assert everything(house) != before
    assert {mail.to_address for mail in house.mailer.offered} >= {"ada@example.org"}


def test_one_periodic_job_that_fails_keeps_no_other_from_its_turn(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    class Jammed:
        def sweep(self) -> None:
            raise ValueError

    worker = replace(house.rt.worker, sweeper=cast(Sweeper, Jammed()))
    before = slots(house)
    worker.tick()
    assert "a part of the work failed" in caplog.text
    assert slots(house) - before == {
        "sweep", "tidy", "remind", "errands", "forget", "erase", "retention", "watch", "brake",
    }  # fmt: skip


def slots(house: House) -> set[str]:
    with house.rt.reading.begin() as session:
        return set(session.scalars(select(Tick.name)))


def test_erasures_outside_are_asked_for_beside_the_mail(house: House) -> None:
    make.confirmed(house)
    erase(house)
    started: list[Errand] = []
    worker = replace(house.rt.worker, aside=started.append)
    house.clock.advance(timedelta(days=1))
    worker.tick()
    assert jobs(house) == 1
    (errand,) = started
    errand()
    assert jobs(house) == 0
    house.clock.advance(timedelta(days=1))
    worker.tick()
    assert len(started) == 1, "nobody waits, so no thread is begun"


def jobs(house: House) -> int:
    with house.rt.reading.begin() as session:
        return outside.pending(session).count


def test_a_long_round_marks_the_database_between_its_batches(house: House) -> None:
    def generation() -> int:
        with house.rt.reading.begin() as session:
            return control.sending_state(session).generation

    house.mailer.batch_size = 1
    house.mailer.during = lambda: house.clock.advance(timedelta(seconds=6))
    for number in range(4):
        make.request(house, f"p{number}@example.org")
    before = generation()
    house.rt.worker.mail_round()
    assert len(house.mailer.accepted) == 4
    assert generation() - before >= 4
