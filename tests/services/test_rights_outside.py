"""What an erasure leaves to do outside: with whoever carried the mail, and in the log."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from funnel.db.rights import ErasureJob
from funnel.domain.errors import CannotTellNow
from funnel.services.rights.outside import pending
from tests.support import make
from tests.support.house import House
from tests.support.rights import erase

ADA = "ada@example.org"


class Archive:
    """Whoever carried the mail: it fails as often as it is told to, and then erases."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.erased: list[str] = []

    def erase(self, addresses: Sequence[str]) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.erased += addresses


def jobs(house: House) -> list[ErasureJob]:
    with house.rt.reading.begin() as session:
        return list(session.scalars(select(ErasureJob)))


def test_the_address_waits_sealed_until_it_is_erased_outside_too(each_house: House) -> None:
    house = each_house
    make.confirmed(house)
    erase(house)
    archive = Archive(CannotTellNow("Busy."), OSError("no route"))
    outside = replace(house.rt.rights.outside, provider=archive)
    assert not outside.erase_next(), "a mail may still be under way"
    (job,) = jobs(house)
    assert b"ada" not in job.sealed_address
    house.clock.advance(timedelta(minutes=5))
    assert outside.erase_next()
    with house.rt.reading.begin() as session:
        waiting = pending(session)
    assert (waiting.count, waiting.why) == (1, "Busy.")
    for _ in range(2):
        assert not outside.erase_next(), "not at once again"
        house.clock.advance(timedelta(minutes=5))
        assert outside.erase_next()
    assert archive.erased == [ADA]
    assert jobs(house) == []
    assert not outside.erase_next()


def test_a_worker_that_dies_while_it_asks_is_followed_by_another(house: House) -> None:
    make.confirmed(house)
    erase(house)
    house.clock.advance(timedelta(minutes=5))
    archive = Archive()
    outside = replace(house.rt.rights.outside, provider=archive)
    with house.rt.sessions.begin() as session:
        assert outside._claim(session) is not None
    assert not outside.erase_next(), "somebody has it in hand"
    house.clock.advance(timedelta(minutes=11))
    assert outside.erase_next()
    assert archive.erased == [ADA]


def test_nothing_of_the_erased_lies_in_the_log_of_the_database_file(house: House) -> None:
    make.confirmed(house)
    file = Path(house.rt.settings.database_url.removeprefix("sqlite:///"))
    log = file.with_name(f"{file.name}-wal")
    assert b"ada@example.org" in log.read_bytes() + file.read_bytes()
    erase(house)
    house.clock.advance(timedelta(minutes=10))
    house.work()
    assert jobs(house) == []
    assert b"ada@example.org" not in log.read_bytes() + file.read_bytes()
