"""The cost of the sequence engine's tick: rows a second claimed and rescheduled, on both databases.

For each number of enrolments: the milliseconds of a tick that finds nothing, the rows a second of
ticks that find everybody of a crowd due and tell them to wait, and the same by bare SQL, which
is the ceiling. Prints one JSON line. Postgres runs without fsync, as in the tests.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import TextClause, text, update
from sqlalchemy.orm import Session

from funnel.db.mail import Enrolment
from funnel.services.advancing import BATCH
from tests.support.house import START, House, open_house
from tests.support.servers import running_postgres

CROWD = 20_000
IDLE_TICKS = 50
MICROSECONDS = 1_000_000
NOW = START
LATER = NOW + timedelta(days=30)

# Everybody confirmed this morning and agreed to the series; nobody has had a mail.
NUMBERS = {
    "postgresql": "SELECT g AS n"
    " FROM generate_series(CAST(:first AS integer), CAST(:last AS integer)) AS g",
    "sqlite": "WITH RECURSIVE g(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM g WHERE n < :last)"
    " SELECT n FROM g",
}
HANDLE = {
    "postgresql": "lpad(to_hex(n), 32, '0')::uuid",
    "sqlite": "printf('%032x', n)",
}
FALSE = {"postgresql": "false", "sqlite": "0"}
SEED = """
INSERT INTO subscriber (id, public_id, email, email_key, state, time_zone, created_at,
                        confirmed_at, source, is_test)
SELECT n, {handle}, 'p' || n || '@example.org', 'p' || n || '@example.org', 'confirmed',
       'Europe/London', :now, :now, 'google', {false} FROM ({numbers}) AS numbers;
INSERT INTO consent (subscriber_id, purpose, given_at)
SELECT n, 'series', :now FROM ({numbers}) AS numbers;
INSERT INTO funnel_event (subscriber_id, fact, occurred_at)
SELECT n, 'confirmed', :now FROM ({numbers}) AS numbers;
INSERT INTO enrolment (id, subscriber_id, sequence_key, state, started_at, anchor_at,
                       next_due_at, why, round)
SELECT n, n, 'nurture', 'active', :now, :now, :later, 'It is not due before then.', 1
FROM ({numbers}) AS numbers
"""
CLAIM = """
SELECT id FROM enrolment WHERE state = 'active' AND next_due_at <= :now
ORDER BY next_due_at LIMIT :batch {lock}
"""


@dataclass(frozen=True)
class Figures:
    """What was measured with so many enrolments."""

    enrolments: int
    idle_tick_ms: float
    tick_ms: float
    rows_a_second: int
    bare_rows_a_second: int
    ratio: float


def seed(house: House, first: int, last: int) -> None:
    """People `first` to `last`, none of them due."""
    dialect = house.rt.engine.dialect.name
    parts = SEED.format(numbers=NUMBERS[dialect], handle=HANDLE[dialect], false=FALSE[dialect])
    values = {"first": first, "last": last, **_instants(house, now=NOW, later=LATER)}
    with house.rt.engine.begin() as connection:
        if dialect == "postgresql":
            connection.execute(text("SET LOCAL statement_timeout = 0"))
        for part in parts.split(";"):
            statement = text(part)
            connection.execute(statement, {k: values[k] for k in _names(statement)})
    with house.rt.engine.connect() as connection:
        run = connection.execution_options(isolation_level="AUTOCOMMIT")
        run.execute(text("ANALYZE"))


def _names(statement: TextClause) -> list[str]:
    return list(statement.compile().params)


def _instants(house: House, **given: datetime) -> dict[str, object]:
    """Instants as the database keeps them."""
    if house.rt.engine.dialect.name == "postgresql":
        return dict(given)
    return {name: int(at.timestamp() * MICROSECONDS) for name, at in given.items()}


def make_due(house: House) -> None:
    """A crowd spread over all enrolments is due at once."""
    with house.rt.sessions.begin() as session:
        every = max(1, _count(session) // CROWD)
        session.execute(
            update(Enrolment)
            .where(Enrolment.id % every == 0)
            .values(next_due_at=NOW, anchor_at=NOW)
            .execution_options(synchronize_session=False)
        )


def _count(session: Session) -> int:
    return int(session.scalar(text("SELECT count(*) FROM enrolment")) or 0)


def drain(tick: Callable[[], int]) -> tuple[int, list[float]]:
    """Tick until nobody is due; how many rows, and the seconds of each full tick."""
    rows, seconds = 0, []
    while True:
        start = time.perf_counter()
        found = tick()
        if not found:
            return rows, seconds
        rows += found
        seconds.append(time.perf_counter() - start)


def measure(house: House, enrolments: int) -> Figures:
    """All figures, with so many enrolments in the database."""

    def tick() -> int:
        with house.rt.sessions.begin() as session:
            return house.rt.sequences.advance_due(session, now=NOW, limit=BATCH)

    tick()  # the statements are compiled once
    make_due(house)
    rows, seconds = drain(tick)
    idle = [_timed(tick) for _ in range(IDLE_TICKS)]
    make_due(house)
    bare, bare_seconds = drain(lambda: _bare_tick(house))
    rate, ceiling = rows / sum(seconds), bare / sum(bare_seconds)
    return Figures(
        enrolments=enrolments,
        idle_tick_ms=round(statistics.median(idle) * 1000, 2),
        tick_ms=round(statistics.median(seconds) * 1000, 1),
        rows_a_second=int(rate),
        bare_rows_a_second=int(ceiling),
        ratio=round(rate / ceiling, 2),
    )


def _timed(tick: Callable[[], int]) -> float:
    start = time.perf_counter()
    tick()
    return time.perf_counter() - start


def _bare_tick(house: House) -> int:
    """Claim and reschedule by two statements, with nothing decided."""
    is_postgres = house.rt.engine.dialect.name == "postgresql"
    claim = text(CLAIM.format(lock="FOR UPDATE SKIP LOCKED" if is_postgres else ""))
    values = _instants(house, now=NOW, later=LATER)
    with house.rt.engine.begin() as connection:
        found = connection.execute(claim, {"now": values["now"], "batch": BATCH}).scalars().all()
        if found:
            connection.execute(
                update(Enrolment).where(Enrolment.id.in_(found)).values(next_due_at=LATER)
            )
    return len(found)


@contextmanager
def houses(database: str) -> Iterator[House]:
    """A house on an empty database of this kind."""
    with tempfile.TemporaryDirectory(prefix="funnel-bench-") as name:
        folder = Path(name)
        if database == "sqlite":
            with open_house(f"sqlite:///{folder}/funnel.db", folder) as house:
                yield house
            return
        with running_postgres() as server:
            url = server.create_database("bench")
            with open_house(url, folder) as house:
                yield house


def run(database: str, sizes: list[int]) -> list[Figures]:
    """The figures of one database, with more and more enrolments."""
    figures, seeded = [], 0
    with houses(database) as house:
        for size in sizes:
            seed(house, seeded + 1, size)
            seeded = size
            figures.append(measure(house, size))
            sys.stderr.write(f"{database}: {figures[-1]}\n")
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgres"], action="append")
    parser.add_argument("--rows", type=int, action="append", help="how many enrolments")
    given = parser.parse_args()
    sizes = sorted(given.rows or [10_000, 1_000_000])
    found = {each: run(each, sizes) for each in given.database or ["sqlite", "postgres"]}
    shown = {each: [vars(figures) for figures in rows] for each, rows in found.items()}
    print(json.dumps({"bench": "tick", "batch": BATCH, "crowd": CROWD, **shown}))


if __name__ == "__main__":
    main()
