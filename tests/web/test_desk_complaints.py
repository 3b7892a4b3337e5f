"""Complaints at the desk: counted, read by a button that is noted, answered."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from funnel.db.complaints import Complaint
from funnel.db.desk import AuditEntry
from tests.support import make
from tests.support.desk import csrf_of, signed_in, text_of
from tests.support.house import House
from tests.support.rights import erase

WORDS = "zzcanary You wrote about my sciatica."


@pytest.fixture
def desk(house: House) -> FlaskClient:
    """Dr Reyes's browser."""
    return signed_in(house)


@pytest.fixture
def page(house: House) -> str:
    """The page of Cleo's complaint."""
    make.complain(house, words=WORDS)
    house.work()
    with house.rt.reading.begin() as session:
        return f"/desk/complaints/{session.scalars(select(Complaint.id)).one()}"


def press(desk: FlaskClient, path: str, **fields: str) -> str:
    answer = desk.post(path, data={"csrf": csrf_of(desk), **fields}, follow_redirects=True)
    assert answer.status_code == 200
    return text_of(answer)


def audited(house: House) -> list[tuple[str, str]]:
    with house.rt.reading.begin() as session:
        rows = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        return [(row.action, row.subject) for row in rows if "complaint" in row.subject]


def test_before_anybody_complained_the_page_says_so(desk: FlaskClient) -> None:
    assert "Nobody has complained." in text_of(desk.get("/desk/complaints"))


def test_an_open_one_is_counted_on_the_overview(house: House, desk: FlaskClient, page: str) -> None:
    words = text_of(desk.get("/desk/"))
    assert "One complaint about personal details waits for an answer, due by" in words
    assert "Wednesday 23 December 2026" in words
    press(desk, page, act="answered")
    assert "complaint about personal details" not in text_of(desk.get("/desk/"))
    make.complain(house, "ben@example.org")
    make.complain(house, "dan@example.org")
    assert "Two complaints about personal details wait for" in text_of(desk.get("/desk/"))


def test_the_list_and_the_page_show_days_and_state_but_no_words(
    desk: FlaskClient, page: str
) -> None:
    for path in ("/desk/complaints", page):
        answer = desk.get(path)
        assert "cleo@example.org" in text_of(answer)
        assert "Wednesday 23 December 2026" in text_of(answer)
        assert "zzcanary" not in answer.text
    assert "Done today at 10:00" in text_of(desk.get(page)), "acknowledged by mail"


def test_every_look_at_the_words_is_noted(house: House, desk: FlaskClient, page: str) -> None:
    desk.get(page)
    assert audited(house) == []
    for _ in range(2):
        assert "zzcanary You wrote about my sciatica." in press(desk, f"{page}/read")
    number = page.rpartition("/")[2]
    assert audited(house) == [("read a complaint", f"complaint {number}")] * 2


def test_reading_asks_for_the_password_again(house: House, desk: FlaskClient, page: str) -> None:
    house.clock.advance(timedelta(minutes=6))
    answer = desk.post(f"{page}/read", data={"csrf": csrf_of(desk)})
    assert answer.status_code == 403
    assert "zzcanary" not in answer.text
    assert audited(house) == []


def test_closing_what_somebody_erased_wrote_deletes_it_and_says_so(
    house: House, desk: FlaskClient, page: str
) -> None:
    make.confirmed(house, "cleo@example.org")
    erase(house, "cleo@example.org")
    assert "Closed, and deleted" in press(desk, page, act="close")
    assert desk.get(page).status_code == 404


def test_words_cannot_be_read_by_a_link(desk: FlaskClient, page: str) -> None:
    assert desk.get(f"{page}/read").status_code == 405
    assert desk.post(f"{page}/read").status_code == 403, "nor without the desk's own form"


def test_a_note_is_kept_and_shown_with_the_words_alone(
    house: House, desk: FlaskClient, page: str
) -> None:
    said = press(desk, page, act="note", outcome="I found two lists.\nMerged now.")
    assert "Your note is kept." in said
    assert "I found two lists." not in said
    assert "I found two lists. Merged now." in press(desk, f"{page}/read")
    assert audited(house)[0][0] == "Kept the note on a complaint."


def test_it_is_answered_closed_and_opened_again_and_each_is_noted(
    house: House, desk: FlaskClient, page: str
) -> None:
    assert "Close it" in press(desk, page, act="answered")
    assert "Open it again" in press(desk, page, act="close")
    assert "I have answered" in press(desk, page, act="reopen")
    assert [action for action, _ in audited(house)] == [
        "Noted that a complaint was answered.",
        "Closed a complaint.",
        "Opened a complaint again.",
    ]


def test_the_letter_to_begin_with_names_the_regulator(desk: FlaskClient, page: str) -> None:
    words = text_of(desk.get(page))
    assert "Hello Cleo," in words
    assert "Thank you for your complaint of Monday 23 November 2026" in words
    assert "Information Commissioner’s Office: ico.org.uk/make-a-complaint" in words
    assert "Wycliffe House" in words


def test_what_was_typed_is_shown_as_letters(house: House, desk: FlaskClient) -> None:
    evil = "</textarea><script>alert(1)</script>"
    make.complain(house, words=evil, name=evil)
    with house.rt.reading.begin() as session:
        page = f"/desk/complaints/{session.scalars(select(Complaint.id)).one()}"
    press(desk, page, act="note", outcome=evil)
    opened = desk.post(f"{page}/read", data={"csrf": csrf_of(desk)})
    for answer in (desk.get("/desk/complaints"), desk.get(page), opened):
        assert "<script" not in answer.text


@pytest.mark.parametrize(("act", "status"), [("", 400), ("delete", 400)])
def test_anything_else_is_no_act(desk: FlaskClient, page: str, act: str, status: int) -> None:
    assert desk.post(page, data={"csrf": csrf_of(desk), "act": act}).status_code == status


def test_an_unknown_complaint_is_not_found(desk: FlaskClient) -> None:
    assert desk.get("/desk/complaints/7").status_code == 404
    csrf = csrf_of(desk)
    assert desk.post("/desk/complaints/7/read", data={"csrf": csrf}).status_code == 404
    assert desk.post("/desk/complaints/7", data={"csrf": csrf, "act": "close"}).status_code == 404


def test_a_person_who_paused_or_wants_fewer_is_shown_as_such(
    house: House, desk: FlaskClient
) -> None:
    make.confirmed(house)
    make.pause(house)
    make.want_fewer(house)
    answer = desk.get(f"/desk/people/{make.person(house).id}")
    words = text_of(answer)
    assert "paused until Monday 7 December 2026" in words
    assert "at most one a week" in words
    assert "Held: they paused their emails until 7 December." in words
    assert "goes on Monday 7 December at 08:" in words
