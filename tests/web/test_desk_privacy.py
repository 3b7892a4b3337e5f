"""The desk's room for privacy, and a person's rights on their page (C6, C31-C35, S21)."""

import json
import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from funnel.db.desk import AuditEntry
from funnel.db.people import Subscriber
from funnel.services.rights import notice
from tests.support import make, repo
from tests.support.desk import csrf_of, desk_pages, signed_in, text_of
from tests.support.front_door import words_of
from tests.support.house import House
from tests.support.rights import dump

ADA = "ada@example.org"


@pytest.fixture
def desk(house: House) -> FlaskClient:
    make.confirmed(house, health=True)
    return signed_in(house)


def record(house: House) -> list[tuple[str, str]]:
    """What was done at the desk, after signing in."""
    with house.rt.reading.begin() as session:
        rows = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
        return [(row.action, row.subject) for row in rows][1:]


def post(desk: FlaskClient, path: str, **fields: str) -> str:
    answer = desk.post(path, data={"csrf": csrf_of(desk), **fields})
    assert answer.status_code == 200, answer.status_code
    return answer.get_data(as_text=True)


def test_the_room_lists_documents_what_is_missing_and_what_goes(desk: FlaskClient) -> None:
    page = text_of(desk.get("/desk/privacy"))
    for words in ("Record of processing", "Impact assessment", "If something goes wrong"):
        assert words in page
    assert "Your hosting company hosting_company" in page
    assert "Details that were never confirmed" in page
    assert "7 days" in page


@pytest.mark.parametrize(
    "key", ["privacy-notice", "processing-record", "dpia", "processors", "breach-runbook"]
)
def test_each_document_can_be_read_and_printed(desk: FlaskClient, house: House, key: str) -> None:
    answer = desk.get(f"/desk/privacy/{key}")
    assert answer.status_code == 200
    assert house.rt.documents.all[key].title in text_of(answer)
    assert "[your name]" in answer.text or key == "processors"
    assert "paper.css" in answer.text


def test_a_document_that_does_not_exist_is_none(desk: FlaskClient) -> None:
    assert desk.get("/desk/privacy/../../etc/passwd").status_code == 404
    assert desk.get("/desk/privacy/nonsense").status_code == 404


def test_the_public_page_shows_the_very_version_that_evidence_points_at(
    desk: FlaskClient, house: House
) -> None:
    page = words_of(desk.get("/privacy").text)
    assert "Version 1, in force since Monday 23 November 2026" in page
    with house.rt.sessions.begin() as session:
        notice.publish(session, "## New\n\nWe keep *less*.", now=house.clock.now())
    answer = desk.get("/privacy")
    assert "<em>less</em>" in answer.text
    assert "Version 2" in answer.text


def test_a_consent_receipt_is_one_press_and_leaves_a_line(desk: FlaskClient, house: House) -> None:
    page = words_of(post(desk, "/desk/people/1/receipt"))
    assert house.rt.catalog.wordings["series"].text in page
    told = json.loads(post(desk, "/desk/people/1/receipt", **{"as": "json"}))
    assert told["email"] == ADA
    assert record(house) == [("looked at a consent receipt", "person 1")] * 2


def test_an_export_is_one_press_and_leaves_a_line(desk: FlaskClient, house: House) -> None:
    assert ADA in post(desk, "/desk/people/1/export")
    assert json.loads(post(desk, "/desk/people/1/export", **{"as": "json"}))["subscriber"]
    assert record(house) == [("exported a person's data", "person 1")] * 2


def test_the_link_to_their_data_goes_to_the_person_and_leaves_a_line(
    desk: FlaskClient, house: House
) -> None:
    answer = desk.post("/desk/people/1/send-data", data={"csrf": csrf_of(desk)})
    assert answer.status_code == 303
    assert "On its way" in text_of(desk.get(answer.headers["Location"]))
    house.work()
    assert [mail.subject for mail in house.mailer.to(ADA)][-1] == "Your data"
    assert record(house) == [("sent a person the link to their data", "person 1")]


@pytest.mark.parametrize("typed", ["", "ada", "yes", "bea@example.org", "ada@example.org2"])
def test_nobody_is_erased_by_a_wrong_word(desk: FlaskClient, house: House, typed: str) -> None:
    answer = desk.post("/desk/people/1/erase", data={"csrf": csrf_of(desk), "typed": typed})
    assert answer.status_code == 422
    assert "Nobody was erased" in answer.text
    assert make.person(house).email == ADA
    assert record(house) == []


def test_typing_the_address_erases_and_leaves_a_line_without_it(
    desk: FlaskClient, house: House
) -> None:
    assert ADA in desk.get("/desk/people/1/erase").text
    form = {"csrf": csrf_of(desk), "typed": " Ada@Example.org "}
    answer = desk.post("/desk/people/1/erase", data=form)
    assert answer.headers["Location"] == "/desk/people?erased=yes"
    assert "Erased for good" in text_of(desk.get("/desk/people?erased=yes"))
    with house.rt.reading.begin() as session:
        assert session.scalar(select(func.count()).select_from(Subscriber)) == 0
    assert record(house) == [("erased a person", "person 1")]
    assert desk.get("/desk/people/1").status_code == 404
    assert desk.post("/desk/people/1/erase", data=form).status_code == 404
    page = text_of(desk.get("/desk/privacy"))
    assert "One erasure waits for the company that carries your emails" in page


@pytest.mark.parametrize("act", ["receipt", "export", "send-data", "erase"])
def test_a_form_without_its_token_does_nothing(desk: FlaskClient, house: House, act: str) -> None:
    assert desk.post(f"/desk/people/1/{act}", data={"typed": ADA}).status_code == 403
    assert record(house) == []
    assert make.person(house).email == ADA


@pytest.mark.parametrize("act", ["receipt", "export", "send-data", "erase"])
def test_nobody_of_that_number_is_a_page_not_found(desk: FlaskClient, act: str) -> None:
    answer = desk.post(f"/desk/people/99/{act}", data={"csrf": csrf_of(desk), "typed": ADA})
    assert answer.status_code == 404


def test_no_page_of_the_desk_shows_what_a_person_answered(desk: FlaskClient, house: House) -> None:
    """There is no such view, so nobody needs leave for it, and there is none to log (C31)."""
    check = house.rt.catalog.self_check
    with house.rt.reading.begin() as session:
        told = {each.told for q in check.questions for each in q.answers[:1] if each.told}
        assert told
        pattern = house.rt.keeper.patterns(session, [1])[1]
    name = check.pattern(pattern).name
    seen = [desk.get(path).text for _, path in desk_pages(desk.application)]
    seen += [post(desk, f"/desk/people/1/{act}") for act in ("receipt", "export")]
    seen.append(post(desk, "/desk/people/1/export", **{"as": "json"}))
    answers = {q.answers[0].text for q in check.questions}
    words = [words_of(page) for page in seen]
    assert len(words) > 20
    assert [each for page in words for each in told | answers if each in page] == []
    personal = [page for page in words if ADA in page]
    assert len(personal) > 3
    assert [page for page in personal if name in page] == []


def test_nothing_at_the_desk_can_open_answers() -> None:
    # The therapist's own secret of the second step is sealed as well, and opened to sign in.
    second_step = {"funnel/web/desk/own_second_step.py", "funnel/web/desk/second_step.py"}
    for module in repo.modules("funnel/web/desk/"):
        if module.path in second_step:
            continue
        source = (repo.ROOT / module.path).read_text("utf-8")
        assert not re.search(r"keeper(?!=None)|vault|unseal", source), module.path


def test_looking_at_the_room_changes_nothing(desk: FlaskClient, house: House) -> None:
    before = sorted(row for row in dump(house) if row[0] != "staff_session")
    for path in ("/desk/privacy", "/desk/privacy/dpia", "/desk/people/1/erase"):
        assert desk.get(path).status_code == 200
    assert sorted(row for row in dump(house) if row[0] != "staff_session") == before
