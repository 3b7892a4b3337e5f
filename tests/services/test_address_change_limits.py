"""How often another address may be asked for, and who may ask."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from funnel.db.mail import Message
from funnel.db.people import Subscriber
from funnel.domain.errors import LinkExpired, LinkInvalid
from funnel.services import address_change
from tests.services.test_address_change import press
from tests.support import make
from tests.support.house import House

DAY = timedelta(days=1)
OLD, NEW, OTHER = "ada@example.org", "ada@new.example.org", "ada@third.example.org"
CONFIRM_CHANGE = "Is this your new address?"
CHANGED = "Your emails now go to another address"


def mails_to(house: House, address: str) -> int:
    with house.rt.reading.begin() as session:
        query = select(func.count()).where(Message.to_address == address)
        return session.scalar(query) or 0


def test_one_address_gets_one_such_mail_a_day_and_three_a_month(house: House) -> None:
    make.confirmed(house)
    for _ in range(20):
        make.ask_to_move(house, NEW)
        house.clock.advance(timedelta(hours=12))
    assert mails_to(house, NEW) == 3


def test_they_count_with_the_confirm_mails_of_the_same_address(house: House) -> None:
    make.confirmed(house)
    for _ in range(3):
        make.request(house, NEW, name=None)
        house.clock.advance(DAY)
    make.ask_to_move(house, NEW)
    assert mails_to(house, NEW) == 0


def test_one_person_asks_three_times_a_day(house: House) -> None:
    make.confirmed(house)
    for number in range(6):
        make.ask_to_move(house, f"victim{number}@example.org")
    with house.rt.reading.begin() as session:
        query = select(func.count()).where(Message.mail_key == "service/confirm_change")
        assert session.scalar(query) == 3


def test_one_connection_asks_five_times_an_hour(house: House) -> None:
    for number in range(7):
        make.confirmed(house, f"p{number}@example.org")
    for number in range(7):
        make.ask_to_move(
            house, f"new{number}@example.org", of=f"p{number}@example.org", ip_key="one network"
        )
    with house.rt.reading.begin() as session:
        query = select(func.count()).where(Message.mail_key == "service/confirm_change")
        assert session.scalar(query) == 5


def test_staying_ends_the_link_and_its_mail(each_house: House) -> None:
    house = each_house
    make.confirmed(house)
    make.ask_to_move(house, NEW)
    with house.rt.sessions.begin() as session:
        address_change.cancel(session, make.person(house).public_id, now=house.clock.now())
    with pytest.raises(LinkExpired):
        press(house)
    house.work()
    assert house.mailer.to(NEW) == []


def test_whoever_never_confirmed_moves_nowhere(house: House) -> None:
    make.request(house)
    with pytest.raises(LinkInvalid):
        make.ask_to_move(house, NEW)
    with house.rt.reading.begin() as session:
        assert session.scalar(select(func.count()).select_from(Subscriber)) == 1
