"""Clicks: counted for a mail by nobody in particular; for a person only while they allow it."""

import itertools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from funnel.db.people import ClickCount, Consent, ConsentEvent, LinkClick, Subscriber
from funnel.domain.clicks import ClickKind, Visit, mark_of
from funnel.domain.errors import LinkInvalid
from funnel.domain.people import Purpose
from funnel.services import clicks
from funnel.services.clicks import Seen
from funnel.services.reports.clicks import Presses, presses
from tests.support import make
from tests.support.house import House

FIRST = "nurture/one-technique"
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
seconds = itertools.count(1000, 60)


@pytest.fixture
def reader(each_house: House) -> House:
    """Ada has the first mail of the series since this morning."""
    make.confirmed(each_house)
    each_house.hop(2 * DAY)
    assert make.message(each_house, FIRST).accepted_at
    return each_house


def seen(
    house: House,
    handle: UUID | None = None,
    *,
    mark: str = mark_of(FIRST),
    page: str = "guide",
    at: datetime | None = None,
) -> Seen:
    """A visit at this moment, far from all others."""
    visit = Visit(page, mark, at or house.clock.now(), float(next(seconds)), False)
    return Seen(handle or make.person(house).public_id, visit)


def judged(house: House, *visits: Seen, around: Sequence[Seen] = ()) -> list[clicks.Click]:
    with house.rt.reading.begin() as session:
        return clicks.judge(session, visits, [*visits, *around])


def record(house: House, *visits: Seen) -> None:
    with house.rt.sessions.begin() as session:
        clicks.record(session, clicks.judge(session, visits, visits))


def allow(house: House, *, allows: bool = True) -> None:
    with house.rt.sessions.begin() as session:
        clicks.choose(
            session,
            make.person(house).public_id,
            allows=allows,
            evidence=make.EVIDENCE,
            now=house.clock.now(),
        )


def counts(house: House) -> dict[tuple[str, str, str], int]:
    with house.rt.reading.begin() as session:
        rows = session.scalars(select(ClickCount))
        return {(row.day, row.mail_key, row.kind): row.clicks for row in rows}


def noted(house: House) -> list[tuple[str, str]]:
    with house.rt.reading.begin() as session:
        rows = session.scalars(select(LinkClick).order_by(LinkClick.id))
        return [(row.mail_key, row.kind) for row in rows]


# --- what a visit was -----------------------------------------------------------------------------


def test_a_link_of_a_mail_they_have_is_a_click_by_whichever_link_they_came(reader: House) -> None:
    guide = make.confirm(reader).guide_handle
    found = judged(reader, seen(reader), seen(reader, guide))
    assert [(each.mail_key, each.kind) for each in found] == [(FIRST, ClickKind.PERSON)] * 2
    assert len({each.subscriber_id for each in found}) == 1


@pytest.mark.parametrize("mark", ["", "abcdef", mark_of("nurture/why-hips"), mark_of("made/up")])
def test_a_mark_of_no_mail_or_of_one_they_never_had_is_nothing(reader: House, mark: str) -> None:
    assert judged(reader, seen(reader, mark=mark)) == []


def test_a_strangers_handle_is_nothing(reader: House) -> None:
    assert judged(reader, seen(reader, uuid4())) == []


def test_a_person_made_for_tests_is_left_out(reader: House) -> None:
    with reader.rt.sessions.begin() as session:
        session.execute(update(Subscriber).values(is_test=True))
    assert judged(reader, seen(reader)) == []


def test_within_ten_seconds_of_the_mail_it_was_a_machine(reader: House) -> None:
    accepted = make.message(reader, FIRST).accepted_at
    assert accepted is not None
    early, late = (seen(reader, at=accepted + timedelta(seconds=s)) for s in (9, 10))
    kinds = [each.kind for each in judged(reader, early, late)]
    assert kinds == [ClickKind.MACHINE, ClickKind.PERSON]


def test_a_rush_through_a_persons_pages_is_a_machines_whichever_links_they_have(
    reader: House,
) -> None:
    guide, second = make.confirm(reader).guide_handle, 5.0
    first = Seen(guide, Visit("guide", mark_of(FIRST), reader.clock.now(), second, False))
    rush = [
        Seen(make.person(reader).public_id, Visit(page, "", reader.clock.now(), second + 1, False))
        for page in ("preferences", "unsubscribe")
    ]
    (found,) = judged(reader, first, around=rush)
    assert found.kind is ClickKind.MACHINE
    (calm,) = judged(reader, first, around=rush[:1])
    assert calm.kind is ClickKind.PERSON


# --- what is kept ---------------------------------------------------------------------------------


def test_by_default_a_number_for_a_day_a_mail_and_a_kind_is_all_that_is_kept(
    reader: House,
) -> None:
    for _ in range(3):
        record(reader, seen(reader), seen(reader))
    day = reader.clock.now().date().isoformat()
    assert counts(reader) == {(day, FIRST, "person"): 6}
    assert noted(reader) == []


def test_counts_from_many_places_at_once_are_all_kept(reader: House) -> None:
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: record(reader, seen(reader)), range(18)))
    assert sum(counts(reader).values()) == 18


def test_a_day_begins_at_midnight_of_the_practice(reader: House) -> None:
    summer = datetime.fromisoformat("2027-07-01T23:30:00+00:00")
    record(reader, seen(reader, at=summer))
    assert {day for day, _, _ in counts(reader)} == {"2027-07-02"}


def test_presses_of_people_and_machines_are_told_apart_since_a_day(reader: House) -> None:
    accepted = make.message(reader, FIRST).accepted_at
    assert accepted is not None
    record(reader, seen(reader, at=accepted), seen(reader), seen(reader))
    with reader.rt.reading.begin() as session:
        assert presses(session, since=accepted) == {FIRST: Presses(people=2, machines=1)}
        assert presses(session, since=reader.clock.now() + 2 * DAY) == {}


# --- per person, only by a tick of its own --------------------------------------------------------


def test_with_the_tick_each_press_is_noted_and_without_it_none(reader: House) -> None:
    record(reader, seen(reader))
    allow(reader)
    record(reader, seen(reader, at=reader.clock.now() - MINUTE))
    assert noted(reader) == [], "nothing from before the tick"
    reader.clock.advance(MINUTE)
    record(reader, seen(reader))
    assert noted(reader) == [(FIRST, "person")]


def test_the_tick_leaves_evidence_of_its_exact_wording(reader: House) -> None:
    allow(reader)
    allow(reader, allows=False)
    with reader.rt.reading.begin() as session:
        query = select(ConsentEvent).where(ConsentEvent.purpose == Purpose.CLICKS)
        lines = list(session.scalars(query.order_by(ConsentEvent.id)))
    assert [(line.action, line.is_granted) for line in lines] == [
        ("chosen", True),
        ("withdrawn", False),
    ]
    assert all(line.wording_sha256 for line in lines)


def test_taking_it_back_deletes_what_was_noted_at_once(reader: House) -> None:
    allow(reader)
    reader.clock.advance(MINUTE)
    record(reader, seen(reader), seen(reader))
    assert len(noted(reader)) == 2
    allow(reader, allows=False)
    assert noted(reader) == []
    record(reader, seen(reader))
    assert noted(reader) == []
    allow(reader, allows=False)


@pytest.mark.parametrize("leave", [make.unsubscribed, "choices"])
def test_whoever_leaves_takes_it_along(reader: House, leave: object) -> None:
    allow(reader)
    reader.clock.advance(MINUTE)
    record(reader, seen(reader))
    if callable(leave):
        leave(reader)
    else:
        make.choose(reader, series=False)
    assert noted(reader) == []
    with reader.rt.reading.begin() as session:
        assert list(session.scalars(select(Consent.purpose))) == []


def test_other_choices_leave_it_alone(reader: House) -> None:
    allow(reader)
    make.choose(reader, series=True)
    with reader.rt.reading.begin() as session:
        assert set(session.scalars(select(Consent.purpose))) == {Purpose.SERIES, Purpose.CLICKS}


def test_whoever_gets_no_mail_cannot_be_watched(reader: House) -> None:
    make.unsubscribed(reader)
    with pytest.raises(LinkInvalid):
        allow(reader)
    allow(reader, allows=False)


def test_nothing_is_noted_of_somebody_who_takes_it_back_at_that_moment(reader: House) -> None:
    """Both orders are fine; what must not be is a note that outlives the consent."""
    for _ in range(6):
        allow(reader)
        reader.clock.advance(MINUTE)
        visits = [seen(reader) for _ in range(4)]
        with ThreadPoolExecutor(6) as pool:
            futures = [pool.submit(record, reader, visit) for visit in visits]
            futures.insert(2, pool.submit(allow, reader, allows=False))
            for future in futures:
                future.result()
        assert noted(reader) == []
