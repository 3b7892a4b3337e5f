"""Somebody at work while every person is locked: what do they hold meanwhile?"""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy import select, text
from sqlalchemy.orm import InstrumentedAttribute

from funnel.db.people import Subscriber
from tests.support.house import House

T = TypeVar("T")


def while_people_are_locked(
    house: House, act: Callable[[House], T], row: InstrumentedAttribute[Any]
) -> tuple[Future[T], int]:
    """Let `act` run until it waits for a person; then how many rows of a table nobody holds.

    Postgres only. The people are let go at the end, and the act is over.
    """
    with ThreadPoolExecutor(1) as pool, house.rt.sessions.begin() as holding:
        holding.execute(select(Subscriber.id).with_for_update())
        job = pool.submit(act, house)
        is_waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        while not job.done() and not holding.scalar(is_waiting):
            time.sleep(0.01)
        assert not job.done()
        with house.rt.sessions.begin() as session:
            query = select(row).with_for_update(skip_locked=True)
            free = len(session.scalars(query).all())
    return job, free
