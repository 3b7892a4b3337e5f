"""The safety gate: any warning sign ends the self-check with a number to call, and nothing else."""

import pytest
from sqlalchemy import Row, select

from funnel.db.base import Base
from funnel.db.people import VisitCount
from tests.support.front_door import Door, Outline
from tests.support.house import House
from tests.support.self_check import Walker, answers_for

STOPS = {"urgent": "999", "soon": "111"}


@pytest.fixture
def walker(door: Door) -> Walker:
    return Walker(door)


def reach(walker: Walker, signs: str) -> Walker:
    """The part of the gate that asks for these signs."""
    return walker.open() if signs == "urgent" else walker.open().post(signs="none")


def rows(house: House) -> dict[str, list[Row[tuple[object, ...]]]]:
    """Everything in the database but the counts of visits."""
    with house.rt.reading.begin() as session:
        return {
            table.name: list(session.execute(select(table)))
            for table in Base.metadata.sorted_tables
            if table.name != VisitCount.__tablename__
        }


def counts(door: Door) -> dict[str, int]:
    """What was counted without a source."""
    door.client.application.extensions["tally"].flush()
    with door.rt.reading.begin() as session:
        query = select(VisitCount.page, VisitCount.visits).where(VisitCount.source == "")
        return {row.page: row.visits for row in session.execute(query)}


@pytest.mark.parametrize("signs", STOPS)
def test_each_part_asks_about_every_sign_of_the_safety_record(walker: Walker, signs: str) -> None:
    reach(walker, signs)
    safety = walker.door.rt.catalog.safety
    for sign in safety.urgent if signs == "urgent" else safety.soon:
        assert sign in walker.words
    values = [button["value"] for button in Outline(walker.page).all("button")]
    assert values[:2] == ["none", signs]


@pytest.mark.parametrize("signs", STOPS)
def test_a_sign_leads_to_the_number_to_call(walker: Walker, signs: str) -> None:
    reach(walker, signs).post(signs=signs)
    assert walker.status == 200
    assert f'href="tel:{STOPS[signs]}"' in walker.page
    for sign in walker.door.rt.catalog.safety.urgent:
        assert sign in walker.words


@pytest.mark.parametrize("signs", STOPS)
def test_a_page_that_says_whom_to_call_takes_no_address_and_makes_no_offer(
    walker: Walker, signs: str
) -> None:
    reach(walker, signs).post(signs=signs)
    outline = Outline(walker.page)
    assert outline.all("form") == []
    assert outline.all("input") == []
    links = {link["href"] for link in outline.all("a")}
    call = {"tel:999", f"tel:{STOPS[signs]}"} if signs == "soon" else {"tel:999"}
    outside = {"https://111.nhs.uk/"} if signs == "soon" else set()
    assert links == {"#main", "/self-check", "/privacy", "/safety"} | call | outside
    assert "utm_" not in walker.page


@pytest.mark.parametrize("signs", STOPS)
def test_a_sign_is_counted_and_leaves_no_other_trace(walker: Walker, signs: str) -> None:
    before = rows(walker.door.house)
    reach(walker, signs).post(signs=signs)
    assert rows(walker.door.house) == before
    assert counts(walker.door) == {f"self-check-{STOPS[signs]}": 1}
    assert walker.door.house.mailer.accepted == []


@pytest.mark.parametrize("signs", STOPS)
def test_no_address_and_no_title_tells_what_she_answered(walker: Walker, signs: str) -> None:
    reach(walker, signs).post(signs=signs)
    stop = walker.seen[-1]
    assert stop.request.path == "/self-check"
    assert stop.request.query_string == b""
    assert stop.history == ()
    assert "Location" not in stop.headers
    titles = {Walker(walker.door).open().post(signs=each).title for each in STOPS}
    assert titles == {walker.title}


@pytest.mark.parametrize("sealed", ["", "gAAAAA-not-ours", "x" * 9000])
@pytest.mark.parametrize("signs", STOPS)
def test_a_sign_counts_even_when_the_page_is_too_old_to_be_read(
    walker: Walker, signs: str, sealed: str
) -> None:
    reach(walker, signs).post(signs=signs, so_far=sealed, go="back", answer="desk")
    assert f'href="tel:{STOPS[signs]}"' in walker.page


def test_the_wrong_button_leads_back_to_the_gate(walker: Walker) -> None:
    walker.open().post(signs="urgent")
    assert "I chose the wrong answer" in walker.words
    walker.open("/self-check")
    assert "part 1 of 2" in walker.words


def test_the_gate_cannot_be_passed_without_an_answer(walker: Walker) -> None:
    for fields in ({}, {"go": "next"}, {"answer": "desk", "go": "next"}, {"signs": "all"}):
        walker.open().post(**fields)
        assert walker.status == 422
        assert "part 1 of 2" in walker.words
        assert "One answer is needed here" in walker.words


def test_both_parts_come_before_the_first_question(walker: Walker) -> None:
    walker.open()
    assert "part 1 of 2" in walker.words
    walker.post(signs="none")
    assert "part 2 of 2" in walker.words
    walker.post(signs="none")
    assert walker.question() == walker.check.questions[0]


def test_a_walk_to_the_end_is_counted_and_leaves_no_other_trace(walker: Walker) -> None:
    before = rows(walker.door.house)
    walker.answer_all(answers_for(walker.check, "leg-symptoms"))
    assert rows(walker.door.house) == before
    assert counts(walker.door) == {"self-check-done": 1}


def test_a_start_is_counted_as_a_visit(walker: Walker) -> None:
    walker.open("/self-check?utm_source=poster")
    walker.door.client.application.extensions["tally"].flush()
    with walker.door.rt.reading.begin() as session:
        (row,) = session.scalars(select(VisitCount))
        assert (row.page, row.source, row.visits) == ("self-check", "poster", 1)
