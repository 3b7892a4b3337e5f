"""The form for complaints: open to everybody, the same for everybody (C39)."""

from dataclasses import replace
from typing import NoReturn

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.test import TestResponse

from funnel.db.complaints import Complaint
from tests.support import make
from tests.support.front_door import Door, Outline, open_door, words_of
from tests.support.visitor import hidden_fields

CLEO = "cleo@example.org"
WORDS = "You wrote to me after I left."


def complain(door: Door, **fields: str) -> TestResponse:
    return door.press("/complaint", **{"email": CLEO, "name": "Cleo", "words": WORDS, **fields})


def kept(door: Door) -> list[Complaint]:
    with door.rt.reading.begin() as session:
        return list(session.scalars(select(Complaint)))


def test_anybody_may_complain_without_an_account(door: Door) -> None:
    answer = complain(door)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/complaint?sent=1")
    words = words_of(door.get(answer.headers["Location"]))
    assert "We have your complaint" in words
    assert "within a month at the latest" in words
    assert "Information Commissioner’s Office" in words
    door.house.work()
    (mail,) = door.house.mailer.to(CLEO)
    assert mail.subject == "I have received your complaint"
    (row,) = kept(door)
    assert (row.name, row.email) == ("Cleo", CLEO)


def test_a_name_is_not_asked_for(door: Door) -> None:
    assert complain(door, name="").status_code == 303
    assert kept(door)[0].name is None


def test_it_is_the_same_for_a_known_address_and_a_strange_one(door: Door) -> None:
    make.confirmed(door.house, CLEO)
    known = complain(door)
    strange = complain(door, email="nobody@example.org")
    assert (known.status_code, known.headers["Location"], known.data) == (
        strange.status_code,
        strange.headers["Location"],
        strange.data,
    )


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("email", "", "in the form name@example.com"),
        ("email", "a@x.com, b@y.com", "has a character we cannot use"),
        ("name", "x" * 81, "under 80 characters"),
        ("words", "", "in your own words"),
        ("words", " \n ", "in your own words"),
        ("words", "x" * 3001, "under 3,000 characters"),
    ],
)
def test_what_needs_mending_is_told_beside_its_field_and_the_rest_is_kept(
    door: Door, field: str, value: str, problem: str
) -> None:
    answer = complain(door, **{field: value})
    assert answer.status_code == 422
    outline = Outline(answer.text)
    assert problem in words_of(answer.text)
    named = [tag for _, tag in outline.tags if tag.get("id") == field]
    assert named[0]["aria-invalid"] == "true"
    assert f"{field}-error" in str(named[0]["aria-describedby"]).split()
    assert any(tag["href"] == f"#{field}" for tag in outline.all("a"))
    if field != "words":
        assert WORDS in answer.text
    assert kept(door) == []


def test_a_press_without_a_stamp_or_too_soon_asks_for_one_more(door: Door) -> None:
    bare = {"email": CLEO, "words": WORDS}
    answer = door.client.post("/complaint", data=bare)
    assert answer.status_code == 422
    assert "Please press the button once more." in words_of(answer.text)
    again = hidden_fields(answer.text) | bare
    assert door.client.post("/complaint", data=again).status_code == 303
    hurried = open_door(door.house, door.house.rt)
    page = hurried.get("/complaint")
    assert hurried.client.post("/complaint", data=hidden_fields(page) | bare).status_code == 422


def test_a_machine_that_fills_the_trap_is_answered_alike_and_nothing_is_kept(door: Door) -> None:
    answer = complain(door, website="x")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/complaint?sent=1")
    assert kept(door) == []


def test_too_many_are_told_so_and_what_was_typed_is_not_lost(door: Door) -> None:
    for number in range(5):
        complain(door, email=f"c{number}@example.org")
    answer = complain(door)
    assert answer.status_code == 429
    assert "Please try again in an hour, or write to us." in words_of(answer.text)
    assert WORDS in answer.text
    assert len(kept(door)) == 5


class Away(sessionmaker[Session]):
    def begin(self) -> NoReturn:
        raise OperationalError("SELECT 1", {}, Exception())


def test_without_a_database_nothing_is_promised_and_nothing_lost(door: Door) -> None:
    away = open_door(door.house, replace(door.rt, sessions=Away()))
    answer = complain(away)
    assert answer.status_code == 503
    assert "Please try again in a minute." in words_of(answer.text)
    assert WORDS in answer.text


def test_what_was_typed_is_shown_as_letters(door: Door) -> None:
    answer = complain(door, email="", words="</textarea><script>alert(1)</script>")
    assert "<script" not in answer.text


def test_looking_at_it_keeps_nothing(door: Door) -> None:
    door.get("/complaint")
    door.get("/complaint?sent=1")
    assert door.client.head("/complaint").status_code == 200
    assert kept(door) == []


def test_the_privacy_notice_leads_to_it(door: Door) -> None:
    leads = {tag["href"] for tag in Outline(door.get("/privacy")).all("a")}
    assert door.rt.links.url("complaint") in leads


def test_as_many_words_as_are_allowed_fit_whatever_their_letters(door: Door) -> None:
    page = door.get("/complaint")
    fields = hidden_fields(page) | {"email": CLEO, "words": "😀" * 3000}
    answer = door.client.post("/complaint", data=fields, content_type="multipart/form-data")
    assert answer.status_code == 303
    (form,) = Outline(page).all("form")
    assert form["enctype"] == "multipart/form-data"
