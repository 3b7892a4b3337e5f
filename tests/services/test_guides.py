"""Personal guides: asked for once, made once, handed out."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from funnel.db.guides import Guide
from funnel.db.people import FunnelEvent
from funnel.domain.errors import GuideFailed, LinkExpired, LinkInvalid
from funnel.domain.guides import GUIDE_LEASE, GUIDE_LINK_LIFE, MAX_GUIDE_ATTEMPTS, GuideState
from funnel.domain.sequence import Fact
from funnel.services import guides
from tests.support import make
from tests.support.house import House, PowerCut

DAY = timedelta(days=1)


def row(house: House) -> Guide:
    with house.rt.reading.begin() as session:
        return session.scalars(select(Guide)).one()


def asked(house: House) -> UUID:
    """Ada confirmed; her guide is asked for and not yet made."""
    make.request(house)
    house.work()
    return make.confirm(house).guide_handle


def make_next(house: House) -> bool:
    return house.rt.worker.guide_maker.make_next()


def ready_mails(house: House) -> int:
    return sum(message.mail_key == "service/guide_ready" for message in make.messages(house))


def file_of(house: House, handle: UUID) -> Path | None:
    with house.rt.sessions.begin() as session:
        return guides.guide_file(session, handle, storage=house.rt.storage, now=house.clock.now())


def view(house: House, handle: UUID) -> guides.GuideView:
    with house.rt.reading.begin() as session:
        return guides.guide_view(session, handle, now=house.clock.now())


def download(house: House, handle: UUID) -> None:
    with house.rt.sessions.begin() as session:
        guides.count_download(session, handle, now=house.clock.now())


def test_a_guide_is_made_once_and_its_mail_is_queued_once(each_house: House) -> None:
    house = each_house
    handle = asked(house)
    assert make_next(house)
    assert not make_next(house)
    assert len(house.press.documents) == 1
    assert row(house).state == GuideState.READY
    assert ready_mails(house) == 1
    path = file_of(house, handle)
    assert path is not None
    assert path.read_bytes().endswith(b"%%EOF\n")


def test_two_makers_never_make_the_same_guide(each_house: House) -> None:
    house = each_house
    for number in range(6):
        make.request(house, f"person{number}@example.org")
        make.confirm(house, f"person{number}@example.org")
    with ThreadPoolExecutor(3) as pool:
        made = list(pool.map(lambda _: make_next(house), range(9)))
    assert sum(made) == 6
    assert len(house.press.documents) == 6


def test_a_guide_that_keeps_failing_is_told_of_and_tried_again_each_hour(house: House) -> None:
    handle = asked(house)
    house.press.failure = GuideFailed("The press jammed.")
    for attempt in range(1, MAX_GUIDE_ATTEMPTS + 1):
        assert make_next(house)
        assert row(house).attempt == attempt
        assert not make_next(house), "not before its pause is over"
        house.clock.advance(timedelta(hours=1))
    assert view(house, handle).has_failed
    assert row(house).why == "The press jammed."
    house.press.failure = None
    assert make_next(house)
    assert view(house, handle).is_ready
    assert ready_mails(house) == 1


def test_a_full_disk_is_a_failure_like_any_other(house: House) -> None:
    asked(house)
    house.press.failure = OSError(28, "No space left on device", "/somewhere/private")
    assert make_next(house)
    assert row(house).why == "Storage: OSError."


def test_a_failure_that_passes_leaves_no_trace(house: House) -> None:
    handle = asked(house)
    house.press.failure = GuideFailed("The press jammed.")
    make_next(house)
    house.press.failure = None
    house.clock.advance(timedelta(hours=1))
    make_next(house)
    assert view(house, handle).is_ready
    assert row(house).attempt == 0


def test_a_power_cut_while_making_costs_one_lease(house: House) -> None:
    asked(house)
    house.press.failure = PowerCut()  # type: ignore[assignment]  # beyond what a press may raise
    with pytest.raises(PowerCut):
        make_next(house)
    house.press.failure = None
    assert not make_next(house)
    house.clock.advance(GUIDE_LEASE)
    assert make_next(house)
    assert row(house).state == GuideState.READY
    assert ready_mails(house) == 1


def test_a_guide_that_stops_every_worker_is_given_up(house: House) -> None:
    asked(house)
    house.press.failure = PowerCut()  # type: ignore[assignment]  # beyond what a press may raise
    for _ in range(MAX_GUIDE_ATTEMPTS):
        with pytest.raises(PowerCut):
            make_next(house)
        house.clock.advance(GUIDE_LEASE)
    assert not make_next(house)
    assert row(house).state == GuideState.FAILED


def test_a_maker_that_was_too_slow_changes_nothing(house: House) -> None:
    asked(house)
    maker = house.rt.worker.guide_maker
    press = house.press.press

    def slow(document: object, out: Path) -> object:
        house.press.press = press  # type: ignore[method-assign]  # the second maker is quick
        house.clock.advance(GUIDE_LEASE)
        assert maker.make_next()
        return press(document, out)  # type: ignore[arg-type]  # handed on as it came

    house.press.press = slow  # type: ignore[method-assign, assignment]  # slow for once
    make_next(house)
    fence = row(house).fence
    assert fence == 2
    assert ready_mails(house) == 1


def test_a_file_that_is_gone_is_made_again_without_another_mail(each_house: House) -> None:
    house = each_house
    handle = asked(house)
    make_next(house)
    path = file_of(house, handle)
    assert path is not None
    path.unlink()
    assert file_of(house, handle) is None
    with house.rt.sessions.begin() as session:
        guides.make_again_if_gone(session, handle, storage=house.rt.storage, now=house.clock.now())
    assert not view(house, handle).is_ready
    assert make_next(house)
    assert file_of(house, handle) is not None
    assert ready_mails(house) == 1


def test_a_link_lives_a_month_and_its_page_sends_a_fresh_one(house: House) -> None:
    done = make.confirmed(house)
    house.clock.advance(GUIDE_LINK_LIFE)
    assert view(house, done.guide_handle).is_expired
    with pytest.raises(LinkExpired):
        file_of(house, done.guide_handle)
    download(house, done.guide_handle)
    assert row(house).downloads == 0
    for _ in range(5):
        with house.rt.sessions.begin() as session:
            guides.send_again(session, done.guide_handle, now=house.clock.now())
    assert ready_mails(house) == 2, "once a day, however often it is pressed"
    assert file_of(house, done.guide_handle) is not None


def test_downloads_are_counted_and_the_first_is_a_fact(house: House) -> None:
    done = make.confirmed(house)
    first = house.clock.now()
    for _ in range(3):
        download(house, done.guide_handle)
        house.clock.advance(DAY)
    guide = row(house)
    assert guide.downloads == 3
    assert guide.first_downloaded_at == first
    assert guide.last_downloaded_at == first + 2 * DAY
    with house.rt.reading.begin() as session:
        query = select(func.count()).where(FunnelEvent.fact == Fact.DOWNLOADED)
        assert session.scalar(query) == 1


def test_nothing_is_counted_before_the_guide_is_there(house: House) -> None:
    handle = asked(house)
    download(house, handle)
    assert row(house).downloads == 0
    assert file_of(house, handle) is None


def test_asking_twice_gives_the_same_guide(house: House) -> None:
    first = asked(house)
    with house.rt.sessions.begin() as session:
        person = session.merge(make.person(house))
        assert guides.request_for(session, person, now=house.clock.now()).public_id == first


def test_a_guide_is_dated_by_the_readers_own_day(house: House) -> None:
    house.clock.advance(timedelta(hours=13, minutes=30))  # 23:30 in London, morning in Tokyo
    make.confirmed(house, zone="Asia/Tokyo")
    assert row(house).document["made_on"] == "2026-11-24"


def test_an_unknown_handle_is_no_link(house: House) -> None:
    with pytest.raises(LinkInvalid):
        view(house, uuid4())
    with pytest.raises(LinkInvalid):
        file_of(house, uuid4())
