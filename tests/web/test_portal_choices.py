"""What a person chooses to get, and how they stop it."""

from uuid import uuid4

from sqlalchemy import text

from funnel.domain.people import PersonState, Purpose
from funnel.links import LinkPurpose
from funnel.services import suppression
from tests.support import make
from tests.support.front_door import Door, Outline, words_of

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
MANY = 50


def preferences(door: Door) -> str:
    handle = make.person(door.house).public_id
    return f"/preferences/{door.rt.links.token(LinkPurpose.PREFERENCES, handle)}"


def unsubscribe(door: Door) -> str:
    handle = make.person(door.house).public_id
    return f"/unsubscribe/{door.rt.links.token(LinkPurpose.UNSUBSCRIBE, handle)}"


def purposes(door: Door) -> set[str]:
    return {row.purpose for row in make.person(door.house).consents}


def ticks(page: str) -> dict[str | None, bool]:
    boxes = [tag for tag in Outline(page).all("input") if tag.get("type") == "checkbox"]
    return {box["name"]: "checked" in box for box in boxes}


def test_the_choices_show_what_stands_and_hide_the_address(door: Door) -> None:
    make.joined(door.house)
    page = door.get(preferences(door))
    assert ticks(page) == {"series": True, "challenge": True, "clicks": False}
    assert "ada@example.org" not in page


def test_saving_keeps_what_is_ticked_and_ends_the_rest(door: Door) -> None:
    make.joined(door.house)
    page = preferences(door)
    answer = door.press(page, challenge="yes")
    assert "Your choices take effect at once." in words_of(door.get(answer.headers["Location"]))
    assert purposes(door) == {Purpose.CHALLENGE}
    assert ticks(door.get(page)) == {"series": False, "challenge": True, "clicks": False}


def test_unticking_everything_is_an_unsubscribe_that_can_be_taken_back(door: Door) -> None:
    make.confirmed(door.house)
    page = preferences(door)
    answer = door.press(page)
    assert "No more emails from us" in words_of(door.get(answer.headers["Location"]))
    assert make.person(door.house).state == PersonState.UNSUBSCRIBED
    door.press(page, series="yes")
    assert make.person(door.house).state == PersonState.CONFIRMED
    assert purposes(door) == {Purpose.SERIES}


def test_opening_the_unsubscribe_link_stops_nothing(door: Door) -> None:
    make.confirmed(door.house)
    page = door.get(unsubscribe(door))
    assert "Yes, stop all emails" in words_of(page)
    assert make.person(door.house).state == PersonState.CONFIRMED


def test_the_page_has_one_button_and_a_way_back(door: Door) -> None:
    make.confirmed(door.house)
    answer = door.press(unsubscribe(door))
    assert answer.status_code == 200
    assert "We will be quiet" in words_of(answer.text)
    assert preferences(door) in answer.text
    assert make.person(door.house).state == PersonState.UNSUBSCRIBED


def test_one_click_works_for_mail_programs_in_both_encodings_and_any_number(door: Door) -> None:
    make.confirmed(door.house)
    page = unsubscribe(door)
    foreign = {"Origin": "https://mail.example", "Sec-Fetch-Site": "cross-site"}
    for number in range(MANY):
        kind = "multipart/form-data" if number % 2 else "application/x-www-form-urlencoded"
        answer = door.client.post(page, data=ONE_CLICK, content_type=kind, headers=foreign)
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
    assert make.person(door.house).state == PersonState.UNSUBSCRIBED


def test_one_click_for_someone_deleted_since_is_fine(door: Door) -> None:
    token = door.rt.links.token(LinkPurpose.UNSUBSCRIBE, uuid4())
    assert door.client.post(f"/unsubscribe/{token}", data=ONE_CLICK).status_code == 200


def test_without_a_database_one_click_is_never_answered_with_a_false_yes(door: Door) -> None:
    make.confirmed(door.house)
    page = unsubscribe(door)
    with door.rt.sessions.begin() as session:
        session.execute(text("ALTER TABLE subscriber RENAME TO elsewhere"))
    answer = door.client.post(page, data=ONE_CLICK)
    assert answer.status_code == 503
    assert "We are resting for a moment" in words_of(answer.text)


def test_after_an_unsubscribe_an_old_confirm_link_brings_nobody_back(door: Door) -> None:
    make.confirmed(door.house)
    handle = make.newest_confirmation(door.house)
    door.press(unsubscribe(door))
    link = f"/confirm/{door.rt.links.token(LinkPurpose.CONFIRM, handle)}"
    assert door.client.post(link).status_code == 410
    assert make.person(door.house).state == PersonState.UNSUBSCRIBED


def test_answers_to_the_self_check_are_deleted_by_a_button_of_their_own(door: Door) -> None:
    make.confirmed(door.house, health=True)
    page = preferences(door)
    words = words_of(door.get(page))
    assert "They are printed in your guide and used for nothing else." in words
    answer = door.press(f"{page}/forget-answers", page=page)
    after = words_of(door.get(answer.headers["Location"]))
    assert "Your answers are deleted" in after
    assert "Delete my answers" not in after
    assert purposes(door) == {Purpose.SERIES}
    assert make.person(door.house).state == PersonState.CONFIRMED


def test_whoever_gets_no_mail_any_more_can_still_delete_her_answers(door: Door) -> None:
    make.confirmed(door.house, health=True)
    with door.rt.sessions.begin() as session:
        person = session.merge(make.person(door.house))
        suppression.bounce(session, person, links=door.rt.links, now=door.house.clock.now())
    page = preferences(door)
    assert "Delete my answers" in words_of(door.get(page))
    assert door.press(f"{page}/forget-answers", page=page).status_code == 303
    assert purposes(door) == set()
