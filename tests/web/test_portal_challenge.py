"""The challenge and the programme, behind a person's own link."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from funnel.domain.sequence import Fact
from funnel.links import LinkPurpose
from funnel.services.people import facts_of
from tests.support import make
from tests.support.front_door import Door, Outline, words_of
from tests.support.house import link_in

ADA = "ada@example.org"
A_DAY = timedelta(days=1)


def portal(door: Door, made: Callable[..., object] = make.confirmed) -> str:
    """Ada's challenge page, once she is as far as `made` takes her."""
    made(door.house)
    handle = make.person(door.house).public_id
    return f"/challenge/{door.rt.links.token(LinkPurpose.PORTAL, handle)}"


def facts(door: Door) -> frozenset[Fact]:
    person = make.person(door.house)
    with door.rt.reading.begin() as session:
        return facts_of(session, [person.id])[person.id]


def test_the_open_page_shows_the_whole_path_and_asks_for_an_address(door: Door) -> None:
    words = words_of(door.get("/challenge"))
    for day in door.rt.catalog.challenge.days:
        assert day.title in words
        assert day.exercise in words


def test_the_open_page_mails_the_link_to_confirmed_people_only(door: Door) -> None:
    make.confirmed(door.house)
    mails = len(door.house.mailer.accepted)
    answers = [door.press("/challenge", email=email) for email in (ADA, "stranger@example.org")]
    assert {(answer.status_code, answer.headers["Location"]) for answer in answers} == {
        (303, "/challenge?sent=1")
    }
    assert "Look in your inbox" in words_of(door.get("/challenge?sent=1"))
    door.house.work()
    assert len(door.house.mailer.accepted) == mails + 1
    assert link_in(door.house.mailer.to(ADA)[-1], "/challenge/")


def test_a_mistyped_address_on_the_open_page_is_kept(door: Door) -> None:
    answer = door.press("/challenge", email="ada(at)example.org")
    assert answer.status_code == 422
    inputs = {tag.get("name"): tag.get("value") for tag in Outline(answer.text).all("input")}
    assert inputs["email"] == "ada(at)example.org"


def test_opening_the_link_joins_nothing_and_the_button_joins_once(door: Door) -> None:
    page = portal(door)
    words = words_of(door.get(page))
    assert door.rt.catalog.wordings["challenge"].text in words
    assert door.rt.catalog.safety.ask_first in words
    assert Fact.JOINED not in facts(door)
    for _ in range(2):
        assert door.client.post(page, data={}).headers["Location"] == page
    assert Fact.JOINED in facts(door)
    assert "Start day 1" in words_of(door.get(page))


def test_a_day_shows_its_figures_its_steps_and_when_to_stop(door: Door) -> None:
    page = portal(door, make.joined)
    day = door.rt.catalog.challenge.days[0]
    shown = door.get(f"{page}/day/1")
    words = words_of(shown)
    for text in (day.title, *day.steps, day.dose, day.you_should_feel, day.stop_if, day.easier):
        assert text in words
    drawn = [tag for tag in Outline(shown).all("div") if "figure--" in (tag.get("class") or "")]
    assert len(drawn) == len(day.figures)
    assert 'href="/safety"' in shown


def test_a_day_before_its_time_is_kindly_shut(door: Door) -> None:
    page = portal(door, make.joined)
    assert "Day 2 is still asleep" in words_of(door.get(f"{page}/day/2", 403))
    assert door.client.post(f"{page}/day/2/done", data={"done": "yes"}).status_code == 403
    assert door.client.get(f"{page}/day/6").status_code == 404
    assert door.client.post(f"{page}/day/6/done", data={"done": "yes"}).status_code == 403


def test_a_day_can_be_ticked_off_and_taken_back(door: Door) -> None:
    page = portal(door, make.joined)
    done = door.press(f"{page}/day/1/done", page=f"{page}/day/1", done="yes")
    shown = words_of(door.get(done.headers["Location"]))
    assert door.rt.catalog.challenge.days[0].done_line in shown
    assert "1 of 5 days done" in words_of(door.get(page))
    undone = door.press(f"{page}/day/1/done", page=f"{page}/day/1", done="no")
    assert "Mark as done" in words_of(door.get(undone.headers["Location"]))
    assert "0 of 5 days done" in words_of(door.get(page))


@pytest.mark.parametrize("data", [{}, {"done": "maybe"}, {"done": ["yes", "no"]}])
def test_a_button_that_says_neither_yes_nor_no_changes_nothing(
    door: Door, data: dict[str, object]
) -> None:
    page = portal(door, make.joined)
    assert door.client.post(f"{page}/day/1/done", data=data).status_code == 400
    assert "0 of 5 days done" in words_of(door.get(page))


def test_between_days_the_page_says_that_today_is_done(door: Door) -> None:
    page = portal(door, make.joined)
    door.client.post(f"{page}/day/1/done", data={"done": "yes"})
    assert "That is all for today, Ada" in words_of(door.get(page))
    door.house.clock.advance(A_DAY)
    assert "Start day 2" in words_of(door.get(page))


def test_the_last_tick_leads_to_the_end_and_the_next_step(door: Door) -> None:
    page = portal(door, make.joined)
    door.house.clock.advance(4 * A_DAY)
    answers = [
        door.client.post(f"{page}/day/{number}/done", data={"done": "yes"})
        for number in range(1, 6)
    ]
    assert answers[-1].headers["Location"] == page
    shown = door.get(page)
    assert "You did it, Ada" in words_of(shown)
    assert page.replace("/challenge/", "/programme/") in shown
    assert Fact.COMPLETED in facts(door)


def test_someone_who_has_not_joined_is_led_to_the_start(door: Door) -> None:
    page = portal(door)
    assert door.client.get(f"{page}/day/1").headers["Location"] == page


def test_the_programme_has_a_waiting_list_and_no_price(door: Door) -> None:
    page = portal(door).replace("/challenge/", "/programme/")
    words = words_of(door.get(page))
    offer = door.rt.catalog.offers["lower-back-programme"]
    for text in (offer.title, offer.promise, *offer.includes, *offer.for_whom, offer.not_for):
        assert text in words
    assert "£" not in words
    assert Fact.WAITLISTED not in facts(door)


def test_the_waiting_list_can_be_joined_and_left(door: Door) -> None:
    page = portal(door).replace("/challenge/", "/programme/")
    joined = door.press(f"{page}/waitlist", page=page, join="yes")
    assert "You are on the list" in words_of(door.get(joined.headers["Location"]))
    assert Fact.WAITLISTED in facts(door)
    left = door.press(f"{page}/waitlist", page=page, join="no")
    assert "You have left the list" in words_of(door.get(left.headers["Location"]))
    assert "Join the waiting list" in words_of(door.get(page))
    assert door.client.post(f"{page}/waitlist", data={"join": "perhaps"}).status_code == 400
