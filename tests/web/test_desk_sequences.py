"""Sequences at the desk: looked at, paused, edited and published; people moved by hand."""

import re
from datetime import timedelta
from hashlib import sha256
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from funnel.db.desk import AuditEntry
from funnel.domain.enrolment import EnrolmentState
from funnel.services import texts
from tests.support import make
from tests.support.desk import PASSWORD, csrf_of, sign_in, signed_in, text_of
from tests.support.house import House

DAY = timedelta(days=1)
PLAN = "/desk/sequences/nurture/edit"
WORDS = "/desk/words/nurture/why-hips"


@pytest.fixture
def desk(house: House) -> FlaskClient:
    """Dr Reyes's browser."""
    return signed_in(house)


def post(desk: FlaskClient, path: str, **form: object) -> TestResponse:
    source = str(form.get("source", ""))
    looked = sha256(source.encode()).hexdigest()
    return desk.post(path, data={"csrf": csrf_of(desk), "looked": looked, **form})


def let_pass(house: House, desk: FlaskClient, span: timedelta) -> None:
    """Time passes at work, and she signs in again."""
    house.hop(span)
    sign_in(desk, PASSWORD)


def newest(house: House, kind: str, key: str) -> tuple[int, str]:
    with house.rt.reading.begin() as session:
        row = texts.require(session, kind, key)
        return row.version, row.source


def done_by_staff(house: House) -> list[str]:
    with house.rt.reading.begin() as session:
        return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def test_the_list_tells_who_is_on_the_way(house: House, desk: FlaskClient) -> None:
    make.confirmed(house)
    words = text_of(desk.get("/desk/sequences"))
    assert "The follow-up series eight mails Whoever confirmed the address 1 person" in words


def test_on_a_phone_the_bar_holds_the_sequences_and_leaves_the_rest_to_the_foot(
    desk: FlaskClient,
) -> None:
    page = desk.get("/desk/sequences").text
    wide = re.findall(r'rail__item--wide"><a class="rail__link" href="([^"]+)"', page)
    assert wide == ["/desk/guide", "/desk/delivery", "/desk/privacy"]
    assert 'href="/desk/sequences" aria-current="page"' in page
    foot = page.partition('class="foot"')[2]
    assert all(f'<li><a href="{href}">' in foot for href in wide)


def test_a_sequence_shows_each_step_with_its_rules_and_counts(
    house: House, desk: FlaskClient
) -> None:
    make.confirmed(house)
    let_pass(house, desk, DAY)
    make.confirmed(house, "ben@example.org")
    words = text_of(desk.get("/desk/sequences/nurture"))
    assert "2 people are on the way" in words
    assert "1 day after they begin, at 08:10 their time" in words
    assert "Stand before it 1 Had it 1 Passed over 0" in words


def test_pausing_holds_everybody_and_can_be_taken_back(house: House, desk: FlaskClient) -> None:
    make.confirmed(house)
    post(desk, "/desk/sequences/nurture/pause")
    assert "Paused since" in text_of(desk.get("/desk/sequences/nurture"))
    let_pass(house, desk, 3 * DAY)
    assert [each for each in make.messages(house) if each.mail_key.startswith("nurture/")] == []
    post(desk, "/desk/sequences/nurture/resume")
    let_pass(house, desk, DAY)
    assert make.message(house, "nurture/one-technique").accepted_at is not None
    assert [each for each in done_by_staff(house) if "whole" in each] == [
        "Paused the whole of “The follow-up series”.",
        "Resumed the whole of “The follow-up series”.",
    ]


def test_everybody_before_a_step_is_asked_about_with_a_count(
    house: House, desk: FlaskClient
) -> None:
    make.confirmed(house)
    make.confirmed(house, "ben@example.org")
    step = "/desk/sequences/nurture/steps/one-technique"
    for act in ("skip", "send", "move"):
        assert "2 people stand before" in text_of(desk.get(f"{step}/{act}"))
    assert post(desk, f"{step}/skip").status_code == 303
    assert make.enrolment(house, "nurture").last_step == "one-technique"
    assert post(desk, f"{step.replace('one-technique', 'why-hips')}/send").status_code == 303
    house.work()
    assert make.message(house, "nurture/why-hips", "ben@example.org").accepted_at is not None
    assert desk.get(f"{step}/burn").status_code == 404


def test_problems_of_a_plan_are_told_by_line_and_nothing_is_lost(
    house: House, desk: FlaskClient
) -> None:
    source = newest(house, "sequence", "nurture")[1].replace("after: 3 days", "after: soon")
    answer = post(desk, PLAN, source=source, after=1, do="look")
    assert answer.status_code == 422
    assert re.search(r"Line \d+ \(“after: soon.*”\): .*write a length of time", text_of(answer))
    assert "after: soon" in answer.text, "what was typed stays"
    assert post(desk, PLAN, source=source, after=1, do="publish").status_code == 422
    assert newest(house, "sequence", "nurture")[0] == 1


def test_a_step_without_words_leads_to_where_they_are_written(
    house: House, desk: FlaskClient
) -> None:
    extra = "steps:\n  - key: extra\n    after: 1 hour\n"
    source = newest(house, "sequence", "nurture")[1].replace("steps:\n", extra)
    refused = post(desk, PLAN, source=source, after=1, do="look")
    assert 'href="/desk/words/nurture/extra"' in refused.text
    page = desk.get("/desk/words/nurture/extra")
    assert 'name="after" value="0"' in page.text
    begun = re.search(r"<textarea[^>]*>(.*?)</textarea>", page.text, re.DOTALL)
    assert begun
    written = unescape(begun[1]) + "\nThis is new.\n"
    post(desk, "/desk/words/nurture/extra", source=written, after=0, do="publish")
    assert newest(house, "mail", "nurture/extra") == (1, written)
    assert post(desk, PLAN, source=source, after=1, do="look").status_code == 200
    assert desk.get("/desk/words/no-such/extra").status_code == 404


def test_a_plan_is_looked_at_then_published_to_those_past_it_too(
    house: House, desk: FlaskClient
) -> None:
    make.confirmed(house)
    let_pass(house, desk, 2 * DAY)
    words = newest(house, "mail", "nurture/why-hips")[1]
    assert post(desk, "/desk/words/nurture/extra", source=words, after=0).status_code == 200
    done = post(desk, "/desk/words/nurture/extra", source=words, after=0, do="publish")
    assert done.headers["Location"] == "/desk/sequences/nurture"
    extra = "steps:\n  - key: extra\n    after: 1 hour\n"
    source = newest(house, "sequence", "nurture")[1].replace("steps:\n", extra)
    looked = post(desk, PLAN, source=source, after=1, do="look")
    assert "0 people not there yet get it, 1 past it will not: Ada." in text_of(looked)
    assert 'name="past" value="nurture/extra"' in looked.text
    post(desk, PLAN, source=source, after=1, do="publish", past="nurture/extra")
    let_pass(house, desk, DAY)
    assert make.message(house, "nurture/extra").accepted_at is not None
    assert done_by_staff(house).count("published") == 2


def test_what_was_changed_after_the_look_is_shown_anew_and_not_published(
    house: House, desk: FlaskClient
) -> None:
    words = newest(house, "mail", "nurture/why-hips")[1]
    looked = post(desk, WORDS, source=words.replace("hips", "hip joints"), after=1, do="look")
    seen = re.search(r'name="looked" value="(\w+)"', looked.text)
    assert seen
    changed = words.replace("hips", "both hips")
    answer = post(desk, WORDS, source=changed, after=1, do="publish", looked=seen[1])
    assert "What it would change" in text_of(answer)
    assert newest(house, "mail", "nurture/why-hips") == (1, words)


def test_the_second_of_two_editors_is_told(house: House, desk: FlaskClient) -> None:
    words = newest(house, "mail", "nurture/why-hips")[1]
    better = words.replace("hips", "hip joints")
    post(desk, WORDS, source=better, after=1, do="publish")
    late = post(desk, WORDS, source=words + "\nOne more line.\n", after=1, do="publish")
    assert late.status_code == 422
    assert "Somebody published another version meanwhile" in text_of(late)
    assert newest(house, "mail", "nurture/why-hips") == (2, better)


def test_words_are_shown_as_they_arrive_and_nothing_in_them_may_run(desk: FlaskClient) -> None:
    page = desk.get(WORDS)
    source = re.search(r"<textarea[^>]*>(.*?)</textarea>", page.text, re.DOTALL)
    assert source
    shown = post(desk, f"{WORDS}/look", source=unescape(source[1]), after=1)
    assert shown.status_code == 200
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    assert "<html" in shown.text
    assert post(desk, f"{WORDS}/look", source="nothing", after=1).status_code == 422


def test_an_older_version_is_opened_and_published_again(house: House, desk: FlaskClient) -> None:
    first = newest(house, "mail", "nurture/why-hips")[1]
    post(desk, WORDS, source=first.replace("hips", "hip joints"), after=1, do="publish")
    versions = desk.get(f"{WORDS}/versions")
    assert "Dr Reyes" in text_of(versions)
    assert "Came with the product" in text_of(versions)
    page = desk.get(f"{WORDS}?version=1")
    assert 'name="after" value="2"' in page.text
    post(desk, WORDS, source=first, after=2, do="publish")
    assert newest(house, "mail", "nurture/why-hips") == (3, first)


def test_a_large_text_is_read_and_judged_and_a_huge_one_refused(desk: FlaskClient) -> None:
    large = post(desk, WORDS, source="x" * 100_000, after=1, do="look")
    assert large.status_code == 422
    assert "over 32 KB" in text_of(large)
    assert post(desk, WORDS, source="x" * 5_000_000, after=1, do="look").status_code == 413


def test_the_practice_is_away_and_back(house: House, desk: FlaskClient) -> None:
    days = {"first": "2026-11-24", "last": "2026-11-27"}
    post(desk, "/desk/sequences/away", **days)
    assert "From 24 Nov 2026 to 27 Nov 2026" in text_of(desk.get("/desk/sequences"))
    make.confirmed(house)
    let_pass(house, desk, 3 * DAY)
    assert [each for each in make.messages(house) if each.mail_key.startswith("nurture/")] == []
    post(desk, "/desk/sequences/back", **days)
    let_pass(house, desk, DAY)
    assert make.message(house, "nurture/one-technique").accepted_at is not None


@pytest.mark.parametrize(
    ("first", "last"), [("", ""), ("2026-12-02", "2026-12-01"), ("2026-01-01", "2030-01-01")]
)
def test_days_that_cannot_be_are_refused(desk: FlaskClient, first: str, last: str) -> None:
    answer = post(desk, "/desk/sequences/away", first=first, last=last)
    assert answer.status_code == 422
    assert "the last not before the first" in text_of(answer)


def test_days_that_are_over_are_refused(desk: FlaskClient) -> None:
    answer = post(desk, "/desk/sequences/away", first="2026-11-01", last="2026-11-22")
    assert answer.status_code == 422
    assert "over already" in text_of(answer)


@pytest.mark.parametrize("last", ["2028-12-01", "9999-12-31"])
def test_days_too_far_ahead_are_refused(desk: FlaskClient, last: str) -> None:
    answer = post(desk, "/desk/sequences/away", first=last, last=last)
    assert answer.status_code == 422
    assert "within the next two years" in text_of(answer)


def test_a_persons_next_mail_is_paused_resumed_skipped_moved_and_sent(
    house: House, desk: FlaskClient
) -> None:
    make.confirmed(house)
    who, place = make.person(house).id, make.enrolment(house, "nurture").id
    page = f"/desk/people/{who}"

    def act(name: str, step: str = "") -> int:
        form = {"enrolment": place, "act": name, "step": step}
        return post(desk, f"{page}/steer", **form).status_code

    assert act("pause") == 303
    assert make.enrolment(house, "nurture").state == EnrolmentState.PAUSED
    assert "comes next once you resume" in text_of(desk.get(page))
    assert act("resume") == 303
    assert act("skip", "one-technique") == 303
    assert act("move", "wake-up") == 303
    assert act("send", "wake-up") == 303
    house.work()
    assert make.message(house, "nurture/wake-up").accepted_at is not None
    assert act("move", "wake-up") == 422, "no mail goes twice"
    assert act("burn") == 400


def test_only_a_mail_that_somebody_must_look_at_can_be_tried_again(
    house: House, desk: FlaskClient
) -> None:
    make.confirmed(house)
    who, place = make.person(house).id, make.enrolment(house, "nurture").id
    page = f"/desk/people/{who}"
    post(desk, f"{page}/steer", enrolment=place, act="pause")
    assert "Try that mail again" not in text_of(desk.get(page))
    post(desk, f"{page}/steer", enrolment=place, act="resume")
    post(desk, "/desk/sequences/nurture/pause")
    assert "Try that mail again" not in text_of(desk.get(page))


def test_a_mail_that_went_is_neither_counted_as_to_come_nor_offered_for_a_move(
    house: House, desk: FlaskClient
) -> None:
    make.confirmed(house)
    who, place = make.person(house).id, make.enrolment(house, "nurture").id
    page = f"/desk/people/{who}"
    assert "Seven more of" in text_of(desk.get(page))
    post(desk, f"{page}/steer", enrolment=place, act="move", step="wake-up")
    post(desk, f"{page}/steer", enrolment=place, act="send", step="wake-up")
    house.work()
    post(desk, f"{page}/steer", enrolment=place, act="move", step="one-technique")
    shown = desk.get(page)
    assert '<option value="wake-up">' not in shown.text
    assert '<option value="why-hips">' in shown.text
    assert "Six more of" in text_of(shown)
    assert "You moved them here: it comes 1 day after that" in text_of(shown)


def test_while_the_series_is_stopped_a_persons_page_says_that_the_mail_waits(
    house: House, desk: FlaskClient
) -> None:
    make.confirmed(house)
    page = f"/desk/people/{make.person(house).id}"
    assert "so this waits" not in text_of(desk.get(page))
    post(desk, "/desk/mail/stop", what="series")
    assert "The series is stopped, so this waits" in text_of(desk.get(page))


@pytest.mark.parametrize("path", ["words/nurture/wake-up", "sequences/nurture"])
def test_editors_and_versions_call_things_by_their_titles(desk: FlaskClient, path: str) -> None:
    editor = path if path.startswith("words") else f"{path}/edit"
    for page in (f"/desk/{editor}", f"/desk/{path}/versions"):
        heading = re.search(r"<h1[^>]*>(.*?)</h1>", desk.get(page).text)
        assert heading
        assert "nurture" not in heading[1]


def test_a_place_of_somebody_else_is_not_found(house: House, desk: FlaskClient) -> None:
    make.confirmed(house)
    make.confirmed(house, "ben@example.org")
    form = {"enrolment": make.enrolment(house, "nurture", "ben@example.org").id, "act": "pause"}
    path = f"/desk/people/{make.person(house).id}/steer"
    assert post(desk, path, **form).status_code == 404
