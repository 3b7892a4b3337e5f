"""Nobody learns from an answer whether an address is known: same status, headers and bytes."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from werkzeug.test import TestResponse

from funnel.db.people import Subscriber
from funnel.domain.people import PersonState
from tests.support import make
from tests.support.desk import sign_in, signed_in
from tests.support.front_door import Door, open_door
from tests.support.house import House

# Of one length, so that what is sealed of them is of one length too.
ADA, BEN, CLEO, DEE, EVE = (
    "ada@one.example",
    "ben@one.example",
    "cle@one.example",
    "dee@one.example",
    "eve@one.example",
)
NEW = "new@one.example"
SEALED = re.compile(r"/check-your-inbox/[\w=-]+")


@dataclass(frozen=True)
class Said:
    """An answer without what is the asker's own: her address, sealed or plain."""

    status: int
    headers: tuple[tuple[str, str], ...]
    page: str


@pytest.fixture
def door(house: House) -> Door:
    """Ada is confirmed, Ben is not yet, Cleo left, Dee bounced, Eve complained."""
    for address in (ADA, CLEO, DEE, EVE):
        make.confirmed(house, address)
    make.request(house, BEN)
    make.unsubscribed(house, CLEO)
    _mark(house, DEE, PersonState.BOUNCED)
    _mark(house, EVE, PersonState.COMPLAINED)
    house.work()
    return open_door(house)


def _mark(house: House, address: str, state: PersonState) -> None:
    with house.rt.sessions.begin() as session:
        session.get_one(Subscriber, make.person(house, address).id).state = state


def said(answer: TestResponse, address: str) -> Said:
    def plain(text: str) -> str:
        return SEALED.sub("/check-your-inbox/sealed", text).replace(address, "someone")

    headers = tuple(sorted((name, plain(value)) for name, value in answer.headers.items()))
    return Said(answer.status_code, headers, re.sub(r'value="[^"]*"', "", plain(answer.text)))


ASKING: dict[str, Callable[[Door, str], TestResponse]] = {
    "sign-up": lambda door, address: door.ask(address, series="yes"),
    "challenge link": lambda door, address: door.press("/challenge", email=address),
    "send it again": lambda door, address: door.client.post(
        f"/check-your-inbox/{door.rt.links.seal(address)}/resend"
    ),
    "check your inbox": lambda door, address: door.client.get(
        f"/check-your-inbox/{door.rt.links.seal(address)}"
    ),
}


@pytest.mark.parametrize("way", ASKING)
def test_every_address_gets_the_very_same_answer(door: Door, way: str) -> None:
    answers = {}
    for address in (NEW, ADA, BEN, CLEO, DEE, EVE):
        answer = ASKING[way](door, address)
        answers[address] = [said(answer, address)]
        if "Location" in answer.headers:
            answers[address].append(said(door.client.get(answer.headers["Location"]), address))
    assert all(found == answers[NEW] for found in answers.values())


def test_whoever_asks_too_often_gets_the_same_answer_too(door: Door) -> None:
    answers = [
        said(door.ask(f"n{number:02}@one.example"), f"n{number:02}@one.example")
        for number in range(25)
    ]
    assert len(set(answers)) == 1


def test_signing_in_does_not_tell_who_has_an_account(house: House) -> None:
    signed_in(house)
    stranger = open_door(house).client
    addresses = ("reyes@example.org", "nobody@example.org", "", "no address", "x" * 5_000)
    answers = {
        said(sign_in(stranger, "wrong", email=each), each or "no address") for each in addresses
    }
    assert len({(each.status, each.page) for each in answers}) == 1
