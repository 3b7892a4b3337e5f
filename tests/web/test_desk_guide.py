"""The guide at the desk: every copy can be looked at, and nobody's answers can."""

import pytest
from flask.testing import FlaskClient

from funnel.domain.guides import Edition
from funnel.services.visits import NO_SOURCE, CountedPage, record_visits
from funnel.web.guide import LOOK_AGAIN_SECONDS, PDF_NAMES
from tests.support import make
from tests.support.desk import csrf_of, signed_in, text_of
from tests.support.house import House
from tests.support.self_check import answers_for


@pytest.fixture
def desk(house: House) -> FlaskClient:
    """Dr Reyes's browser."""
    return signed_in(house)


def ask(desk: FlaskClient, pattern: str, edition: str) -> tuple[int, str]:
    answer = desk.post(f"/desk/guide/{pattern}/{edition}", data={"csrf": csrf_of(desk)})
    return answer.status_code, answer.headers.get("Location", "")


def test_every_pattern_and_edition_is_offered(house: House, desk: FlaskClient) -> None:
    page = desk.get("/desk/guide")
    words = text_of(page)
    for pattern in house.rt.catalog.self_check.patterns:
        assert pattern.name in words
    forms = len(house.rt.catalog.self_check.patterns) * len(Edition)
    assert page.text.count('action="/desk/guide/') == forms, "the plain ones are being printed"


def test_a_copy_is_printed_on_the_first_look_and_opened_on_the_next(
    house: House, desk: FlaskClient
) -> None:
    house.work()
    for pattern in ("no-self-check", *(p.key for p in house.rt.catalog.self_check.patterns)):
        for edition in Edition:
            ask(desk, pattern, edition)
    waiting = desk.get("/desk/guide")
    assert "Being printed" in text_of(waiting)
    assert waiting.headers["Refresh"] == str(LOOK_AGAIN_SECONDS)
    house.work()
    assert "Refresh" not in desk.get("/desk/guide").headers
    for pattern in ("no-self-check", *(p.key for p in house.rt.catalog.self_check.patterns)):
        for edition in Edition:
            code, where = ask(desk, pattern, edition)
            assert (code, where) == (303, f"/desk/guide/{pattern}/{edition}")
            with desk.get(where) as pdf:
                assert pdf.mimetype == "application/pdf"
                shown = pdf.headers["Content-Disposition"]
                assert shown == f"inline; filename={PDF_NAMES[edition]}"


def test_a_copy_not_printed_yet_leads_back_to_the_list(desk: FlaskClient) -> None:
    assert desk.get("/desk/guide/leg-symptoms/large").headers["Location"] == "/desk/guide"


@pytest.mark.parametrize(
    "address", ["made-up/guide", "leg-symptoms/pocket", "/guide", "../x/guide"]
)
def test_a_copy_that_does_not_exist_is_not_found(desk: FlaskClient, address: str) -> None:
    assert desk.get(f"/desk/guide/{address}").status_code == 404
    assert ask(desk, *address.rsplit("/", 1))[0] == 404


def test_strangers_see_no_copy(house: House) -> None:
    from funnel.web.app import create_app

    stranger = create_app(house.rt).test_client()
    assert "/desk/sign-in" in stranger.get("/desk/guide").headers["Location"]
    assert stranger.post("/desk/guide/leg-symptoms/guide").status_code in {302, 303, 403}


def test_the_self_check_is_told_in_numbers(house: House, desk: FlaskClient) -> None:
    assert "Nobody has opened the self-check yet." in text_of(desk.get("/desk/guide"))
    counts: dict[tuple[str, str], int] = {
        (CountedPage.CHECK_STARTED, "clinic-qr"): 4,
        (CountedPage.CHECK_STARTED, NO_SOURCE): 3,
        (CountedPage.CHECK_DONE, NO_SOURCE): 5,
        (CountedPage.STOP_999, NO_SOURCE): 1,
        (CountedPage.STOP_111, NO_SOURCE): 2,
    }
    with house.rt.sessions.begin() as session:
        record_visits(session, counts, now=house.clock.now())
    words = text_of(desk.get("/desk/guide"))
    assert "Began it 7 Saw their pattern 5" in words
    assert "Were told to call 999 1 Were told to call 111 2" in words


def test_nobodys_pattern_or_answers_show_at_the_desk(house: House, desk: FlaskClient) -> None:
    check = house.rt.catalog.self_check
    pattern = next(each for each in check.patterns if each.key == "leg-symptoms")
    make.confirmed(house, health=True, answers=answers_for(check, pattern.key))
    person = make.person(house).id
    for path in ("/desk/", "/desk/people", f"/desk/people/{person}"):
        page = desk.get(path).text
        assert pattern.name not in page
        assert pattern.headline not in page
        assert pattern.key not in page
