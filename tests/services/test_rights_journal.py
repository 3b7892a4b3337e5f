"""After a restore, erasures and people who said stop are applied again (C36, J6)."""

import logging
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from funnel.adapters.journal import NAME, FileJournal
from funnel.db.people import KeptAnswers, LinkClick, Subscriber, Suppression
from funnel.domain.journal import Done, Entry
from funnel.domain.people import fingerprint
from funnel.services import clicks, recovery, self_check, suppression
from funnel.services.recovery import Due
from funnel.services.rights.replay import Replayed
from tests.support import make
from tests.support.backups import Database
from tests.support.house import START, House, open_house
from tests.support.rights import dump, erase, hits

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FAR, FARTHER = "ada@far.example.org", "ada@farther.example.org"
ADA, BEA, CLEO, DOT = (f"{name}@example.org" for name in ("ada", "bea", "cleo", "dot"))


@pytest.fixture
def database(database_url: str, request: pytest.FixtureRequest) -> Iterator[Database]:
    """This test's database, to be backed up while no house is open."""
    server = None
    if not database_url.startswith("sqlite"):
        server = request.getfixturevalue("migrated_postgres")
    yield Database(database_url, server)
    if server is not None:
        server.drop_database(f"{database_url.rpartition('/')[2]}_copy")


def decide(house: House) -> Replayed:
    with house.rt.sessions.begin() as session:
        found = recovery.decide(
            session,
            Due.SKIP,
            engine=house.rt.sequences,
            replay=house.rt.rights.replay,
            now=house.clock.now(),
        )
    assert found is not None, "it did not stand still"
    return found.replayed


def lines(house_folder: Path) -> list[tuple[Done, str]]:
    return [(entry.done, entry.about) for entry in FileJournal(house_folder / "guides").entries()]


def names(house: House) -> set[str]:
    with house.rt.reading.begin() as session:
        return set(session.scalars(select(Subscriber.email)))


def test_a_restored_backup_brings_back_nobody_who_was_erased_or_said_stop(
    database: Database, tmp_path: Path
) -> None:
    with open_house(database.url, tmp_path) as house:
        for email in (ADA, BEA, CLEO, DOT):
            make.confirmed(house, email, health=email in {ADA, DOT})
        house.hop(DAY)
    backup = database.back_up()
    with open_house(database.url, tmp_path, start=START + 2 * DAY) as house:
        house.work()
        erase(house, ADA)
        make.unsubscribed(house, BEA)
        make.forget_answers(house, DOT)
        house.hop(HOUR)
    database.put_back(backup)
    with open_house(database.url, tmp_path, start=START + 3 * DAY) as house:
        house.work()
        assert names(house) == {ADA, BEA, CLEO, DOT}
        assert decide(house) == Replayed(erased=1, stopped=2)
        assert names(house) == {BEA, CLEO, DOT}
        assert hits(dump(house), ADA) == []
        assert make.person(house, BEA).state == "unsubscribed"
        assert {row.purpose for row in make.person(house, DOT).consents} == {"series"}
        with house.rt.reading.begin() as session:
            assert session.scalars(select(KeptAnswers)).all() == []
        house.hop(20 * DAY)
        assert {mail.to_address for mail in house.mailer.accepted} == {CLEO, DOT}


@pytest.mark.parametrize("how", ["erased", "unsubscribed", "withdrew"])
def test_whoever_moved_first_is_found_by_the_address_they_had(
    database: Database, tmp_path: Path, how: str
) -> None:
    with open_house(database.url, tmp_path) as house:
        make.confirmed(house, ADA, health=True)
        house.hop(DAY)
    backup = database.back_up()
    with open_house(database.url, tmp_path, start=START + 2 * DAY) as house:
        for old, new in ((ADA, FAR), (FAR, FARTHER)):
            make.move(house, new, of=old)
            house.hop(HOUR)
        match how:
            case "erased":
                erase(house, FARTHER)
            case "unsubscribed":
                make.unsubscribed(house, FARTHER)
            case _:
                make.forget_answers(house, FARTHER)
        house.hop(HOUR)
    database.put_back(backup)
    with open_house(database.url, tmp_path, start=START + 3 * DAY) as house:
        house.work()
        assert decide(house) == Replayed(how == "erased", how != "erased")
        assert names(house) == (set() if how == "erased" else {ADA})
        with house.rt.reading.begin() as session:
            kept = session.scalars(select(KeptAnswers)).all()
            left_alone = session.scalars(select(Suppression.address_hash)).all()
        assert (kept == []) == (how != "unsubscribed")
        digest = fingerprint(FARTHER, house.rt.links.pepper)
        assert (digest in left_alone) == (how != "withdrew"), "the last address too"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_who_came_to_an_address_after_somebody_left_it_is_somebody_else(
    database: Database, tmp_path: Path
) -> None:
    with open_house(database.url, tmp_path) as house:
        make.confirmed(house, ADA)
        make.move(house, FAR, of=ADA)
        house.clock.advance(HOUR)
        make.confirmed(house, ADA, name="Bea")
        erase(house, FAR)
        make.unsubscribed(house, ADA)
        house.clock.advance(HOUR)
        with house.rt.sessions.begin() as session:
            found = house.rt.rights.replay.apply(session, START, now=house.clock.now())
        assert found == Replayed(0, 0)
        assert names(house) == {ADA}


def test_moving_and_coming_back_is_no_circle(house: House) -> None:
    make.confirmed(house, ADA)
    digests = [fingerprint(each, house.rt.links.pepper) for each in (ADA, FAR)]
    now = house.clock.now()
    there = Entry(now, Done.MOVED, digests[0], digests[1])
    back = Entry(now, Done.MOVED, digests[1], digests[0])
    stop = Entry(now, Done.SUPPRESSED, digests[0], "unsubscribed")
    house.rt.rights.replay.journal.append([there, back, stop])
    with house.rt.sessions.begin() as session:
        assert house.rt.rights.replay.apply(session, None, now=now) == Replayed(0, 1)
    assert make.person(house).state == "unsubscribed"


def test_clicks_that_were_noted_go_with_the_consent_that_was_taken_back(house: House) -> None:
    done = make.confirmed(house)
    with house.rt.sessions.begin() as session:
        now = house.clock.now()
        clicks.choose(session, done.subscriber_handle, allows=True, evidence=make.EVIDENCE, now=now)
        whose = make.person(house).id
        session.add(LinkClick(subscriber_id=whose, mail_key="x/y", clicked_at=now, kind="person"))
    digest = fingerprint(ADA, house.rt.links.pepper)
    house.rt.rights.replay.journal.append([Entry(now, Done.WITHDREW, digest, "clicks")])
    with house.rt.sessions.begin() as session:
        assert house.rt.rights.replay.apply(session, None, now=now) == Replayed(0, 1)
        assert session.scalars(select(LinkClick)).all() == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_who_came_or_agreed_after_a_line_is_left_as_they_are(
    database: Database, tmp_path: Path
) -> None:
    """The last sign of life may be long before the backup, when no worker ran."""
    with open_house(database.url, tmp_path) as house:
        make.confirmed(house, ADA)
        make.confirmed(house, BEA)
        house.clock.advance(HOUR)
        erase(house, ADA)
        make.unsubscribed(house, BEA)
        house.clock.advance(HOUR)
        make.request(house, ADA)
        make.confirm(house, ADA)
        make.request(house, BEA)
        make.confirm(house, BEA)
        with house.rt.sessions.begin() as session:
            found = house.rt.rights.replay.apply(session, START, now=house.clock.now())
        assert found == Replayed(0, 0)
        house.hop(2 * DAY)
        assert {mail.to_address for mail in house.mailer.accepted[-2:]} == {ADA, BEA}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_lines_from_before_the_backup_do_nothing_and_twice_is_once(
    database: Database, tmp_path: Path
) -> None:
    with open_house(database.url, tmp_path) as house:
        make.confirmed(house, ADA)
        make.confirmed(house, BEA)
        make.unsubscribed(house, BEA)
        replay, now = house.rt.rights.replay, house.clock.now()
        with house.rt.sessions.begin() as session:
            assert replay.apply(session, now + HOUR, now=now) == Replayed(0, 0)
            assert replay.apply(session, None, now=now) == Replayed(0, 0)
        assert make.person(house, ADA).state == "confirmed"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_address_that_this_database_does_not_know_is_left_alone_all_the_same(
    database: Database, tmp_path: Path
) -> None:
    backup = database.back_up()
    with open_house(database.url, tmp_path) as house:
        make.confirmed(house, ADA)
        with house.rt.sessions.begin() as session:
            suppression.bounce(
                session, make.person(house, ADA), links=house.rt.links, now=house.clock.now()
            )
        house.work()
    database.put_back(backup)
    with open_house(database.url, tmp_path, start=START + DAY) as house:
        with house.rt.sessions.begin() as session:
            house.rt.rights.replay.apply(session, None, now=house.clock.now())
        make.request(house, ADA)
        house.work()
        assert house.mailer.to(ADA) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_journal_from_the_old_server_is_enough(database: Database, tmp_path: Path) -> None:
    with open_house(database.url, tmp_path) as house:
        make.confirmed(house, ADA)
    backup = database.back_up()
    with open_house(database.url, tmp_path, start=START + DAY) as house:
        erase(house, ADA)
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "guides").mkdir(parents=True)
    shutil.copy(tmp_path / "guides" / NAME, elsewhere / "guides" / ".journal-old.jsonl")
    with open_house(backup.url, elsewhere, start=START + 2 * DAY) as house:
        house.work()
        assert decide(house).erased == 1
        assert names(house) == set()


def test_a_line_about_something_unheard_of_stops_nothing(house: House) -> None:
    make.confirmed(house)
    digest, now = fingerprint(ADA, house.rt.links.pepper), house.clock.now()
    strange = [
        Entry(now, Done.WITHDREW, digest, "telephone"),
        Entry(now, Done.SUPPRESSED, digest, "bored"),
        Entry(now, Done.SUPPRESSED, "ab" * 32, "bored"),
        Entry(now, Done.WITHDREW, digest, "series"),
    ]
    house.rt.rights.replay.journal.append(strange)
    with house.rt.sessions.begin() as session:
        assert house.rt.rights.replay.apply(session, None, now=now) == Replayed(0, 1)
    assert make.person(house).consents == []


def test_the_journal_tells_of_nobody(house: House, tmp_path: Path) -> None:
    make.confirmed(house, health=True)
    make.forget_answers(house)
    make.unsubscribed(house)
    erase(house)
    told = (tmp_path / "guides" / NAME).read_text("utf-8")
    assert hits([("journal", told)], "ada", "example.org") == []
    assert set(lines(tmp_path)) == {
        (Done.WITHDREW, "health"),
        (Done.WITHDREW, "series"),
        (Done.SUPPRESSED, "unsubscribed"),
        (Done.SUPPRESSED, "erased"),
        (Done.ERASED, ""),
    }


def test_nothing_is_noted_of_what_was_not_done(house: House, tmp_path: Path) -> None:
    make.confirmed(house)

    def fail() -> None:
        with house.rt.sessions.begin() as session:
            handle, now = make.person(house).public_id, house.clock.now()
            suppression.unsubscribe(
                session, handle, evidence=make.EVIDENCE, links=house.rt.links, now=now
            )
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert lines(tmp_path) == []
    for _ in range(3):
        make.unsubscribed(house)
    assert lines(tmp_path) == [(Done.SUPPRESSED, "unsubscribed"), (Done.WITHDREW, "series")]


def test_a_journal_that_cannot_be_written_keeps_nobody_from_saying_stop(
    house: House, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make.confirmed(house)
    shutil.rmtree(tmp_path / "guides")
    with caplog.at_level(logging.ERROR):
        make.unsubscribed(house)
    assert make.person(house).state == "unsubscribed"
    assert "the journal cannot be written: FileNotFoundError" in caplog.text


def test_answers_whose_time_is_over_are_noted_too(house: House, tmp_path: Path) -> None:
    make.confirmed(house, series=False, health=True)
    house.clock.advance(timedelta(days=91))
    with house.rt.sessions.begin() as session:
        self_check.forget_old(session, now=house.clock.now())
    assert lines(tmp_path) == [(Done.WITHDREW, "health")]
