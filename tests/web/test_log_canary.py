"""Logs say what happened, never to whom: no address, name or link, even at their loudest."""

import json
import logging

import pytest

from funnel.links import LinkPurpose
from tests.support import make
from tests.support.desk import PASSWORD, sign_in, signed_in
from tests.support.front_door import Door, open_door
from tests.support.house import House

NAME, ADDRESS = "Zaunkoenigin", "zaunkoenig@vogel.example"


@pytest.fixture
def door(house: House) -> Door:
    """The front door."""
    return open_door(house)


def test_no_log_tells_who_came_or_how_they_get_in(
    house: House, door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    door.ask(ADDRESS, name=NAME, series="yes")
    for _ in range(30):
        door.ask(ADDRESS, name=NAME)
    house.work()
    done = make.confirm(house, ADDRESS)
    house.work()
    links = house.rt.links
    tokens = [
        links.token(LinkPurpose.GUIDE, done.guide_handle),
        *[
            links.token(purpose, done.subscriber_handle)
            for purpose in (LinkPurpose.PORTAL, LinkPurpose.PREFERENCES, LinkPurpose.UNSUBSCRIBE)
        ],
    ]
    for token, path in zip(
        tokens, ("guide", "challenge", "preferences", "unsubscribe"), strict=True
    ):
        door.get(f"/{path}/{token}")
        door.get(f"/{path}/{token}x", status=404)
        door.client.post(f"/{path}/{token}", data={"series": ["yes", "no"]})
    desk = signed_in(house)
    desk.get(f"/desk/people?q={ADDRESS}")
    sign_in(door.client, PASSWORD, email=ADDRESS)
    cookie = desk.get_cookie("desk")
    assert cookie is not None
    told = [json.dumps(record.__dict__, default=str) for record in caplog.records]
    assert len(told) > 100
    for secret in (NAME, ADDRESS, "vogel.example", PASSWORD, cookie.value, *tokens):
        assert [line for line in told if secret in line] == [], secret
