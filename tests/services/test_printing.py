"""Printing: once, in the right order, through failures, power cuts and slow makers."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from funnel.db.guides import GuidePrint
from funnel.domain.errors import GuideFailed
from funnel.domain.guides import (
    GUIDE_LEASE,
    MAX_GUIDE_ATTEMPTS,
    PLAIN_AFTER,
    Edition,
    GuideState,
    pause_after,
)
from funnel.domain.ports import PressedGuide
from tests.support import make
from tests.support.house import House, PowerCut
from tests.support.locks import while_people_are_locked
from tests.support.prints import (
    all_keys,
    asked,
    file_of,
    make_next,
    personal,
    press_button,
    print_row,
    ready_mails,
    view,
)

HOUR = timedelta(hours=1)
JAM = GuideFailed("The press jammed.")


def fail(house: House, times: int = PLAIN_AFTER) -> None:
    """Let the press jam so many times in a row: the second try comes at once."""
    house.press.failure = JAM
    for _ in range(times):
        assert make_next(house)


def test_a_guide_is_made_once_and_its_mail_is_queued_once(each_house: House) -> None:
    house = each_house
    handle = asked(house)
    assert make_next(house)
    assert print_row(house).state == GuideState.READY
    assert make_next(house), "the tracker comes next"
    assert not make_next(house)
    assert [each["edition"] for each in personal(house)] == ["guide", "tracker"]
    assert ready_mails(house) == 1
    content = file_of(house, handle)
    assert content is not None
    assert content.endswith(b"%%EOF\n")


def test_what_lies_in_the_storage_is_sealed_under_a_name_that_tells_nothing(house: House) -> None:
    make.confirmed(house, name="Zzcanary")
    storage = house.rt.shelf.storage
    keys = all_keys(house)
    assert len(keys) == 5, "hers and the house copies"
    for key in keys:
        path = storage.path(key)
        assert path is not None
        content = path.read_bytes()
        assert b"Zzcanary" not in content
        assert b"%PDF" not in content
        assert "canary" not in key


def test_readers_come_before_house_copies_and_guides_before_trackers(house: House) -> None:
    make.request(house)
    house.rt.worker.mail_round()
    make.confirm(house)
    make.request(house, "ben@example.org", name="Ben")
    make.confirm(house, "ben@example.org")
    while make_next(house):
        pass
    order = [(each.get("first_name"), each["edition"]) for each in house.press.documents]
    assert order == [
        ("Ada", "guide"), ("Ben", "guide"), ("Ada", "tracker"), ("Ben", "tracker"),
        (None, "guide"), (None, "tracker"), (None, "large"),
    ]  # fmt: skip


def test_the_same_input_is_printed_once(house: House) -> None:
    for number in range(3):
        make.confirmed(house, f"person{number}@example.org", name=None)
    nameless = [each for each in house.press.documents if "first_name" in each]
    assert [each["edition"] for each in nameless] == ["guide", "tracker"]


def test_two_printers_never_make_the_same_print(each_house: House) -> None:
    house = each_house
    house.work()
    for number in range(6):
        make.request(house, f"person{number}@example.org", name=f"Person {number}")
        make.confirm(house, f"person{number}@example.org")
    with ThreadPoolExecutor(3) as pool:
        made = list(pool.map(lambda _: make_next(house), range(18)))
    assert sum(made) == 12
    assert len(personal(house)) == 12


def test_a_guide_that_keeps_failing_is_tried_again_each_hour(house: House) -> None:
    handle = asked(house)
    house.press.failure = JAM
    for attempt in range(1, MAX_GUIDE_ATTEMPTS + 1):
        assert make_next(house)
        assert print_row(house).attempt == attempt
        house.clock.advance(pause_after(attempt))
    assert print_row(house).state == GuideState.FAILED
    assert print_row(house).why == "The press jammed."
    house.press.failure = None
    house.clock.advance(HOUR)
    house.work()
    assert view(house, handle).guide.is_ready
    assert not view(house, handle).guide.is_plain


def test_from_the_second_failure_on_the_reader_has_the_plain_copy(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    handle = asked(house)
    fail(house, 1)
    assert view(house, handle).is_waiting
    assert ready_mails(house) == 0
    fail(house, 1)
    seen = view(house, handle)
    assert seen.guide.is_ready
    assert seen.guide.is_plain
    assert ready_mails(house) == 1
    assert press_button(house, handle)
    content = file_of(house, handle)
    assert content is not None
    assert b"Ada" not in content
    alerts = [each.getMessage() for each in caplog.records if each.levelno == logging.ERROR]
    assert alerts == ["a guide could not be printed, 2 times now: The press jammed."]


def test_the_personal_guide_takes_the_plain_copys_place_without_another_mail(house: House) -> None:
    handle = asked(house)
    fail(house)
    house.press.failure = None
    house.clock.advance(2 * HOUR)
    house.work()
    seen = view(house, handle)
    assert not seen.guide.is_plain
    content = file_of(house, handle)
    assert content is not None
    assert b"Ada" in content
    assert ready_mails(house) == 1


def test_without_a_plain_copy_the_page_says_that_it_takes_longer(house: House) -> None:
    house.press.failure = JAM
    make.request(house)
    make.confirm(house)
    handle = make.confirm(house).guide_handle
    for _ in range(MAX_GUIDE_ATTEMPTS * 6):
        make_next(house)
        house.clock.advance(2 * HOUR)
    seen = view(house, handle)
    assert not seen.guide.is_ready
    assert seen.guide.has_failed
    assert not seen.guide.is_waiting
    assert ready_mails(house) == 0


def test_a_full_disk_is_a_failure_like_any_other(house: House) -> None:
    asked(house)
    house.press.failure = OSError(28, "No space left on device", "/somewhere/private")
    assert make_next(house)
    assert print_row(house).why == "Storage: OSError."


def test_a_failure_that_passes_leaves_no_trace(house: House) -> None:
    handle = asked(house)
    fail(house, 1)
    house.press.failure = None
    assert make_next(house), "a fresh try at once"
    assert view(house, handle).guide.is_ready
    assert print_row(house).attempt == 0


def test_a_power_cut_while_making_costs_one_lease(house: House) -> None:
    asked(house)
    make_next(house)
    house.press.failure = PowerCut()  # type: ignore[assignment]  # beyond what a press may raise
    with pytest.raises(PowerCut):
        make_next(house)
    house.press.failure = None
    assert not make_next(house)
    house.clock.advance(GUIDE_LEASE)
    assert make_next(house)
    assert print_row(house, Edition.TRACKER).state == GuideState.READY


def die(house: House, times: int) -> None:
    """So many workers die with a print in their hands; after each its lease runs out."""
    house.press.failure = PowerCut()  # type: ignore[assignment]  # beyond what a press may raise
    for _ in range(times):
        with pytest.raises(PowerCut):
            make_next(house)
        house.clock.advance(GUIDE_LEASE)


def test_whose_guide_stops_the_worker_twice_has_the_plain_copy_and_her_mail(
    each_house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house = each_house
    handle = asked(house)
    die(house, 1)
    assert ready_mails(house) == 0
    die(house, 1)
    house.press.failure = None
    make_next(house)
    assert ready_mails(house) == 1
    assert view(house, handle).guide.is_plain
    assert press_button(house, handle)
    alerts = [each.getMessage() for each in caplog.records if each.levelno == logging.ERROR]
    assert alerts == ["a guide could not be printed, 2 times now: Making it stopped the worker."]


def test_a_guide_that_stops_every_worker_is_given_up_and_its_reader_has_the_plain_copy(
    house: House,
) -> None:
    handle = asked(house)
    house.press.failure = PowerCut()  # type: ignore[assignment]  # beyond what a press may raise
    deaths = 0
    while print_row(house).state != GuideState.FAILED:
        try:
            make_next(house)
        except PowerCut:
            deaths += 1
        house.clock.advance(GUIDE_LEASE)
    assert deaths <= 2 * MAX_GUIDE_ATTEMPTS, "the guide and the tracker take turns"
    assert print_row(house).why == "Making it stopped the worker."
    assert print_row(house).not_before > house.clock.now()
    assert ready_mails(house) == 1
    assert view(house, handle).guide.is_plain
    house.press.failure = None
    house.clock.advance(HOUR)
    house.work()
    assert not view(house, handle).guide.is_plain
    assert ready_mails(house) == 1


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_whoever_puts_a_lost_guide_back_waits_for_its_person_first(each_house: House) -> None:
    """One order of locks for everybody: that is why nothing can deadlock."""
    house = each_house
    asked(house)
    die(house, PLAIN_AFTER)
    house.press.failure = None
    job, free = while_people_are_locked(house, make_next, GuidePrint.id)
    assert free == 5, "nobody holds a print while waiting for its person"
    assert job.result()


def test_a_printer_that_was_too_slow_changes_nothing(house: House) -> None:
    asked(house)
    press = house.press.press

    def slow(document: object, out: Path, edition: str) -> PressedGuide:
        house.press.press = press  # type: ignore[method-assign]  # the second printer is quick
        house.clock.advance(GUIDE_LEASE)
        house.work()
        return press(document, out, edition)  # type: ignore[arg-type]  # handed on as it came

    house.press.press = slow  # type: ignore[method-assign, assignment]  # slow for once
    make_next(house)
    assert print_row(house).fence == 2
    assert ready_mails(house) == 1
