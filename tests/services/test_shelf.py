"""What lies on the shelf and beside it: sealed, alike in size, swept when nobody needs it."""

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from funnel.db.guides import GuidePrint
from funnel.domain.guides import GUIDE_LEASE, Edition, GuideState
from funnel.domain.ports import PressedGuide
from funnel.services.printing import ROUGHLY, YOUNG
from funnel.services.shelf import BLOCK_BYTES
from funnel.services.workplace import Workplace
from funnel.vault import Vault
from tests.support import make
from tests.support.house import House
from tests.support.prints import all_keys, file_of, press_button, print_row


def put_by_hand(house: House, name: str, age: timedelta) -> Path:
    """A file that has lain in the storage for so long."""
    path = shelf_folder(house) / name
    path.write_bytes(b"x")
    put_at = (house.clock.machine() - age).timestamp()
    os.utime(path, (put_at, put_at))
    return path


def shelf_folder(house: House) -> Path:
    path = house.rt.shelf.storage.path(all_keys(house)[0])
    assert path is not None
    return path.parent


def test_files_that_nobody_needs_are_swept_and_the_others_stay(house: House) -> None:
    handle = make.confirmed(house).guide_handle
    family = all_keys(house)[0].partition("-")[0]
    neighbour = replace(house.rt.recipe, vault=Vault(["another house's key, which is as long"]))
    orphan = put_by_hand(house, f"{family}-{'ab' * 32}.pdf", 2 * YOUNG)
    cut_off = put_by_hand(house, ".aside-x", 2 * YOUNG)
    stay = [
        put_by_hand(house, "holiday.pdf", 2 * YOUNG),
        put_by_hand(house, "ab" * 16 + ".pdf", 2 * YOUNG),
        put_by_hand(house, neighbour.mark("", Edition.GUIDE), 2 * YOUNG),
        put_by_hand(house, f"{family}-{'cd' * 32}.pdf", YOUNG / 2),
        put_by_hand(house, ".aside-y", YOUNG / 2),
    ]
    assert house.rt.worker.printer.sweep() == 1
    assert [path.exists() for path in (orphan, cut_off)] == [False, False]
    assert [path.name for path in stay if not path.exists()] == []
    assert file_of(house, handle) is not None


def test_a_file_from_before_the_seal_is_swept_when_a_row_of_ours_names_it(house: House) -> None:
    handle = make.confirmed(house).guide_handle
    old = put_by_hand(house, "ab" * 16 + ".pdf", YOUNG / 2)
    with house.rt.sessions.begin() as session:
        own = session.get_one(GuidePrint, print_row(house).id)
        own.storage_key = old.name
    house.rt.worker.printer.sweep()
    assert not old.exists()
    assert not press_button(house, handle), "it is made again when it is wanted"
    house.work()
    assert press_button(house, handle)


def test_the_press_works_in_a_folder_that_nobody_else_can_read(
    house: House, tmp_path: Path
) -> None:
    press, seen = house.press.press, []

    def look(document: object, out: Path, edition: str) -> PressedGuide:
        seen.append(out)
        return press(document, out, edition)  # type: ignore[arg-type]  # handed on as it came

    house.press.press = look  # type: ignore[method-assign, assignment]  # looks over its shoulder
    workplace = Workplace(tmp_path / "work")
    shelf = replace(house.rt.shelf, workplace=workplace)
    assert replace(house.rt.worker.printer, shelf=shelf).make_next()
    assert [out.parent.parent for out in seen] == [workplace.folder]
    assert workplace.folder.stat().st_mode & 0o777 == 0o700
    assert not list(workplace.folder.iterdir())


@pytest.mark.parametrize("step", ["sweep", "make_next"])
def test_what_a_killed_worker_left_readable_goes_when_its_lease_is_over(
    house: House, tmp_path: Path, step: str
) -> None:
    work = tmp_path / "work"
    for job in ("left", "living"):
        (work / job).mkdir(parents=True)
        (work / job / "guide.pdf").write_bytes(b"%PDF readable")
    died = (work / "left").stat().st_mtime - GUIDE_LEASE.total_seconds() - 1
    os.utime(work / "left", (died, died))
    shelf = replace(house.rt.shelf, workplace=Workplace(work))
    getattr(replace(house.rt.worker.printer, shelf=shelf), step)()
    assert [job.name for job in work.iterdir()] == ["living"]


def test_a_folder_for_work_that_is_somebody_elses_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "ours").symlink_to(tmp_path / "theirs")
    with pytest.raises(PermissionError), Workplace(tmp_path / "ours").job():
        pass


def test_no_print_can_be_told_by_what_the_database_says_of_it(house: House) -> None:
    make.confirmed(house, health=True)
    said = {print_row(house, each).size_bytes for each in (Edition.GUIDE, Edition.TRACKER)}
    assert said == {ROUGHLY}, "documents of different lengths"
    assert "sha256" not in GuidePrint.__table__.columns


def test_no_print_can_be_told_by_the_size_of_its_file(house: House) -> None:
    sizes = set()
    for size in (100, 1_000, 100_000):
        house.rt.shelf.put("x.pdf", bytes(size))
        sizes.add((shelf_folder(house) / "x.pdf").stat().st_size)
    assert len(sizes) == 1


@pytest.mark.parametrize("size", [0, 1, BLOCK_BYTES - 9, BLOCK_BYTES - 8, BLOCK_BYTES - 7, 200_000])
def test_the_shelf_gives_back_the_exact_bytes(house: House, size: int) -> None:
    content = bytes(number % 256 for number in range(size))
    house.rt.shelf.put("x.pdf", content)
    assert house.rt.shelf.read("x.pdf") == content


def test_a_copy_with_answers_leaves_no_trace_when_they_are_deleted(house: House) -> None:
    make.confirmed(house, health=True)
    make.forget_answers(house)
    own = print_row(house)
    assert own.state == GuideState.REQUESTED
    assert (own.storage_key, own.size_bytes, own.pages) == (None, None, None)
    assert (own.made_at, own.seconds_to_make) == (None, None)
