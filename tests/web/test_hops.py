"""Whose address counts: the one that exactly so many trusted proxies name (reliability A6, S6)."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from funnel.db.people import ConsentEvent, Subscriber
from tests.support.front_door import Door, open_door
from tests.support.house import House
from tests.support.visitor import hidden_fields

PROXY = "10.0.0.1"


def behind(house: House, hops: int) -> Door:
    door = open_door(house)
    return open_door(
        house, replace(door.rt, settings=replace(door.rt.settings, trusted_proxies=hops))
    )


def ask(door: Door, number: int, forwarded: str) -> None:
    fields = hidden_fields(door.get("/"))
    answer = door.client.post(
        "/signup",
        data={**fields, "email": f"p{number}@example.org"},
        headers={"X-Forwarded-For": forwarded},
        environ_overrides={"REMOTE_ADDR": PROXY},
    )
    assert answer.status_code == 303


def people(house: House) -> int:
    with house.rt.reading.begin() as session:
        return session.scalar(select(func.count()).select_from(Subscriber)) or 0


def networks(house: House) -> set[str]:
    """The shortened addresses in the evidence."""
    with house.rt.reading.begin() as session:
        return set(session.scalars(select(ConsentEvent.ip_truncated)))


@pytest.mark.parametrize(
    ("hops", "forwarded", "believed"),
    [
        (0, "{}", "10.0.0.0"),
        (1, "{}", "203.0.113.0"),
        (1, "6.6.6.6, {}", "203.0.113.0"),
        (2, "{}, 192.0.2.9", "203.0.113.0"),
        (2, "6.6.6.6, {}, 192.0.2.9", "203.0.113.0"),
    ],
)
def test_exactly_as_many_hops_are_believed_as_there_are_proxies(
    house: House, hops: int, forwarded: str, believed: str
) -> None:
    ask(behind(house, hops), 1, forwarded.format("203.0.113.7"))
    assert networks(house) == {believed}


def test_a_thousand_made_up_addresses_without_a_proxy_are_one_visitor(house: House) -> None:
    door = open_door(house)
    fields = hidden_fields(door.get("/"))
    for number in range(1000):
        made_up = f"198.{number % 256}.{number // 256}.{number % 250}"
        door.client.post(
            "/signup",
            data={**fields, "email": f"p{number}@example.org"},
            headers={"X-Forwarded-For": made_up, "Forwarded": f"for={made_up}"},
        )
    assert people(house) == 5


def test_what_a_visitor_puts_before_the_proxys_word_makes_nobody_new(house: House) -> None:
    door = behind(house, 1)
    for number in range(8):
        ask(door, number, f"198.51.100.{number}, 203.0.113.7")
    assert people(house) == 5


def test_visitors_behind_one_proxy_are_told_apart(house: House) -> None:
    door = behind(house, 1)
    for number in range(8):
        ask(door, number, f"203.0.113.{number}")
    assert people(house) == 8


def test_one_hop_too_many_believes_a_visitor_so_the_number_must_be_exact(house: House) -> None:
    ask(behind(house, 2), 1, "6.6.6.6, 203.0.113.7")
    assert networks(house) == {"6.6.6.0"}
