"""The timer that lets answers go, while their owners are at it too."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from funnel.db.people import KeptAnswers
from funnel.services import self_check
from tests.support import make
from tests.support.house import House

DAY = timedelta(days=1)


def forget_old(house: House) -> int:
    with house.rt.sessions.begin() as session:
        return self_check.forget_old(session, now=house.clock.now())


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_the_timer_leaves_answers_alone_that_came_while_it_waited_for_her(
    each_house: House,
) -> None:
    house = each_house
    make.confirmed(house, series=False, health=True, answers=make.some_answers(house))
    house.clock.advance(timedelta(days=house.rt.catalog.self_check.keep_days) - DAY)
    make.request(house, series=False, health=True, answers=make.some_answers(house, 1))
    house.work()
    house.clock.advance(2 * DAY)
    with ThreadPoolExecutor(1) as pool:
        with house.rt.sessions.begin() as hers:
            make.confirm_handle(house, make.newest_confirmation(house), hers)
            hers.flush()
            timer = pool.submit(forget_old, house)
            is_waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
            while not timer.done() and not hers.scalar(is_waiting):
                time.sleep(0.01)
            assert not timer.done()
        timer.result()
    with house.rt.reading.begin() as session:
        assert session.scalar(select(func.count()).select_from(KeptAnswers)) == 1
    assert "health" in [row.purpose for row in make.person(house).consents]
