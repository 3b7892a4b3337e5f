"""A restored or copied database stands still until somebody decides, and nobody gets one twice."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import delete, select

from funnel.db.mail import Control, Message
from funnel.domain.gate import Gate
from funnel.domain.lineage import Mark
from funnel.domain.ports import Marks, OutgoingEmail
from funnel.services import control, recovery, restored
from funnel.services.lineage import LineageWatch
from funnel.services.recovery import Due
from tests.support import make
from tests.support.backups import Database
from tests.support.house import START, House, open_house

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
PEOPLE = ("ada@example.org", "bea@example.org", "cleo@example.org")


@pytest.fixture
def database(database_url: str, request: pytest.FixtureRequest) -> Iterator[Database]:
    """This test's database, to be backed up while no house is open."""
    server = None
    if not database_url.startswith("sqlite"):
        server = request.getfixturevalue("migrated_postgres")
    made = Database(database_url, server)
    yield made
    if server is not None:
        server.drop_database(f"{database_url.rpartition('/')[2]}_copy")


def stop_of(house: House) -> str | None:
    with house.rt.reading.begin() as session:
        return control.sending_state(session).restored


def decide(house: House, due: Due) -> recovery.Recovered | None:
    with house.rt.sessions.begin() as session:
        return recovery.decide(
            session,
            due,
            engine=house.rt.sequences,
            replay=house.rt.rights.replay,
            now=house.clock.now(),
        )


def once_each(mails: list[OutgoingEmail]) -> bool:
    return max(Counter((mail.to_address, mail.subject) for mail in mails).values()) == 1


def lives(
    database: Database, folder: Path, start: datetime, span: timedelta
) -> list[OutgoingEmail]:
    """What leaves while a house lives on."""
    with open_house(database.url, folder, start=start) as house:
        house.hop(span)
        assert stop_of(house) is None
        return list(house.mailer.accepted)


def people_begin(database: Database, folder: Path) -> list[OutgoingEmail]:
    with open_house(database.url, folder) as house:
        for address in PEOPLE:
            make.confirmed(house, address)
        make.unsubscribed(house, "cleo@example.org")
        house.hop(DAY)
        return list(house.mailer.accepted)


def test_a_backup_of_three_days_ago_sends_nothing_twice(database: Database, tmp_path: Path) -> None:
    before = people_begin(database, tmp_path)
    backup = database.back_up()
    gap = lives(database, tmp_path, START + DAY + HOUR, 3 * DAY)
    assert {mail.to_address for mail in gap} == {"ada@example.org", "bea@example.org"}
    database.put_back(backup)
    with open_house(database.url, tmp_path, start=START + 5 * DAY) as house:
        house.hop(6 * HOUR)
        assert house.mailer.accepted == []
        assert "restored from a backup of 24 November 2026" in str(stop_of(house))
        found = decide(house, Due.SKIP)
        assert found is not None
        assert found.places >= 2
        house.hop(30 * DAY)
        after = list(house.mailer.accepted)
        assert stop_of(house) is None
    assert once_each(before + gap + after)
    assert {mail.to_address for mail in after} == {"ada@example.org", "bea@example.org"}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_fell_due_can_be_sent_all_the_same(database: Database, tmp_path: Path) -> None:
    people_begin(database, tmp_path)
    backup = database.back_up()
    gap = lives(database, tmp_path, START + DAY + HOUR, 3 * DAY)
    database.put_back(backup)
    with open_house(database.url, tmp_path, start=START + 5 * DAY) as house:
        house.work()
        decide(house, Due.SEND)
        house.hop(2 * DAY)
        again = {(mail.to_address, mail.subject) for mail in house.mailer.accepted}
    assert (gap[0].to_address, gap[0].subject) in again


def test_restarts_and_several_workers_are_no_restore(database: Database, tmp_path: Path) -> None:
    people_begin(database, tmp_path)
    for day in range(1, 4):
        lives(database, tmp_path, START + day * DAY + HOUR, HOUR)
    with ExitStack() as houses:
        pair = [
            houses.enter_context(open_house(database.url, tmp_path, start=START + 5 * DAY))
            for _ in range(2)
        ]
        for _ in range(5):
            for house in pair:
                house.clock.advance(timedelta(seconds=5))
                house.work()
        assert [stop_of(house) for house in pair] == [None, None]


@pytest.mark.parametrize("has_mark", [True, False])
def test_a_copy_elsewhere_sends_nothing(
    database: Database, tmp_path: Path, *, has_mark: bool
) -> None:
    people_begin(database, tmp_path)
    copy, elsewhere = database.back_up(), tmp_path / "elsewhere"
    if has_mark:
        shutil.copytree(tmp_path / "guides", elsewhere / "guides")
    with open_house(copy.url, elsewhere, start=START + 2 * DAY) as house:
        house.hop(3 * DAY)
        assert house.mailer.accepted == []
        assert "is a copy, or was moved" in str(stop_of(house))
        decide(house, Due.SKIP)
        house.hop(DAY)
        assert stop_of(house) is None
    assert lives(database, tmp_path, START + 2 * DAY, 3 * DAY), "the original never noticed"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_second_restore_is_noticed_as_well(database: Database, tmp_path: Path) -> None:
    people_begin(database, tmp_path)
    backup = database.back_up()
    lives(database, tmp_path, START + DAY + HOUR, HOUR)
    for day in (3, 4):
        database.put_back(backup)
        with open_house(database.url, tmp_path, start=START + day * DAY) as house:
            assert stop_of(house) is not None
            decide(house, Due.SKIP)
            house.hop(HOUR)
            assert stop_of(house) is None


def test_an_older_database_is_no_restore_but_a_backup_of_it_is(
    house: House, tmp_path: Path
) -> None:
    make.confirmed(house)
    with house.rt.sessions.begin() as session:
        session.execute(delete(Control).where(Control.key == control.LINEAGE))
    watch = house.rt.worker.watch.lineage
    assert watch is not None
    watch.look()
    assert stop_of(house) is not None, "people, and a mark of a later day beside them"
    with house.rt.sessions.begin() as session:
        session.execute(delete(Control))
    for mark in (tmp_path / "guides").glob(".lineage-*"):
        mark.unlink()
    watch.look()
    assert stop_of(house) is None, "the first start of this version"


def test_a_worker_that_runs_on_claims_nothing_from_a_database_put_back(house: House) -> None:
    make.request(house)
    house.work()
    sent = len(house.mailer.accepted)
    make.request(house, "bea@example.org")
    with house.rt.sessions.begin() as session:
        mark = control.read(session, control.LINEAGE)
        control.write(session, control.LINEAGE, {**mark, "generation": 0})
    assert house.rt.worker.sender.send_batch() == 0
    assert len(house.mailer.accepted) == sent == 1


def test_a_guide_that_may_have_been_announced_is_not_announced_again(house: House) -> None:
    make.request(house)
    house.rt.worker.mail_round()
    make.confirm(house)
    gap = restored.Gap(is_copy=False, since=START, until=house.clock.now() + HOUR)
    with house.rt.sessions.begin() as session:
        restored.stand_still(session, gap, clock=house.clock)
    house.work()
    decide(house, Due.SKIP)
    house.hop(2 * HOUR)
    with house.rt.reading.begin() as session:
        keys = select(Message.state).where(Message.mail_key == "service/guide_ready")
        assert list(session.scalars(keys)) == ["unconfirmed"]


def test_a_mail_in_doubt_that_the_provider_does_not_have_goes_when_all_is_sent(
    house: House,
) -> None:
    make.request(house)
    house.mailer.knows = True
    gap = restored.Gap(is_copy=False, since=START, until=house.clock.now())
    with house.rt.sessions.begin() as session:
        restored.stand_still(session, gap, clock=house.clock)
    house.hop(HOUR)
    assert house.mailer.accepted == []
    decide(house, Due.SEND)
    house.hop(HOUR)
    assert [mail.to_address for mail in house.mailer.accepted] == ["ada@example.org"]


def test_what_left_after_the_last_mark_is_not_sent_twice(
    database: Database, tmp_path: Path
) -> None:
    with open_house(database.url, tmp_path) as house:
        make.confirmed(house)
        house.hop(2 * HOUR)
    backup = database.back_up()
    with open_house(database.url, tmp_path, start=START + 3 * HOUR) as house:
        due = make.enrolment(house, "nurture").next_due_at
        assert due is not None
        house.clock.move_to(due - timedelta(seconds=1))
        house.rt.worker.tick()
        house.clock.advance(timedelta(seconds=3))
        while house.rt.worker.work_mail():
            pass
        gap = list(house.mailer.accepted)
    assert len(gap) == 1
    database.put_back(backup)
    with open_house(database.url, tmp_path, start=START + 3 * DAY) as house:
        house.work()
        decide(house, Due.SKIP)
        house.hop(5 * DAY)
        after = list(house.mailer.accepted)
    assert after
    assert once_each(gap + after)


@dataclass(frozen=True)
class HookedMarks:
    """The house's marks, with something that happens before they are read or written."""

    inner: Marks
    before_read: Callable[[], object] = int
    before_write: Callable[[], object] = int

    def read(self, installation: str) -> Mark | None:
        return self.inner.read(installation)

    def newest(self) -> Mark | None:
        self.before_read()
        return self.inner.newest()

    def write(self, mark: Mark) -> None:
        self.before_write()
        self.inner.write(mark)


def watch_of(house: House) -> LineageWatch:
    watch = house.rt.worker.watch.lineage
    assert watch is not None
    return watch


def forget_marks(house: House, folder: Path) -> None:
    """As it is before the first start of a version that has marks."""
    with house.rt.sessions.begin() as session:
        session.execute(delete(Control).where(Control.key == control.LINEAGE))
    for mark in (folder / "guides").glob(".lineage-*"):
        mark.unlink()


def test_two_processes_that_look_for_the_first_time_find_no_restore(
    each_house: House, tmp_path: Path
) -> None:
    make.request(each_house)
    forget_marks(each_house, tmp_path)
    watch = watch_of(each_house)
    other = Thread(target=replace(watch, gate=Gate()).look)

    def meanwhile() -> None:
        other.start()
        other.join(0.3)

    replace(watch, marks=HookedMarks(watch.marks, before_read=meanwhile)).look()
    other.join()
    assert stop_of(each_house) is None


@pytest.mark.parametrize("is_after_a_restore", [False, True])
def test_a_process_may_look_before_the_first_mark_is_beside_the_database(
    house: House, tmp_path: Path, *, is_after_a_restore: bool
) -> None:
    make.request(house)
    watch = watch_of(house)
    if is_after_a_restore:
        with house.rt.sessions.begin() as session:
            restored.allow(session, now=house.clock.now())
    else:
        forget_marks(house, tmp_path)
    other = replace(watch, gate=Gate()).look
    replace(watch, marks=HookedMarks(watch.marks, before_write=other)).look()
    assert stop_of(house) is None


def test_every_process_sends_again_after_the_decision(house: House) -> None:
    other = Gate()
    assert other.passes(1_000_000)
    with house.rt.sessions.begin() as session:
        restored.allow(session, now=house.clock.now())
    watch_of(house).look()
    with house.rt.reading.begin() as session:
        assert other.passes(control.sending_state(session).generation)
