"""The population in memory against the real engine: the same people get the same mails."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from funnel.cli.demo import simulation_of
from funnel.cli.demo_fast import live_until, open_desk
from funnel.cli.simulate import live_slice, plan_for, world_of
from funnel.db.base import Base
from funnel.db.mail import Message
from funnel.db.people import FunnelEvent
from funnel.domain.capacity import ROW_BYTES
from funnel.domain.population import Tally
from funnel.domain.schedule import DEFAULT_ZONE, zone_of
from funnel.domain.sequence import Absence, House
from funnel.runtime import Runtime
from tests.support.house import open_house

TEMPLATES = Path("templates")
PEOPLE = 25
# Two weeks over the end of the year: bank holidays hold mail, in both.
PLAN = plan_for(PEOPLE, days=15, seed=343, first_day=date(2026, 12, 19))


def _rules(plain: House) -> Callable[[tuple[Absence, ...], datetime], House]:
    return lambda away, _now: replace(plain, absences=away)


@pytest.fixture(scope="module")
def plain() -> House:
    """The shipped rules without spread: that looks at handles, which the real sign-up draws."""
    return replace(world_of(PLAN, TEMPLATES).house, spread=timedelta(0))


@pytest.fixture(scope="module")
def in_memory(plain: House) -> Tally:
    return live_slice(PLAN, TEMPLATES, 0, 1, house=plain)


def _with_rules(rt: Runtime, plain: House) -> Runtime:
    """The house as it is simulated: by these rules, and with nothing that goes by itself."""
    engine = replace(rt.sequences, rules=_rules(plain))
    worker = replace(rt.worker, sequences=engine, timers=replace(rt.worker.timers, rules=()))
    return replace(rt, sequences=engine, worker=worker)


def _counts(session: Session) -> dict[str, int]:
    """The rows of each table that people fill, house copies of the guide left out."""
    found = {
        name: session.scalar(select(func.count()).select_from(table)) or 0
        for name, table in Base.metadata.tables.items()
        if name in ROW_BYTES
    }
    plain_copies = text("SELECT count(*) FROM guide_print WHERE guide_id IS NULL")
    found["guide_print"] -= session.scalar(plain_copies) or 0
    return {name: count for name, count in found.items() if count}


def _bytes(session: Session) -> int:
    """What these tables and their indexes hold, their empty space not counted."""
    sizes = text(
        "SELECT m.tbl_name, sum(s.pgsize - s.unused) FROM dbstat s "
        "JOIN sqlite_master m ON m.name = s.name GROUP BY m.tbl_name"
    )
    return sum(size for table, size in session.execute(sizes).all() if table in ROW_BYTES)


def test_the_same_people_get_the_same_mails_and_leave_the_same_rows_as_in_the_real_engine(
    tmp_path: Path, plain: House, in_memory: Tally
) -> None:
    url = f"sqlite:///{tmp_path}/funnel.db"
    with open_house(url, tmp_path, start=PLAN.starts_at()) as house:
        rt = _with_rules(house.rt, plain)
        open_desk(rt)
        live_until(PLAN.ends_at(), rt, house.clock, simulation_of(rt, PLAN), lambda _: None)
        with rt.reading.begin() as session:
            mails = select(Message.mail_key, func.count()).group_by(Message.mail_key)
            facts = select(FunnelEvent.fact, func.count()).group_by(FunnelEvent.fact)
            moments = session.scalars(select(Message.accepted_at)).all()
            assert in_memory.mails == Counter(dict(session.execute(mails).all()))
            assert in_memory.facts == Counter(dict(session.execute(facts).all()))
            assert in_memory.at == Counter(moments)
            counts = _counts(session)
            assert {name: count for name, count in in_memory.rows.items() if count} == counts
            expected = sum(ROW_BYTES[name] * count for name, count in counts.items())
            assert 0.75 < expected / _bytes(session) < 1.35
    assert in_memory.facts["requested"] == PEOPLE
    assert in_memory.facts["joined"] > 0


def test_slices_of_people_add_up_to_the_whole(plain: House, in_memory: Tally) -> None:
    parts = Tally()
    for first in range(3):
        parts.add(live_slice(PLAN, TEMPLATES, first, 3, house=plain))
    assert (parts.mails, parts.at, parts.rows) == (in_memory.mails, in_memory.at, in_memory.rows)


def test_a_bank_holiday_holds_mail(plain: House, in_memory: Tally) -> None:
    zone, holiday = zone_of(DEFAULT_ZONE), date(2026, 12, 28)
    assert holiday in plain.closed
    without = live_slice(PLAN, TEMPLATES, 0, 1, house=replace(plain, closed=frozenset()))
    kept, ignored = (
        sum(count for at, count in each.at.items() if at.astimezone(zone).date() == holiday)
        for each in (in_memory, without)
    )
    assert kept < ignored
