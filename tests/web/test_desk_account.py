"""Your account: a new password, the other browsers, what happened lately."""

import pytest
from flask.testing import FlaskClient

from funnel.web.app import create_app
from tests.support.desk import EMAIL, PASSWORD, csrf_of, sign_in, signed_in, text_of
from tests.support.house import House

ACCOUNT = "/desk/account"
NEW = "a kettle of seven otters"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"


@pytest.fixture
def desk(house: House) -> FlaskClient:
    """Dr Reyes's browser."""
    return signed_in(house)


def elsewhere(house: House, password: str = PASSWORD) -> FlaskClient:
    """Another browser of hers, signed in."""
    browser = create_app(house.rt).test_client()
    browser.environ_base["HTTP_USER_AGENT"] = FIREFOX
    sign_in(browser, password)
    return browser


def change(desk: FlaskClient, **fields: str) -> tuple[int, str]:
    form = {"csrf": csrf_of(desk), "current": PASSWORD, "password": NEW} | fields
    answer = desk.post(f"{ACCOUNT}/password", data=form)
    return answer.status_code, text_of(answer)


def test_a_new_password_ends_every_other_session(house: House, desk: FlaskClient) -> None:
    other = elsewhere(house)
    before = desk.get_cookie("desk")
    assert change(desk)[0] == 303
    after = desk.get_cookie("desk")
    assert before != after
    assert "Your password is changed" in text_of(desk.get(f"{ACCOUNT}?done=password"))
    assert other.get("/desk/people").status_code == 303
    assert elsewhere(house).get("/desk/people").status_code == 303, "the old password is over"
    assert elsewhere(house, NEW).get("/desk/people").status_code == 200


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"current": "wrong"}, "That is not your password."),
        ({"password": "short"}, "at least 12 characters"),
        ({"password": "reyesreyes2026"}, "first things a stranger would try"),
        ({"password": "x" * 200}, "under 128 characters"),
    ],
)
def test_what_is_wrong_with_a_new_password_is_said_and_changes_nothing(
    house: House, desk: FlaskClient, fields: dict[str, str], words: str
) -> None:
    status, page = change(desk, **fields)
    assert status == 422
    assert words in page
    assert NEW not in page
    assert elsewhere(house).get("/desk/people").status_code == 200


def test_guessing_the_password_from_an_open_desk_is_counted(desk: FlaskClient) -> None:
    statuses = [change(desk, current="wrong")[0] for _ in range(11)]
    assert statuses == [422] * 10 + [429]


def test_where_she_is_signed_in_is_listed_and_can_be_ended(house: House, desk: FlaskClient) -> None:
    assert "Nowhere else." in text_of(desk.get(ACCOUNT))
    other = elsewhere(house)
    page = text_of(desk.get(ACCOUNT))
    assert "Firefox on Linux" in page
    assert "this one" in page
    answer = desk.post(f"{ACCOUNT}/browsers", data={"csrf": csrf_of(desk)})
    assert answer.status_code == 303
    assert other.get("/desk/people").status_code == 303
    assert "Nowhere else." in text_of(desk.get(ACCOUNT))


def test_what_happened_lately_names_refused_tries(house: House, desk: FlaskClient) -> None:
    stranger = create_app(house.rt).test_client()
    for _ in range(12):
        sign_in(stranger, "wrong")
    page = text_of(desk.get(ACCOUNT))
    assert page.count("Refused more tries of the password") == 1


def test_a_browser_that_signs_in_again_leaves_no_session_behind(
    house: House, desk: FlaskClient
) -> None:
    browser = elsewhere(house)
    sign_in(browser, PASSWORD)
    assert text_of(desk.get(ACCOUNT)).count("Firefox on Linux") == 1


def test_a_line_that_somebody_made_up_is_not_said(desk: FlaskClient) -> None:
    assert "<b>" not in text_of(desk.get(f"{ACCOUNT}?done=<b>hello"))
    assert "hello" not in text_of(desk.get(f"{ACCOUNT}?done=<b>hello"))


def test_a_password_that_was_right_is_not_counted_against_her(house: House) -> None:
    signed_in(house)
    browser = create_app(house.rt).test_client()
    for _ in range(15):
        assert sign_in(browser, PASSWORD, email=EMAIL).status_code == 303
