"""Redis emptied, Redis gone, the web killed between commit and bell (reliability A3, A7)."""

from dataclasses import replace

import pytest
from redis import Redis
from sqlalchemy import func, select

from funnel.adapters.bells import CeleryBell
from funnel.db.people import Subscriber
from funnel.runtime import TASKS
from tests.support.front_door import Door, open_door
from tests.support.house import House, PowerCut


class LastBell:
    """The process dies as it reaches for the bell."""

    def ring(self, queue: str) -> None:
        raise PowerCut(queue)


def people(house: House) -> int:
    with house.rt.reading.begin() as session:
        return session.scalar(select(func.count()).select_from(Subscriber)) or 0


def with_bell(door: Door, bell: object) -> Door:
    return open_door(door.house, replace(door.rt, bell=bell))  # type: ignore[arg-type]  # a Bell


def test_emptying_redis_in_the_middle_of_an_attack_gives_no_new_tries(
    door: Door, redis_url: str
) -> None:
    attacked = with_bell(door, CeleryBell(redis_url, TASKS))
    broker = Redis.from_url(redis_url)
    for number in range(30):
        assert attacked.ask(f"victim{number}@example.org").status_code == 303
        broker.flushall()
    broker.close()
    assert people(door.house) == 5


def test_a_web_process_killed_between_commit_and_bell_loses_no_mail(door: Door) -> None:
    with pytest.raises(PowerCut):
        with_bell(door, LastBell()).ask()
    door.house.work()
    (mail,) = door.house.mailer.accepted
    assert mail.to_address == "ada@example.org"


def test_without_redis_a_request_is_taken_and_its_mail_goes(door: Door) -> None:
    nobody_there = with_bell(door, CeleryBell("redis://127.0.0.1:1/0", TASKS))
    assert nobody_there.ask().status_code == 303
    door.house.work()
    assert len(door.house.mailer.accepted) == 1
