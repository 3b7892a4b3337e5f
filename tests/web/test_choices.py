"""A person's own choices, behind the link in their mails."""

import pytest
from werkzeug.test import TestResponse

from funnel.domain.people import PersonState, Purpose
from funnel.links import LinkPurpose
from funnel.services import suppression
from tests.support import make
from tests.support.front_door import Door, Outline, words_of

OLD, NEW = "ada@example.org", "ada@new.example.org"


def preferences(door: Door, email: str = OLD) -> str:
    handle = make.person(door.house, email).public_id
    return f"/preferences/{door.rt.links.token(LinkPurpose.PREFERENCES, handle)}"


def purposes(door: Door) -> set[str]:
    return {row.purpose for row in make.person(door.house).consents}


def chosen(page: str) -> dict[str | None, bool]:
    dots = [tag for tag in Outline(page).all("input") if tag.get("type") == "radio"]
    return {dot["value"]: "checked" in dot for dot in dots}


def act(door: Door, which: str, /, **fields: str) -> TestResponse:
    """Press a button of the page of choices."""
    page = preferences(door)
    return door.press(f"{page}/{which}" if which else page, page=page, **fields)


def told(door: Door, answer: TestResponse) -> str:
    assert answer.status_code == 303
    return words_of(door.get(answer.headers["Location"]))


# --- what they get ------------------------------------------------------------------------------


def test_the_choices_show_what_stands_and_hide_the_address(door: Door) -> None:
    make.joined(door.house)
    page = door.get(preferences(door))
    assert chosen(page) == {"everything": True, "series": False, "challenge": False, "guide": False}
    assert OLD not in page
    for key in ("series", "challenge"):
        assert door.rt.catalog.wordings[key].text in words_of(page), "the very words agreed to"


def test_whoever_never_joined_is_not_asked_about_the_series_without_it(door: Door) -> None:
    make.confirmed(door.house)
    page = door.get(preferences(door))
    assert chosen(page) == {"everything": True, "challenge": False, "guide": False}
    assert "You join the Hip Mobility Challenge with it." in words_of(page)


def test_one_press_saves_a_choice(door: Door) -> None:
    make.joined(door.house)
    assert "Your choice takes effect at once." in told(door, act(door, "", want="challenge"))
    assert purposes(door) == {Purpose.CHALLENGE}
    assert chosen(door.get(preferences(door)))["challenge"]


def test_the_guide_alone_is_not_the_end(door: Door) -> None:
    make.confirmed(door.house)
    told(door, act(door, "", want="guide"))
    page = words_of(door.get(preferences(door)))
    assert "Stop all emails" in page
    assert "Pause for two weeks" not in page, "there is nothing to pause"
    assert make.person(door.house).state == PersonState.CONFIRMED


def test_whoever_left_may_come_back_and_is_offered_no_less_than_something(door: Door) -> None:
    make.confirmed(door.house)
    make.unsubscribed(door.house)
    page = door.get(preferences(door))
    assert chosen(page) == {"everything": False, "challenge": False}
    assert "We send you nothing at the moment" in words_of(page)
    assert "Pause for two weeks" not in words_of(page)
    told(door, act(door, "", want="everything"))
    assert purposes(door) == {Purpose.SERIES}


@pytest.mark.parametrize("want", ["", "all", "everything\x00"])
def test_no_choice_is_told_beside_the_question(door: Door, want: str) -> None:
    make.confirmed(door.house)
    answer = act(door, "", want=want)
    assert answer.status_code == 422
    outline = Outline(answer.text)
    assert "Please choose what you would like." in words_of(answer.text)
    (fieldset,) = outline.all("fieldset")
    assert fieldset["aria-describedby"] == "want-error"
    assert outline.all("title")
    assert purposes(door) == {Purpose.SERIES}


# --- a little quieter ---------------------------------------------------------------------------


def test_a_pause_is_one_press_and_so_is_its_end(door: Door) -> None:
    make.confirmed(door.house)
    words = told(door, act(door, "pause"))
    assert "Until Monday 7 December 2026. Then it starts again by itself." in words
    assert "Quiet until Monday 7 December 2026" in words
    assert "Pause for two weeks" not in words
    words = told(door, act(door, "start-again"))
    assert "You are back" in words
    assert "Pause for two weeks" in words
    assert make.person(door.house).paused_until is None


def test_the_day_a_pause_ends_is_told_as_where_they_live(door: Door) -> None:
    make.confirmed(door.house, zone="Pacific/Auckland")
    assert "Until Monday 7 December 2026." in told(door, act(door, "pause"))


def test_at_most_one_a_week_is_a_tick_that_can_be_taken_away(door: Door) -> None:
    make.confirmed(door.house)
    assert "At most one email a week from now on." in told(door, act(door, "fewer", fewer="yes"))
    (tick,) = [
        tag for tag in Outline(door.get(preferences(door))).all("input") if tag["name"] == "fewer"
    ]
    assert "checked" in tick
    assert "Your emails come as they are planned." in told(door, act(door, "fewer"))
    assert make.person(door.house).weekly_cap is None


# --- their details ------------------------------------------------------------------------------


def test_a_name_is_changed_and_shown_as_letters(door: Door) -> None:
    make.confirmed(door.house)
    name = '"><script>alert(1)</script>'
    assert f"We call you {name}." in told(door, act(door, "name", name=f" {name} "))
    page = door.get(preferences(door))
    assert "<script" not in page
    assert make.person(door.house).first_name == name


def test_the_guide_takes_the_new_name_on_their_wish(door: Door) -> None:
    make.confirmed(door.house)
    words = told(door, act(door, "name", name="Augusta", guide="yes"))
    assert "Your guide is printed again" in words
    door.house.work()
    assert door.house.press.documents[-1]["first_name"] == "Augusta"


@pytest.mark.parametrize(
    ("name", "problem"),
    [("x" * 81, "under 80 characters"), ("A\ufffdda", "a character we cannot read")],
)
def test_a_name_that_will_not_do_is_told_beside_its_field(
    door: Door, name: str, problem: str
) -> None:
    make.confirmed(door.house)
    answer = act(door, "name", name=name)
    assert answer.status_code == 422
    assert problem in words_of(answer.text)
    outline = Outline(answer.text)
    (field,) = [tag for tag in outline.all("input") if tag.get("id") == "name"]
    assert (field["aria-invalid"], field["value"]) == ("true", name)
    (fold,) = [tag for tag in outline.all("details") if tag.get("id") == "your-name"]
    assert "open" in fold
    assert make.person(door.house).first_name == "Ada"


def test_a_zone_is_chosen_from_places_with_the_present_one_chosen(door: Door) -> None:
    make.confirmed(door.house, zone="Australia/Lord_Howe")
    options = Outline(door.get(preferences(door))).all("option")
    assert [tag["value"] for tag in options if "selected" in tag] == ["Australia/Lord_Howe"]
    words = told(door, act(door, "time-zone", time_zone="America/New_York"))
    assert "follow the clock of this place: United States, Eastern." in words
    assert make.person(door.house).time_zone == "America/New_York"


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "Etc/GMT+5", "../etc/passwd"])
def test_a_place_that_is_none_is_told_beside_the_list(door: Door, zone: str) -> None:
    make.confirmed(door.house)
    answer = act(door, "time-zone", time_zone=zone)
    assert answer.status_code == 422
    assert "Please choose a place from the list." in words_of(answer.text)
    assert make.person(door.house).time_zone == "Europe/London"


# --- all of them --------------------------------------------------------------------------------

ACTS = {
    "": {"want": "guide"},
    "pause": {},
    "start-again": {},
    "fewer": {"fewer": "yes"},
    "name": {"name": "Mallory"},
    "time-zone": {"time_zone": "Asia/Tokyo"},
    "address": {"email": NEW},
    "keep-address": {},
    "forget-answers": {},
}


@pytest.mark.parametrize("name", ACTS)
def test_no_act_is_done_without_a_link_of_ones_own(door: Door, name: str) -> None:
    make.confirmed(door.house, health=True)
    handle = make.person(door.house).public_id
    before = _state(door)
    for purpose in set(LinkPurpose) - {LinkPurpose.PREFERENCES}:
        path = f"/preferences/{door.rt.links.token(purpose, handle)}"
        path = f"{path}/{name}" if name else path
        assert door.client.post(path, data=ACTS[name]).status_code == 404
    assert _state(door) == before


@pytest.mark.parametrize("name", [name for name in ACTS if name])
def test_looking_at_an_act_does_nothing_and_leads_back(door: Door, name: str) -> None:
    make.confirmed(door.house, health=True)
    before = _state(door)
    page = preferences(door)
    answer = door.client.get(f"{page}/{name}")
    assert (answer.status_code, answer.headers["Location"]) == (303, page)
    assert door.client.head(f"{page}/{name}").status_code == 303
    assert _state(door) == before


def _state(door: Door) -> tuple[object, ...]:
    person = make.person(door.house)
    return (
        person.first_name,
        person.time_zone,
        person.email,
        person.paused_until,
        person.weekly_cap,
        [row.purpose for row in person.consents],
    )


def test_a_field_sent_twice_is_no_choice(door: Door) -> None:
    make.confirmed(door.house)
    twice = {"want": ["guide", "everything"]}
    assert door.client.post(preferences(door), data=twice).status_code == 400


def test_the_page_leads_to_ones_data_and_to_a_complaint(door: Door) -> None:
    make.confirmed(door.house)
    page = preferences(door)
    links = {tag["href"] for tag in Outline(door.get(page)).all("a")}
    assert {page.replace("preferences", "your-data"), "/complaint", "/privacy"} <= links
    door.get(page.replace("preferences", "your-data"))


@pytest.mark.parametrize("done", ["paused", "started", "name-on-guide", "address", "<b>", "x"])
def test_a_made_up_message_in_the_address_says_nothing_untrue(door: Door, done: str) -> None:
    make.confirmed(door.house)
    words = words_of(door.get(f"{preferences(door)}?done={done}"))
    assert "We will be quiet" not in words
    assert "<b>" not in words


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
