"""A kind second look at an address: asked once, never in the way, the same for everybody."""

import pytest
from sqlalchemy import select

from funnel.db.people import Subscriber
from tests.support import make
from tests.support.front_door import Door, Outline, words_of
from tests.support.self_check import Walker
from tests.support.visitor import hidden_fields


def people(door: Door) -> list[str]:
    with door.house.rt.reading.begin() as session:
        return list(session.scalars(select(Subscriber.email)))


def buttons(page: str) -> list[tuple[str | None, str | None]]:
    return [(tag.get("name"), tag.get("value")) for tag in Outline(page).all("button")]


def asked(door: Door, email: str = "ada@gmial.com", **fields: str) -> str:
    answer = door.ask(email, **fields)
    assert answer.status_code == 422
    return answer.text


def press(door: Door, page: str, **fields: str) -> int:
    typed = {
        str(tag["name"]): str(tag.get("value") or "")
        for tag in Outline(page).all("input")
        if tag.get("type") in {"text", "email"} and tag.get("name") != "website"
    }
    data = {**hidden_fields(page), **typed, **fields}
    return door.client.post("/signup", data=data).status_code


def test_a_slip_is_asked_about_and_one_press_mends_it(door: Door) -> None:
    page = asked(door, name="Ada", series="yes")
    assert "Did you mean ada@gmail.com?" in words_of(page)
    assert ("hint", "use") in buttons(page)
    assert people(door) == []
    assert press(door, page, hint="use", series="yes") == 303
    assert people(door) == ["ada@gmail.com"]
    assert make.person(door.house, "ada@gmail.com").first_name == "Ada"


@pytest.mark.parametrize("button", [{"hint": "keep"}, {}], ids=["keep", "send once more"])
def test_whoever_keeps_the_address_gets_on_at_once(door: Door, button: dict[str, str]) -> None:
    assert press(door, asked(door), **button) == 303
    assert people(door) == ["ada@gmial.com"]


def test_an_address_that_was_changed_meanwhile_counts_and_not_the_suggestion(door: Door) -> None:
    assert press(door, asked(door), hint="use", email="ada@example.org") == 303
    assert people(door) == ["ada@example.org"]


def test_another_slip_is_asked_about_again(door: Door) -> None:
    page = asked(door)
    fields = {**hidden_fields(page), "email": "ada@hotmial.com"}
    again = door.client.post("/signup", data=fields)
    assert "Did you mean ada@hotmail.com?" in words_of(again.text)


def test_an_address_that_is_thrown_away_is_told_gently_and_taken_all_the_same(door: Door) -> None:
    page = asked(door, "ada@mailinator.com")
    assert "This address may not last" in words_of(page)
    assert ("hint", "use") not in buttons(page)
    assert press(door, page, hint="keep") == 303
    assert people(door) == ["ada@mailinator.com"]


@pytest.mark.parametrize("email", ["info@example.org", "admin@practice.example", "ada@gmail.com"])
def test_most_addresses_are_taken_without_a_word(door: Door, email: str) -> None:
    assert door.ask(email).status_code == 303


def test_the_question_depends_on_nothing_but_what_was_typed(door: Door) -> None:
    unknown = asked(door)
    assert press(door, unknown) == 303
    make.confirm(door.house, "ada@gmial.com")
    known = asked(door)
    for page in (unknown, known):
        assert words_of(page) == words_of(known)
    assert buttons(unknown) == buttons(known)


def test_a_mistake_comes_before_the_question(door: Door) -> None:
    page = asked(door, "ada@gmial.com", name="A" * 90)
    assert "under 80 characters" in words_of(page)
    assert "Did you mean" not in words_of(page)


def test_a_name_that_looks_like_a_page_stays_words(door: Door) -> None:
    page = asked(door, "a'b&lt@gmial.com".replace("&lt", "&x"))
    assert "a&#39;b&amp;x@gmail.com" in page


def test_the_self_check_and_the_challenge_ask_too(door: Door) -> None:
    walker = Walker(door).answer_all(make.some_answers(door.house)).send("ada@gmial.com")
    assert (walker.status, "Did you mean ada@gmail.com?" in walker.words) == (422, True)
    walker.send("ada@gmial.com", hint="use")
    assert walker.status == 303
    page = door.press("/challenge", email="ada@gmial.com")
    assert "Did you mean ada@gmail.com?" in words_of(page.text)


def test_the_answers_of_the_self_check_survive_the_question(door: Door) -> None:
    walker = Walker(door).answer_all(make.some_answers(door.house))
    walker.send("ada@gmial.com", health="yes").send("ada@gmial.com", hint="use", health="yes")
    assert walker.status == 303
    make.confirm(door.house, "ada@gmail.com")
    assert [row.purpose for row in make.person(door.house, "ada@gmail.com").consents] == ["health"]
