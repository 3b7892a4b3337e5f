"""From the result to the inbox: the sign-up of the landing page, with answers by consent."""

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from funnel.db.people import Confirmation, ConsentEvent
from funnel.domain.people import Purpose
from funnel.web import forms
from tests.support import make
from tests.support.front_door import Door, Outline, open_door, words_of
from tests.support.house import House
from tests.support.self_check import LateLinks, Walker, answers_for
from tests.support.visitor import hidden_fields
from tests.web.test_database_away import Broken

TICKS = [
    pytest.param({}, id="none"),
    pytest.param({"series": "yes"}, id="series"),
    pytest.param({"health": "yes"}, id="health"),
    pytest.param({"series": "yes", "health": "yes"}, id="both"),
]


@pytest.fixture
def walker(door: Door) -> Walker:
    return at_result(door)


def at_result(door: Door) -> Walker:
    walker = Walker(door)
    return walker.answer_all(answers_for(walker.check, "one-side"))


def kept(house: House) -> Mapping[str, str] | None:
    """The answers that wait, sealed, with the newest request."""
    with house.rt.reading.begin() as session:
        query = select(Confirmation).order_by(Confirmation.id.desc()).limit(1)
        sealed = session.scalars(query).one().sealed_answers
    if sealed is None:
        return None
    answers: dict[str, str] = json.loads(house.rt.keeper.vault.open(sealed))["answers"]
    return answers


def granted(house: House) -> dict[str, bool]:
    with house.rt.reading.begin() as session:
        return {event.purpose: event.is_granted for event in session.scalars(select(ConsentEvent))}


@pytest.mark.parametrize("ticks", TICKS)
def test_each_tick_is_its_own_consent_and_only_one_of_them_hands_on_answers(
    walker: Walker, ticks: dict[str, str]
) -> None:
    walker.send(**ticks)
    assert walker.status == 303
    house = walker.door.house
    is_agreed = "health" in ticks
    assert granted(house)[Purpose.HEALTH] is is_agreed
    assert granted(house)[Purpose.SERIES] is ("series" in ticks)
    assert kept(house) == (answers_for(walker.check, "one-side") if is_agreed else None)


@pytest.mark.parametrize("is_agreed", [True, False])
def test_answers_leave_the_page_only_with_the_tick_for_them(door: Door, is_agreed: bool) -> None:
    draft = forms.Draft(email="ada@example.org", wants_series=True, wants_health=is_agreed)
    answers = answers_for(door.rt.catalog.self_check, "one-side")
    with door.client.application.test_request_context("/self-check/send", method="POST"):
        asked = forms.signup_request(door.rt, draft, "self-check", answers)
    assert asked.answers == (answers if is_agreed else None)


def test_both_boxes_are_separate_unticked_and_in_the_exact_words(walker: Walker) -> None:
    boxes = [b for b in Outline(walker.page).all("input") if b.get("type") == "checkbox"]
    assert [(box["name"], "checked" in box) for box in boxes] == [
        ("series", False),
        ("health", False),
    ]
    for key in ("guide", "series", "health"):
        assert walker.door.rt.catalog.wordings[key].text in walker.words
    assert f"Kept, encrypted, for {walker.check.keep_days} days." in walker.words
    assert "Without this tick the guide comes without the page about your pattern" in walker.words
    assert "nothing of your answers is kept" in walker.words


def test_the_evidence_names_the_form_and_tells_no_answer(walker: Walker) -> None:
    walker.send(health="yes")
    with walker.door.rt.reading.begin() as session:
        events = list(session.scalars(select(ConsentEvent)))
    assert {event.form_version for event in events} == {"self-check-1"}
    assert all(event.page_url.endswith("/self-check/send") for event in events)
    asked = next(event for event in events if event.purpose == Purpose.HEALTH)
    assert asked.wording_sha256
    assert asked.seconds_on_page is not None


def test_the_guide_of_one_who_agreed_has_her_pattern_and_that_of_one_who_did_not_has_none(
    door: Door,
) -> None:
    for email, ticks in (("ada@example.org", {"health": "yes"}), ("ben@example.org", {})):
        at_result(door).send(email, name=email[:3], **ticks)
        make.confirm(door.house, email)
    door.house.work()
    made = {d["first_name"]: d for d in door.house.press.documents if d.get("first_name")}
    assert "one-side" in json.dumps(made["ada"]["pattern"])
    assert not made["ben"].get("pattern")


def test_new_and_known_addresses_get_the_same_answer(door: Door) -> None:
    make.confirmed(door.house, "ada@example.org")
    pages = []
    for name in ("ada", "new"):
        answer = at_result(door).send(f"{name}@example.org", health="yes").seen[-1]
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith("/check-your-inbox/")
        pages.append(words_of(door.get(answer.headers["Location"])).replace(name, "someone"))
    assert pages[0] == pages[1]


def test_a_mistake_keeps_everything_and_says_what_to_mend(walker: Walker) -> None:
    pattern = walker.check.pattern("one-side")
    walker.send("ada@", name="Ada", health="yes", utm_source="poster", time_zone="Europe/Rome")
    assert walker.status == 422
    assert walker.title.startswith("Error: ")
    inputs = {tag.get("name"): tag for tag in Outline(walker.page).all("input")}
    assert (inputs["email"]["value"], inputs["name"]["value"]) == ("ada@", "Ada")
    assert inputs["email"]["aria-invalid"] == "true"
    assert "checked" in inputs["health"]
    assert "checked" not in inputs["series"]
    assert inputs["utm_source"]["value"] == "poster"
    assert inputs["time_zone"]["value"] == "Europe/Rome"
    assert pattern.headline in walker.words
    walker.send(health="yes")
    assert walker.status == 303
    assert kept(walker.door.house) == answers_for(walker.check, "one-side")


def test_where_she_came_from_is_kept_on_the_person(door: Door) -> None:
    walker = Walker(door).open("/self-check?utm_source=Clinic-QR&utm_medium=poster")
    walker.post(signs="none").post(signs="none")
    for question in walker.check.questions:
        walker.answer(question.answers[-1].key)
    walker.send()
    person = make.person(door.house)
    assert (person.source, person.utm_medium) == ("clinic-qr", "poster")
    assert person.landing_page == "/self-check"


def test_the_trap_answers_as_always_and_does_nothing(walker: Walker) -> None:
    walker.send(website="https://spam.example", health="yes")
    assert walker.status == 303
    walker.door.house.work()
    assert walker.door.house.mailer.accepted == []


def test_the_limits_of_the_landing_page_hold_here_too(door: Door) -> None:
    for number in range(6):
        assert at_result(door).send(f"person{number}@example.org").status == 303
    door.house.work()
    assert len(door.house.mailer.accepted) == 5


def test_a_form_sent_at_once_asks_for_another_press(house: House) -> None:
    hasty = at_result(open_door(house, house.rt)).send(name="Ada")
    assert hasty.status == 422
    assert "Please press the button once more." in hasty.words
    patient = Walker(open_door(house), hasty.seen)
    assert patient.send(name="Ada").status == 303


def test_a_database_that_is_away_keeps_what_was_typed(walker: Walker) -> None:
    error = OperationalError("SELECT 1", {}, Exception())
    door = walker.door
    away = open_door(door.house, replace(door.rt, sessions=Broken(error), reading=Broken(error)))
    busy = Walker(away, walker.seen).send(name="Ada", health="yes")
    assert busy.status == 503
    assert "Please try again in a minute." in busy.words
    assert walker.check.pattern("one-side").headline in busy.words
    inputs = {tag.get("name"): tag for tag in Outline(busy.page).all("input")}
    assert (inputs["email"]["value"], inputs["name"]["value"]) == ("ada@example.org", "Ada")
    assert "checked" in inputs["health"]
    assert Walker(door, busy.seen).send(health="yes").status == 303


@pytest.mark.parametrize("sealed", ["", "gAAAAA-not-ours", "late"])
def test_answers_that_ran_out_cost_nothing_that_was_typed(walker: Walker, sealed: str) -> None:
    door = walker.door
    late = open_door(door.house, replace(door.rt, links=LateLinks.of(door.rt)))
    fields = {} if sealed == "late" else {"so_far": sealed}
    lost = Walker(late, walker.seen).send(name="Ada", series="yes", health="yes", **fields)
    assert lost.status == 422
    assert "Your answers ran out" in lost.words
    inputs = {tag.get("name"): tag for tag in Outline(lost.page).all("input")}
    assert (inputs["email"]["value"], inputs["name"]["value"]) == ("ada@example.org", "Ada")
    assert "checked" in inputs["series"]
    assert "health" not in inputs
    form = {**hidden_fields(lost.page), "email": "ada@example.org", "series": "yes"}
    assert door.client.post("/signup", data=form).status_code == 303
    assert Purpose.HEALTH not in granted(door.house)


def test_the_form_of_the_result_is_not_open_to_one_who_is_still_at_the_gate(door: Door) -> None:
    early = Walker(door).open()
    stamp = hidden_fields(door.get("/"))["stamp"]
    early.send(health="yes", stamp=stamp)
    assert early.status == 422
    assert "Your answers ran out" in early.words


def test_the_landing_page_cannot_be_made_to_agree_to_anything_about_health(door: Door) -> None:
    door.ask(health="yes")
    assert Purpose.HEALTH not in granted(door.house)
