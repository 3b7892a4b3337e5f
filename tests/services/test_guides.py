"""Personal guides: asked for once, looked at, handed out."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from funnel.db.guides import GuidePrint
from funnel.db.people import FunnelEvent
from funnel.domain.errors import GuideFailed, LinkExpired, LinkInvalid
from funnel.domain.guides import GUIDE_LINK_LIFE, PLAIN_AFTER, Edition, GuideState
from funnel.domain.sequence import Fact
from funnel.services import guides
from tests.support import make
from tests.support.house import House
from tests.support.prints import (
    all_keys,
    asked,
    file_of,
    guide_row,
    make_next,
    press_button,
    print_row,
    ready_mails,
    view,
)

DAY = timedelta(days=1)


def remove_file(house: House, edition: Edition = Edition.GUIDE) -> None:
    """Somebody cleared the storage."""
    key = print_row(house, edition).storage_key
    assert key is not None
    house.rt.shelf.storage.delete(key)


def test_the_guide_and_the_tracker_are_there_at_once_and_large_print_for_the_asking(
    house: House,
) -> None:
    handle = make.confirmed(house).guide_handle
    seen = view(house, handle)
    assert [seen.guide.is_ready, seen.tracker.is_ready, seen.large.is_ready] == [True, True, False]
    assert not seen.is_waiting
    assert not press_button(house, handle, Edition.LARGE)
    assert view(house, handle).large.is_waiting
    assert view(house, handle).is_waiting
    house.work()
    assert view(house, handle).large.is_ready
    assert press_button(house, handle, Edition.LARGE)
    assert file_of(house, handle, Edition.LARGE) is not None


def test_asking_twice_for_an_edition_asks_once(each_house: House) -> None:
    handle = make.confirmed(each_house).guide_handle
    for _ in range(3):
        assert not press_button(each_house, handle, Edition.LARGE)
    assert print_row(each_house, Edition.LARGE).state == GuideState.REQUESTED


def test_a_file_that_is_gone_is_made_again_without_another_mail(each_house: House) -> None:
    house = each_house
    handle = make.confirmed(house).guide_handle
    remove_file(house)
    assert file_of(house, handle) is None
    assert not press_button(house, handle)
    assert not view(house, handle).guide.is_ready
    assert make_next(house)
    assert press_button(house, handle)
    assert file_of(house, handle) is not None
    assert ready_mails(house) == 1


def test_a_file_sealed_with_a_key_we_lost_counts_as_gone(house: House) -> None:
    handle = make.confirmed(house).guide_handle
    key = print_row(house).storage_key
    assert key is not None
    path = house.rt.shelf.storage.path(key)
    assert path is not None
    path.write_bytes(b"sealed by another key")
    assert file_of(house, handle) is None
    house.clock.advance(20 * DAY)
    assert not press_button(house, handle)
    assert guide_row(house).downloads == 0
    assert print_row(house).requested_at == house.clock.now(), "it waits since now, not since then"
    house.work()
    assert press_button(house, handle)
    assert file_of(house, handle) is not None
    assert ready_mails(house) == 1


def test_a_plain_copy_that_cannot_be_read_is_made_again_too(each_house: House) -> None:
    house = each_house
    handle = asked(house)
    house.press.failure = GuideFailed("The press jammed.")
    for _ in range(PLAIN_AFTER):
        make_next(house)
    for key in all_keys(house):
        house.rt.shelf.storage.delete(key)
    assert not press_button(house, handle)
    assert not press_button(house, handle)
    house.press.failure = None
    with house.rt.sessions.begin() as session:
        session.get_one(GuidePrint, print_row(house).id).not_before = house.clock.now() + DAY
    house.work()
    assert view(house, handle).guide.is_plain
    assert press_button(house, handle)


def test_the_page_looks_again_for_the_guide_and_not_for_its_tracker(house: House) -> None:
    handle = asked(house)
    assert view(house, handle).is_waiting
    make_next(house)
    seen = view(house, handle)
    assert seen.guide.is_ready
    assert seen.tracker.is_waiting
    assert not seen.is_waiting


def test_a_link_lives_a_month_and_its_page_sends_a_fresh_one(house: House) -> None:
    done = make.confirmed(house)
    house.clock.advance(GUIDE_LINK_LIFE)
    assert view(house, done.guide_handle).is_expired
    with pytest.raises(LinkExpired):
        file_of(house, done.guide_handle)
    with pytest.raises(LinkExpired):
        press_button(house, done.guide_handle)
    assert guide_row(house).downloads == 0
    for _ in range(5):
        with house.rt.sessions.begin() as session:
            guides.send_again(session, done.guide_handle, now=house.clock.now())
    assert ready_mails(house) == 2, "once a day, however often it is pressed"
    assert file_of(house, done.guide_handle) is not None


def test_downloads_are_counted_and_the_first_is_a_fact(house: House) -> None:
    done = make.confirmed(house)
    first = house.clock.now()
    for _ in range(3):
        assert press_button(house, done.guide_handle)
        house.clock.advance(DAY)
    guide = guide_row(house)
    assert guide.downloads == 3
    assert guide.first_downloaded_at == first
    assert guide.last_downloaded_at == first + 2 * DAY
    with house.rt.reading.begin() as session:
        query = select(func.count()).where(FunnelEvent.fact == Fact.DOWNLOADED)
        assert session.scalar(query) == 1


def test_nothing_is_counted_before_the_guide_is_there(house: House) -> None:
    handle = asked(house)
    assert not press_button(house, handle)
    with house.rt.sessions.begin() as session:
        guides.count_download(session, handle, now=house.clock.now())
    assert guide_row(house).downloads == 0
    assert file_of(house, handle) is None


def test_asking_twice_gives_the_same_guide(house: House) -> None:
    first = asked(house)
    with house.rt.sessions.begin() as session:
        person = session.merge(make.person(house))
        assert guides.request_for(session, person, now=house.clock.now()).public_id == first


def test_a_guide_is_dated_by_the_readers_own_day(house: House) -> None:
    house.clock.advance(timedelta(hours=13, minutes=30))  # 23:30 in London, morning in Tokyo
    make.confirmed(house, zone="Asia/Tokyo")
    assert guide_row(house).document["made_on"] == "2026-11-24"


def test_an_unknown_handle_is_no_link(house: House) -> None:
    unknown: UUID = uuid4()
    for look in (view, file_of, press_button):
        with pytest.raises(LinkInvalid):
            look(house, unknown)
