"""A new secret key: everything kept is sealed anew, and the old key can be taken out (C27)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select, update

from funnel.cli import cli
from funnel.db.people import Confirmation, KeptAnswers
from funnel.domain.errors import SettingInvalid, VaultLocked
from funnel.links import LinkPurpose, Links
from funnel.runtime import Runtime, build_runtime, prepare
from funnel.services.rights.rotation import FILES, Turned
from funnel.services.shelf import Shelf
from funnel.vault import Vault
from tests.support import make
from tests.support.house import SECRET, House
from tests.support.prints import all_keys
from tests.support.rights import dump, erase, files, hits

NEW = "a newer key than the one before, and as long"
FOREVER = datetime.max.replace(tzinfo=UTC)
OTHER = "a key of another house, which is long enough"


@contextmanager
def reopened(house: House, *keys: str, address_key: str = "") -> Iterator[Runtime]:
    """The same installation, started again with other keys."""
    settings = replace(house.rt.settings, secret_keys=keys, address_key=address_key)
    rt = build_runtime(settings, clock=house.clock, press=house.press)
    try:
        prepare(rt)
        yield rt
    finally:
        rt.close()


@pytest.fixture
def full(each_house: House) -> House:
    """Something sealed in every place there is."""
    house = each_house
    make.confirmed(house, health=True)
    make.request(house, "bea@example.org", health=True)
    make.confirmed(house, "cleo@example.org")
    erase(house, "cleo@example.org")
    return house


def turned(rt: Runtime, *, is_dry: bool = False) -> dict[str, Turned]:
    return {each.place: each for each in rt.rights.rotation.run(is_dry=is_dry)}


def told(rt: Runtime) -> list[int]:
    """How many answers can be read, kept and waiting, and files."""
    with rt.reading.begin() as session:
        kept = session.scalars(select(KeptAnswers.sealed)).all()
        waiting = session.scalars(
            select(Confirmation.sealed_answers).where(Confirmation.sealed_answers.is_not(None))
        ).all()
    spelled = [rt.keeper.spelled(each) for each in (*kept, *waiting) if each is not None]
    shelf = [key for key in rt.shelf.storage.keys(FOREVER) if rt.shelf.has(key)]
    return [sum(map(bool, spelled)), len(shelf)]


def test_after_a_rotation_the_old_key_opens_nothing_that_is_needed(full: House) -> None:
    before = told(full.rt)
    assert before == [2, len(all_keys(full))]
    with reopened(full, NEW, SECRET) as rt:
        first = turned(rt)
        assert {place: each.locked for place, each in first.items()} == dict.fromkeys(first, 0)
        assert first["kept_answers.sealed"].anew == 1
        assert first["confirmation.sealed_answers"].anew == 1
        assert first["erasure_job.sealed_address"].anew == 1
        assert first[FILES].anew == before[1]
        again = turned(rt)
        assert {each.anew for each in again.values()} == {0}
        assert again[FILES].current == before[1]
    with reopened(full, NEW, address_key=SECRET) as rt:
        assert told(rt) == before
        make.unsubscribed(replace(full, rt=rt))
        assert rt.links.pepper == full.rt.links.pepper, "addresses left alone are still known"
    old = Vault([SECRET])
    with full.rt.reading.begin() as session:
        for sealed in session.scalars(select(KeptAnswers.sealed)):
            with pytest.raises(VaultLocked):
                old.open(sealed)


def test_a_dry_run_counts_and_changes_nothing(full: House) -> None:
    with reopened(full, NEW, SECRET) as rt:
        before = sorted(dump(full))
        counted = turned(rt, is_dry=True)
        assert sorted(dump(full)) == before
        assert counted == turned(rt)
        assert sorted(dump(full)) != before


def test_it_goes_on_from_where_it_was_stopped(house: House) -> None:
    for number in range(3):
        make.request(house, f"p{number}@example.org", health=True)
    with reopened(house, NEW, SECRET) as rt:
        with rt.sessions.begin() as session:
            sealed = rt.shelf.vault.seal(b"sealed meanwhile")
            session.execute(
                update(Confirmation).where(Confirmation.id == 2).values(sealed_answers=sealed)
            )
        found = turned(rt)["confirmation.sealed_answers"]
        assert (found.current, found.anew) == (1, 2)


def test_what_no_key_opens_is_left_and_told(house: House) -> None:
    make.request(house, health=True)
    stranger = Vault([OTHER]).seal(b"{}")
    with house.rt.sessions.begin() as session:
        session.execute(update(Confirmation).values(sealed_answers=stranger))
    found = turned(house.rt)["confirmation.sealed_answers"]
    assert (found.anew, found.locked) == (0, 1)
    with house.rt.reading.begin() as session:
        assert session.scalars(select(Confirmation.sealed_answers)).one() == stranger


def test_taking_out_the_last_key_without_naming_it_is_refused(house: House) -> None:
    with (
        pytest.raises(SettingInvalid, match="ADDRESS_KEY"),
        reopened(house, NEW),
    ):
        pass


def test_no_dump_and_no_file_holds_an_answer(full: House, tmp_path: Path) -> None:
    check = full.rt.catalog.self_check
    canaries = [question.answers[0].told for question in check.questions]
    canaries += [f'"{question.answers[0].key}"' for question in check.questions]
    needles = [each for each in canaries if each]
    assert len(needles) > 10
    places = [place for place in dump(full) if place[0] != "text_version"]
    assert hits([*places, *files(tmp_path / "guides")], *needles) == []


def test_the_command_tells_each_place(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    make.request(house, health=True)
    settings = house.rt.settings
    for name, value in {
        "DATABASE_URL": settings.database_url,
        "MAIL_URL": settings.mail_url,
        "STORAGE_URL": settings.storage_url,
        "SECRET_KEY": f"{'newer-key-1234' * 3} {SECRET}",
        "BASE_URL": settings.base_url,
    }.items():
        monkeypatch.setenv(name, value)
    for command, last in (("--dry-run", ""), ("", "All of it is sealed with the newest key.")):
        answer = CliRunner().invoke(cli, ["rotate-keys", *command.split()])
        assert answer.exit_code == 0, answer.output
        assert "confirmation.sealed_answers: 1 anew, 0 as they were" in answer.output
        assert last in answer.output


def test_sealed_values_name_their_key_and_say_nothing_else() -> None:
    old, new = Vault([SECRET]), Vault([NEW, SECRET])
    assert old.seal(b"x")[:9] == old.newest_mark != new.newest_mark
    assert new.open(old.seal(b"x")) == b"x"
    assert new.is_newest(new.seal(b"x"))
    assert not new.is_newest(old.seal(b"x"))
    assert SECRET.encode() not in old.newest_mark


def test_what_was_sealed_before_there_were_marks_still_opens() -> None:
    vault = Vault([NEW, SECRET])
    unmarked = Vault([SECRET]).seal(b"x")[9:]
    assert vault.open(unmarked) == b"x"
    assert not vault.is_newest(unmarked)


@pytest.mark.parametrize("place", [0, 3, 8, 20, -1])
def test_a_changed_bit_is_noticed(place: int) -> None:
    sealed = bytearray(Vault([SECRET]).seal(b"x"))
    sealed[place] ^= 1
    with pytest.raises(VaultLocked):
        Vault([SECRET]).open(bytes(sealed))


def test_links_mailed_with_the_old_key_work_while_it_is_there(house: House) -> None:
    done = make.confirmed(house)
    token = house.rt.links.token(LinkPurpose.UNSUBSCRIBE, done.subscriber_handle)
    both = Links("http://localhost", [NEW, SECRET])
    assert both.read(LinkPurpose.UNSUBSCRIBE, token) == done.subscriber_handle
    assert both.token(LinkPurpose.UNSUBSCRIBE, done.subscriber_handle) != token


def test_a_shelf_knows_files_that_are_not_there(house: House) -> None:
    shelf: Shelf = house.rt.shelf
    assert not shelf.is_current("nothing.pdf")
    shelf.put("x.pdf", b"content")
    assert shelf.is_current("x.pdf")
