"""The sweeper: leases that ran out, doubts that lasted long enough."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from funnel.db.mail import Message
from funnel.domain.delivery import MessageState, Patience
from funnel.domain.ports import MailClass, Outcome
from tests.support import make
from tests.support.house import House, PowerCut
from tests.support.steps import CONFIRM, raise_it, send, sender_of, state_of, sweep


def doubted(house: House, mail_class: MailClass) -> None:
    """A message of this class that nobody can vouch for."""
    make.request(house)
    house.mailer.script = [Outcome.AMBIGUOUS]
    send(house)
    with house.rt.sessions.begin() as session:
        session.execute(update(Message).values(mail_class=mail_class))


@pytest.mark.parametrize(
    ("mail_class", "has_events", "minutes", "state"),
    [
        (MailClass.CONFIRM, False, 1, MessageState.SCHEDULED),
        (MailClass.DELIVER, False, 1, MessageState.SCHEDULED),
        (MailClass.RECEIPT, False, 15, MessageState.SCHEDULED),
        (MailClass.DRIP, False, 10, MessageState.UNCONFIRMED),
        (MailClass.ADMIN, False, 10, MessageState.UNCONFIRMED),
        (MailClass.CONFIRM, True, 10, MessageState.SCHEDULED),
        (MailClass.DRIP, True, 10, MessageState.UNCONFIRMED),
    ],
)
@pytest.mark.parametrize("knows_at_once", [True, False], ids=["at once", "later"])
def test_a_doubt_lasts_its_time_and_not_a_second_less(
    house: House,
    mail_class: MailClass,
    has_events: bool,
    minutes: int,
    state: MessageState,
    knows_at_once: bool,
) -> None:
    house.mailer.knows_at_once = knows_at_once
    doubted(house, mail_class)
    sweeper = replace(house.rt.worker.sweeper, has_events=has_events)
    house.clock.advance(timedelta(minutes=minutes) - timedelta(seconds=1))
    assert sweeper.sweep() == 0
    assert state_of(house, CONFIRM) == MessageState.UNKNOWN
    house.clock.advance(timedelta(seconds=1))
    assert sweeper.sweep() == 1
    assert state_of(house, CONFIRM) == state


def test_many_sweepers_at_once_move_a_message_once(each_house: House) -> None:
    house = each_house
    for number in range(10):
        make.request(house, f"person{number}@example.org")
    with pytest.raises(PowerCut):
        sender_of(house, lambda _: raise_it(PowerCut())).send_batch()
    house.clock.advance(Patience().lease)
    with ThreadPoolExecutor(6) as pool:
        moved = list(pool.map(lambda _: sweep(house), range(12)))
    assert sum(moved) == 10
    fences = {make.messages(house, f"person{number}@example.org")[0].fence for number in range(10)}
    assert fences == {2}


def test_a_lease_that_holds_is_left_alone(house: House) -> None:
    make.request(house)
    with pytest.raises(PowerCut):
        sender_of(house, lambda _: raise_it(PowerCut())).send_batch()
    house.clock.advance(Patience().lease - timedelta(seconds=1))
    assert sweep(house) == 0
    assert state_of(house, CONFIRM) == MessageState.CLAIMED


def test_a_message_being_sent_never_goes_straight_back_to_scheduled(house: House) -> None:
    make.request(house)
    house.mailer.script = [PowerCut()]
    with pytest.raises(PowerCut):
        send(house)
    house.clock.advance(timedelta(days=30))
    assert sweep(house) == 1
    assert state_of(house, CONFIRM) == MessageState.UNKNOWN, "however late it is noticed"
