"""While the provider is in trouble, probes are spent on asking it and on nothing else."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from funnel.domain.breaker import PROBE_EVERY, Breaker
from funnel.domain.ports import Outcome, SendResult
from funnel.services import control
from tests.support import make
from tests.support.house import House
from tests.support.steps import advance, send


def trouble(house: House) -> None:
    """The account was refused a moment ago; in a minute the provider may be probed."""
    with house.rt.sessions.begin() as session:
        refused = SendResult(uuid4(), Outcome.ACCOUNT_REFUSED, "No such key.", None, 401)
        control.write_breaker(session, Breaker().after(refused, house.clock.machine()))
    house.clock.advance(PROBE_EVERY)


def is_open(house: House) -> bool:
    with house.rt.reading.begin() as session:
        return control.read_breaker(session).is_open


def test_mails_that_their_window_holds_do_not_use_up_the_probes(each_house: House) -> None:
    for number in range(4):
        make.confirmed(each_house, f"p{number}@example.org")
    each_house.clock.move_to(datetime(2026, 11, 24, 8, 10, tzinfo=UTC))
    while advance(each_house):
        pass
    each_house.clock.move_to(datetime(2026, 11, 24, 20, 30, tzinfo=UTC))
    trouble(each_house)
    each_house.mailer.offered.clear()
    while send(each_house):
        pass
    assert each_house.mailer.offered == []
    make.request(each_house, "new@example.org")
    assert send(each_house) == 1
    assert [mail.to_address for mail in each_house.mailer.offered] == ["new@example.org"]
    assert not is_open(each_house)


def test_a_worker_with_nothing_to_do_does_not_use_up_a_probe(each_house: House) -> None:
    make.request(each_house)
    send(each_house)
    trouble(each_house)
    assert send(each_house) == 0
    make.request(each_house, "new@example.org")
    assert send(each_house) == 1


@pytest.mark.parametrize("outcome", [Outcome.ACCOUNT_REFUSED, Outcome.AMBIGUOUS])
def test_a_probe_that_asked_in_vain_makes_the_next_one_wait(house: House, outcome: Outcome) -> None:
    make.request(house)
    trouble(house)
    make.request(house, "bea@example.org")
    house.mailer.script = [outcome]
    assert [send(house), send(house)] == [1, 0]
    house.clock.advance(PROBE_EVERY - timedelta(seconds=1))
    assert send(house) == 0
    house.clock.advance(timedelta(seconds=1))
    assert send(house) == 1
