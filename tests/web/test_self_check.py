"""The self-check: one question a screen, with a way back, on to a pattern."""

import pytest

from funnel.domain.self_check import TECHNIQUES
from tests.support.front_door import Door, Outline, words_of
from tests.support.self_check import Walker, answers_for
from tests.support.visitor import hidden_fields

PATTERNS = ("desk-hips", "quiet-glutes", "one-side", "leg-symptoms", "all-rounder")


@pytest.fixture
def walker(door: Door) -> Walker:
    return Walker(door)


def test_the_patterns_walked_to_are_all_there_are(walker: Walker) -> None:
    assert {pattern.key for pattern in walker.check.patterns} == set(PATTERNS)


@pytest.mark.parametrize("key", PATTERNS)
def test_answers_lead_to_their_pattern(walker: Walker, key: str) -> None:
    walker.answer_all(answers_for(walker.check, key))
    pattern = walker.check.pattern(key)
    assert [answer.status_code for answer in walker.seen] == [200] * len(walker.seen)
    told = (pattern.headline, pattern.lead, pattern.explanation[0], pattern.not_this)
    for words in (*told, TECHNIQUES[pattern.order[0]], walker.door.rt.catalog.safety.one_line):
        assert words in walker.words
    assert f"figure--{pattern.figure}" in walker.page


def test_the_first_technique_is_called_what_the_guide_calls_it() -> None:
    from blueprint import words

    assert {each.key: each.name for each in words.load().techniques} == TECHNIQUES


def test_every_screen_says_how_far_she_is(walker: Walker) -> None:
    walker.pass_the_gate()
    total = len(walker.check.questions)
    for number, question in enumerate(walker.check.questions, start=1):
        assert f"Question {number} of {total}" in walker.words
        (bar,) = Outline(walker.page).all("progress")
        assert (bar["value"], bar["max"]) == (str(number), str(total))
        assert walker.title.startswith(f"Question {number} of {total} |")
        assert walker.question() == question
        walker.answer(question.answers[0].key)


def test_a_question_shows_its_answers_and_chooses_none_of_them(walker: Walker) -> None:
    walker.pass_the_gate()
    question = walker.check.questions[0]
    radios = [box for box in Outline(walker.page).all("input") if box.get("type") == "radio"]
    assert [radio["value"] for radio in radios] == [answer.key for answer in question.answers]
    assert {radio["name"] for radio in radios} == {"answer"}
    assert walker.checked() == []
    for answer in question.answers:
        assert answer.text in walker.words


def test_next_stands_before_back_so_that_enter_goes_on(walker: Walker) -> None:
    walker.pass_the_gate()
    buttons = [button["value"] for button in Outline(walker.page).all("button")]
    assert buttons == ["next", "back"]


def test_going_back_keeps_what_was_answered_before_and_what_is_chosen_now(walker: Walker) -> None:
    first, second = walker.check.questions[:2]
    walker.pass_the_gate().answer("desk")
    walker.back(answer=second.answers[1].key)
    assert walker.question() == first
    assert walker.checked() == ["desk"]
    walker.answer("desk")
    assert walker.question() == second
    assert walker.checked() == [second.answers[1].key]


def test_going_back_needs_no_answer(walker: Walker) -> None:
    walker.pass_the_gate().answer("desk").back()
    assert walker.status == 200
    assert walker.checked() == ["desk"]


def test_the_way_back_leads_through_the_gate_to_its_first_part(walker: Walker) -> None:
    walker.pass_the_gate().back()
    assert "part 2 of 2" in walker.words
    walker.back()
    assert "part 1 of 2" in walker.words
    walker.back()
    assert "part 1 of 2" in walker.words


def test_the_result_leads_back_to_the_last_question(walker: Walker) -> None:
    answers = answers_for(walker.check, "desk-hips")
    walker.answer_all(answers).back()
    last = walker.check.questions[-1]
    assert walker.question() == last
    assert walker.checked() == [answers[last.key]]
    walker.answer(answers[last.key])
    assert walker.check.pattern("desk-hips").headline in walker.words


def test_a_screen_sent_without_an_answer_is_shown_again_with_a_word(walker: Walker) -> None:
    walker.pass_the_gate().post(go="next")
    assert walker.status == 422
    assert walker.title.startswith("Error: ")
    assert "One answer is needed here" in walker.words
    box = next(tag for _, tag in Outline(walker.page).tags if tag.get("id") == "problems")
    assert (box["role"], box["tabindex"]) == ("alert", "-1")
    assert "autofocus" in box
    assert walker.question() == walker.check.questions[0]
    walker.answer("desk")
    assert walker.question() == walker.check.questions[1]


def test_every_screen_offers_the_guide_without_the_self_check(walker: Walker) -> None:
    walker.answer_all(answers_for(walker.check, "desk-hips"))
    for answer in walker.seen[:-1]:
        assert 'href="/#guide"' in answer.get_data(as_text=True)
        assert "get the guide without the self-check" in words_of(answer.get_data(as_text=True))


def test_the_landing_page_leads_to_it_and_says_on_where_a_visitor_came_from(door: Door) -> None:
    (plain,) = [a for a in Outline(door.get("/")).all("a") if "/self-check" in (a["href"] or "")]
    assert plain["href"] == "/self-check"
    page = door.get("/?utm_source=Clinic-QR", Referer="https://blog.example/p?q")
    (link,) = [a for a in Outline(page).all("a") if "/self-check" in (a["href"] or "")]
    walker = Walker(door).open(link["href"] or "").post(signs="none").post(signs="none")
    for question in walker.check.questions:
        walker.answer(question.answers[-1].key)
    carried = hidden_fields(walker.page)
    assert carried["utm_source"] == "Clinic-QR"
    assert carried["referrer"] == "https://blog.example/p"
    assert carried["landing_page"] == "/"


def test_the_way_to_the_guide_without_it_says_so_too(walker: Walker) -> None:
    walker.open("/self-check?utm_source=poster")
    links = [a["href"] or "" for a in Outline(walker.page).all("a")]
    (way_out,) = [link for link in links if link.endswith("#guide")]
    assert hidden_fields(walker.door.get(way_out))["utm_source"] == "poster"


def test_no_screen_needs_a_script_or_sets_a_cookie(walker: Walker) -> None:
    walker.answer_all(answers_for(walker.check, "one-side"))
    for answer in walker.seen:
        assert "Set-Cookie" not in answer.headers
    for answer in walker.seen[:-1]:
        assert Outline(answer.get_data(as_text=True)).all("script") == []


def test_the_browser_may_keep_each_screen_for_its_own_way_back(walker: Walker) -> None:
    walker.answer_all(answers_for(walker.check, "one-side")).send("ada@")
    assert walker.status == 422
    for answer in walker.seen:
        assert answer.headers["Cache-Control"] == "private, no-cache"


def test_every_screen_is_well_formed_and_kept_out_of_search(walker: Walker) -> None:
    walker.answer_all(answers_for(walker.check, "one-side"))
    for answer in walker.seen:
        outline = Outline(answer.get_data(as_text=True))
        assert (outline.misnested, outline.open) == ([], [])
        assert len(outline.all("h1")) == 1
        ids = [tag["id"] for _, tag in outline.tags if "id" in tag]
        assert len(ids) == len(set(ids))
        assert {"name": "robots", "content": "noindex"} in outline.all("meta")


def test_reloading_the_page_of_a_form_with_messages_starts_afresh(door: Door) -> None:
    answer = door.client.get("/self-check/send")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/self-check")
