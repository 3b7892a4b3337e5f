"""What machines and old pages send to the self-check: never an error of ours, never a trace."""

import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select

from funnel.db.people import Subscriber
from funnel.links import Links
from funnel.web import so_far
from funnel.web.so_far import RESULT, SoFar
from tests.support.corpora.quiz import ANSWERS, BODIES, FOREIGN, SEALED
from tests.support.front_door import Door, open_door
from tests.support.self_check import LateLinks, Walker


@pytest.fixture
def walker(door: Door, caplog: pytest.LogCaptureFixture) -> Iterator[Walker]:
    """At the first question; afterwards nothing must have gone wrong or been kept."""
    caplog.set_level(logging.WARNING)
    walker = Walker(door).pass_the_gate()
    yield walker
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    with door.rt.reading.begin() as session:
        assert session.scalars(select(Subscriber)).all() == []


@pytest.mark.parametrize("answer", ANSWERS, ids=range(len(ANSWERS)))
def test_an_answer_that_we_did_not_offer_shows_the_question_again(
    walker: Walker, answer: str
) -> None:
    walker.answer(answer)
    assert walker.status == 422
    assert walker.question() == walker.check.questions[0]
    assert walker.checked() == []
    assert "<" not in answer or answer not in walker.page


@pytest.mark.parametrize("go", ["", "forward", "-1", "BACK", "<b>", "next\x00", "x" * 9_000])
def test_a_button_that_is_not_there_is_taken_for_next(walker: Walker, go: str) -> None:
    walker.post(answer="desk", go=go)
    assert walker.question() == walker.check.questions[1]


def test_fields_that_we_did_not_ask_for_are_left_out(walker: Walker) -> None:
    walker.post(answer="desk", at=RESULT, rise="back", pattern="leg-symptoms", version="9")
    assert walker.question() == walker.check.questions[1]
    seen = so_far.unseal(walker.door.rt.links, walker.sealed, walker.check)
    assert seen is not None
    assert seen.answers == {"sitting": "desk"}


def test_a_form_of_too_many_fields_is_refused(walker: Walker) -> None:
    body = {f"q{number}": "desk" for number in range(2_000)}
    assert walker.door.client.post("/self-check", data=body).status_code == 413


@pytest.mark.parametrize(("body", "kind", "statuses"), BODIES, ids=range(len(BODIES)))
def test_a_body_that_is_no_form_of_ours_is_met_kindly(
    walker: Walker, body: bytes, kind: str, statuses: set[int]
) -> None:
    for path in ("/self-check", "/self-check/send"):
        answer = walker.door.client.post(path, data=body, content_type=kind)
        assert answer.status_code in statuses | {422}, path


def assert_begins_again(walker: Walker) -> None:
    assert walker.status == 200
    assert "Let us begin again" in walker.words
    assert "part 1 of 2" in walker.words
    walker.post(signs="none").post(signs="none")
    assert walker.question() == walker.check.questions[0]


@pytest.mark.parametrize("sealed", SEALED, ids=range(len(SEALED)))
def test_a_state_that_is_not_ours_begins_again(walker: Walker, sealed: str) -> None:
    assert_begins_again(walker.post(answer="desk", so_far=sealed))


@pytest.mark.parametrize("text", FOREIGN, ids=range(len(FOREIGN)))
def test_what_we_sealed_for_something_else_begins_again(walker: Walker, text: str) -> None:
    sealed = walker.door.rt.links.seal(text)
    assert_begins_again(walker.post(answer="desk", so_far=sealed))


def test_a_state_sealed_by_another_house_begins_again(walker: Walker) -> None:
    other = Links("http://localhost", ["another-secret-of-more-than-thirty-two-characters"])
    sealed = so_far.seal(other, SoFar("rise", {}, {}))
    assert_begins_again(walker.post(answer="back", so_far=sealed))


def test_a_state_that_was_changed_on_the_way_begins_again(walker: Walker) -> None:
    middle = len(walker.sealed) // 2
    swapped = "A" if walker.sealed[middle] != "A" else "B"
    sealed = walker.sealed[:middle] + swapped + walker.sealed[middle + 1 :]
    for each in (sealed, walker.sealed[:-5], walker.sealed[9:], walker.sealed.lower()):
        again = Walker(walker.door, list(walker.seen)).post(answer="desk", so_far=each)
        assert_begins_again(again)


def test_a_state_of_two_hours_ago_begins_again(walker: Walker) -> None:
    door = walker.door
    late = open_door(door.house, replace(door.rt, links=LateLinks.of(door.rt)))
    seen = Walker(late, walker.seen).answer("desk")
    assert seen.status == 200
    assert "Let us begin again" in seen.words


def test_the_state_shows_nothing_to_those_who_look_at_the_page(walker: Walker) -> None:
    walker.answer("desk")
    assert "desk" not in walker.sealed
    assert "desk" not in walker.page


def test_a_state_opens_no_other_page(walker: Walker) -> None:
    for sealed in (walker.sealed, walker.door.rt.links.seal("no address")):
        answer = walker.door.client.get(f"/check-your-inbox/{sealed}")
        assert answer.status_code in {404, 410}
        posted = walker.door.client.post(f"/check-your-inbox/{sealed}/resend")
        assert posted.status_code in {404, 410}
