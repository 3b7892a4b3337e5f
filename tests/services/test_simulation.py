"""The demo's people in the real funnel: everyone is served once, also after a stop half-way."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from funnel.adapters.mailbox import FileMailbox
from funnel.cli.demo import simulation_of
from funnel.cli.demo_fast import live_until, open_desk
from funnel.db.mail import Message
from funnel.db.offers import Purchase
from funnel.db.people import Subscriber
from funnel.domain.ports import OutgoingEmail, SendResult
from funnel.domain.simulated import CONFIRM_MAIL, Act, ActKind, Plan
from funnel.runtime import Runtime, build_runtime
from funnel.services import control, guides
from funnel.services.simulated_acts import do
from funnel.services.simulated_counts import DemoCounts, count, without_guide
from funnel.services.simulated_people import know, mailed_since
from funnel.services.simulation import find_plan, keep_plan, reached
from tests.support import make
from tests.support.house import House, house_settings, open_house

# With this seed a small crowd does everything: it joins, finishes and waits.
PLAN = Plan(seed=343, visitors=40, days=20, first_day=date(2026, 11, 2))
DAY = timedelta(days=1)

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Stopped(BaseException):
    """What a kill looks like to the code: nothing after it runs."""


class StopsAfter(FileMailbox):
    """A mailbox that dies with its process after so many mails, the last one already written."""

    def __init__(self, folder: Path, mails: int) -> None:
        super().__init__(folder)
        self._left = mails

    def send(self, emails: Sequence[OutgoingEmail]) -> list[SendResult]:
        results = []
        for email in emails:
            results += super().send([email])
            self._left -= 1
            if self._left == 0:
                raise Stopped
        return results


@contextmanager
def _house(
    url: str, folder: Path, *, stops_after: int = 0, start: datetime | None = None
) -> Iterator[House]:
    mailbox = folder / "mailbox"
    mailer = StopsAfter(mailbox, stops_after) if stops_after else FileMailbox(mailbox)
    with open_house(url, folder, start=start or PLAN.starts_at(), mailer=mailer) as house:
        open_desk(house.rt)
        timers = replace(house.rt.worker.timers, rules=())  # as in a demo
        worker = replace(house.rt.worker, timers=timers)
        yield replace(house, rt=replace(house.rt, worker=worker))


def test_nothing_goes_by_itself_in_a_demo(tmp_path: Path) -> None:
    settings = house_settings(f"sqlite:///{tmp_path}/funnel.db", tmp_path)
    for is_demo in (True, False):
        rt = build_runtime(replace(settings, demo=is_demo))
        assert bool(rt.worker.timers.rules) is not is_demo
        rt.close()


def _live(house: House, end: datetime | None = None) -> None:
    people = simulation_of(house.rt, PLAN)
    live_until(end or PLAN.ends_at(), house.rt, house.clock, people, lambda _: None)


def _counts(rt: Runtime) -> DemoCounts:
    assert rt.mailbox is not None
    with rt.reading.begin() as session:
        assert without_guide(session) == 0
        return count(session, rt.mailbox)


def _whole_life(url: str, folder: Path) -> DemoCounts:
    with _house(url, folder) as house:
        _live(house)
        return _counts(house.rt)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> DemoCounts:
    """What comes of the plan when nothing stops it."""
    folder = tmp_path_factory.mktemp("undisturbed")
    return _whole_life(f"sqlite:///{folder}/funnel.db", folder)


def test_everyone_who_confirmed_gets_the_guide_and_nothing_comes_twice(
    database_url: str, tmp_path: Path
) -> None:
    counts = _whole_life(database_url, tmp_path)
    assert (counts.duplicates, counts.unknown, counts.failed) == (0, 0, 0)
    assert counts.visited == PLAN.visitors
    assert PLAN.visitors > counts.requested > counts.confirmed >= counts.downloaded > 0
    assert counts.confirmed > counts.joined >= counts.completed > 0
    assert counts.joined > counts.waitlisted > 0
    assert counts.sent > 4 * counts.confirmed


@only_sqlite
def test_a_demo_that_is_stopped_again_and_again_ends_as_one_that_is_not(
    database_url: str, tmp_path: Path, undisturbed: DemoCounts
) -> None:
    start, counts = PLAN.starts_at(), []
    for passed in (2.0, 7.3, 13.61, PLAN.days):
        with _house(database_url, tmp_path, start=start) as house:
            _live(house, PLAN.starts_at() + passed * DAY)
            start = house.clock.now()
            counts.append(_counts(house.rt))
    assert counts[-1] == undisturbed


@only_sqlite
@pytest.mark.parametrize("mails", [1, 7, 40])
def test_a_kill_in_the_middle_of_a_mail_sends_it_neither_twice_nor_not_at_all(
    database_url: str, tmp_path: Path, mails: int, undisturbed: DemoCounts
) -> None:
    with _house(database_url, tmp_path, stops_after=mails) as house:
        with pytest.raises(Stopped):
            _live(house)
        with house.rt.reading.begin() as session:
            start = reached(session, PLAN)
    with _house(database_url, tmp_path, start=start) as house:
        _live(house)
        assert _counts(house.rt) == undisturbed


@only_sqlite
def test_a_demo_goes_on_where_it_was_and_never_before_what_happened(
    database_url: str, tmp_path: Path
) -> None:
    with _house(database_url, tmp_path) as house:
        with house.rt.sessions.begin() as session:
            assert find_plan(session) is None
            keep_plan(session, PLAN)
            assert reached(session, PLAN) == PLAN.starts_at()
        _live(house, PLAN.starts_at() + 5.5 * DAY)
        with house.rt.reading.begin() as session:
            assert find_plan(session) == PLAN
            newest = session.scalar(select(func.max(Message.closed_at)))
            assert newest is not None
            assert newest <= reached(session, PLAN) <= house.clock.now()


@only_sqlite
def test_a_copy_in_the_mailbox_is_counted_as_a_duplicate(database_url: str, tmp_path: Path) -> None:
    with _house(database_url, tmp_path) as house:
        _live(house, PLAN.starts_at() + 6 * DAY)
        one = next((tmp_path / "mailbox").glob("*-1.eml"))
        one.with_name(one.name.replace("-1.eml", "-2.eml")).write_bytes(one.read_bytes())
        assert _counts(house.rt).duplicates == 1


@only_sqlite
def test_a_second_message_with_the_same_mail_is_counted_as_a_duplicate(
    database_url: str, tmp_path: Path
) -> None:
    with open_house(database_url, tmp_path, mailer=FileMailbox(tmp_path / "mailbox")) as house:
        make.confirmed(house)
        with house.rt.sessions.begin() as session:
            person = session.scalars(select(Subscriber)).one()
            house.clock.advance(2 * DAY)
            guides.send_to_person(session, person, now=house.clock.now())
        assert _counts(house.rt).duplicates == 0
        house.work()
        assert _counts(house.rt).duplicates == 1


@only_sqlite
def test_a_payment_waits_until_the_desk_has_somebody_to_note_it(
    database_url: str, tmp_path: Path
) -> None:
    with open_house(database_url, tmp_path) as house:
        make.confirmed(house)
        stage = simulation_of(house.rt, PLAN).stage
        for paid in (0, 1):
            with house.rt.sessions.begin() as session:
                known = know(session, ["ada@example.org"])["ada@example.org"]
                now = house.clock.now()
                do(session, known, Act(ActKind.PAY, now), stage, now=now)
                assert session.scalar(select(func.count()).select_from(Purchase)) == paid
            open_desk(house.rt)


@only_sqlite
def test_a_mail_that_is_only_under_way_has_not_been_seen(database_url: str, tmp_path: Path) -> None:
    with open_house(database_url, tmp_path) as house:
        make.request(house)
        with house.rt.reading.begin() as session:
            assert CONFIRM_MAIL not in know(session, ["ada@example.org"])["ada@example.org"].seen
        house.work()
        with house.rt.reading.begin() as session:
            seen = know(session, ["ada@example.org"])["ada@example.org"].seen
            assert seen[CONFIRM_MAIL] == house.clock.now()
            assert mailed_since(session, house.clock.now()) == {"ada@example.org"}
            assert mailed_since(session, house.clock.now() + DAY) == set()


@only_sqlite
def test_a_link_that_ran_out_while_mail_was_stopped_stops_nobody_else(
    database_url: str, tmp_path: Path
) -> None:
    with _house(database_url, tmp_path) as house:
        people = simulation_of(house.rt, PLAN)
        with house.rt.sessions.begin() as session:
            control.pause_sending(session, by="Dr Reyes", now=house.clock.now())
        for _ in range(36):
            house.clock.advance(DAY / 4)
            people.round()
            house.work()
        with house.rt.sessions.begin() as session:
            control.resume_sending(session)
        live_until(PLAN.starts_at() + 12 * DAY, house.rt, house.clock, people, lambda _: None)
        counts = _counts(house.rt)
    assert counts.requested > counts.confirmed > 0
    assert (counts.duplicates, counts.unknown, counts.failed) == (0, 0, 0)


@only_sqlite
def test_someone_who_leaves_gets_no_more_mails(database_url: str, tmp_path: Path) -> None:
    with open_house(database_url, tmp_path) as house:
        make.confirmed(house)
        with house.rt.sessions.begin() as session:
            known = know(session, ["ada@example.org"])["ada@example.org"]
            now = house.clock.now()
            do(
                session,
                known,
                Act(ActKind.LEAVE, now),
                simulation_of(house.rt, PLAN).stage,
                now=now,
            )
        got = len(house.mailer.accepted)
        house.hop(20 * DAY)
        assert len(house.mailer.accepted) == got
