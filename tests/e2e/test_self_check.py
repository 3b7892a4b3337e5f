"""The self-check in a browser: there, back, and on to the inbox, by mouse, by keyboard, scriptless.

Every screen is looked at like those of the whole path, and its picture kept in var/pictures.
"""

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Running
from tests.e2e.test_whole_path import PICTURES, Walk, open_walk
from tests.support.visitor import MIN_FORM_SECONDS, Visitor

ADA = "ada@example.org"
GATE = ("Do you have any of these with your back pain?", "And any of these?")
RESULT = "Your leg asks for a gentle start"
LEG = ("desk", "hips", "bottom", "both-tight", "none", "thigh", "sitting")


@pytest.fixture(autouse=True)
def album() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)


def walk_of(browser: Browser, running: Running, size: str, *, dark: bool) -> Walk:
    walk = open_walk(browser, running.base, size, dark=dark)
    walk.name = f"self-check-{walk.name}"
    return walk


def arrives(page: Page, heading: str) -> None:
    """Wait until this page is there: one pressed too soon would be pressed twice."""
    expect(page.locator("h1")).to_have_text(heading)


def sees(page: Page, number: int) -> None:
    """Wait for a question and its place in the progress."""
    expect(page.locator("progress")).to_have_attribute("value", str(number))
    assert f"Question {number} of 7 | Self-check" in page.title()


def press(page: Page, button: str) -> None:
    page.get_by_role("button", name=button).click()


def pass_the_gate(page: Page) -> None:
    for heading in GATE:
        arrives(page, heading)
        press(page, "None of these")
    sees(page, 1)


def choose(page: Page, answer: str) -> None:
    page.locator(f"input[name=answer][value={answer}]").check()


def answer_all(page: Page, answers: tuple[str, ...] = LEG) -> None:
    """Answer from the first question on, one screen at a time."""
    for number, answer in enumerate(answers, start=1):
        sees(page, number)
        choose(page, answer)
        press(page, "Next")
    if answers == LEG:
        arrives(page, RESULT)
    else:
        sees(page, len(answers) + 1)


def send_nothing(page: Page) -> None:
    """Press Next as a browser would that does not check forms by itself."""
    page.evaluate("document.querySelector('form').noValidate = true")
    press(page, "Next")
    expect(page).to_have_title(re.compile("^Error: "))


def focused(page: Page) -> str:
    told: str = page.evaluate("document.activeElement.id")
    return told


@pytest.mark.browser
@pytest.mark.parametrize(("size", "dark"), [("phone", False), ("desktop", True)])
def test_a_stranger_finds_her_pattern_and_asks_for_the_guide(
    browser: Browser, running: Running, size: str, dark: bool
) -> None:
    visitor = Visitor(running.base, running.mailbox)
    walk = walk_of(browser, running, size, dark=dark)
    look_at_the_gate(walk)
    answer_every_question(walk)
    ask_for_the_guide(walk)
    assert ADA in walk.page.inner_text("main")
    assert visitor.wait_for_link(ADA, "/confirm/")
    visitor.close()
    walk.page.context.close()
    assert walk.problems == []


def look_at_the_gate(walk: Walk) -> None:
    walk.go("/?utm_source=leaflet")
    page = walk.page
    page.get_by_role("link", name="two-minute self-check").click()
    arrives(page, GATE[0])
    walk.look("gate-1")
    press(page, "Yes, at least one")
    arrives(page, "Please get medical help now")
    walk.look("call-999")
    page.get_by_role("link", name="I chose the wrong answer").click()
    arrives(page, GATE[0])
    press(page, "None of these")
    arrives(page, GATE[1])
    walk.look("gate-2")
    press(page, "Yes, at least one")
    arrives(page, "Please speak to someone today")
    walk.look("call-111")
    page.get_by_role("link", name="I chose the wrong answer").click()
    pass_the_gate(page)


def answer_every_question(walk: Walk) -> None:
    send_nothing(walk.page)
    forget_the_slip(walk)
    walk.look("question-1-after-a-slip")
    assert focused(walk.page) == "problems"
    for number, answer in enumerate(LEG, start=1):
        sees(walk.page, number)
        choose(walk.page, answer)
        walk.look(f"question-{number}")
        press(walk.page, "Next")
    arrives(walk.page, RESULT)
    walk.look("result")


def forget_the_slip(walk: Walk) -> None:
    """The browser itself notes a 422; what follows must be silent again."""
    walk.problems = [each for each in walk.problems if "422" not in each]


def ask_for_the_guide(walk: Walk) -> None:
    walk.page.get_by_label("First name").fill("Ada")
    walk.page.get_by_label("Email", exact=True).fill("ada@example")
    walk.page.get_by_label("I agree that").check()
    walk.page.wait_for_timeout(MIN_FORM_SECONDS * 1000)
    press(walk.page, "Send me the guide")
    expect(walk.page).to_have_title(re.compile("^Error: "))
    forget_the_slip(walk)
    walk.look("result-after-a-slip")
    assert focused(walk.page) == "problems"
    assert walk.page.get_by_label("I agree that").is_checked()
    walk.page.get_by_label("Email", exact=True).fill(ADA)
    press(walk.page, "Send me the guide")
    arrives(walk.page, "Check your inbox")


@pytest.mark.browser
@pytest.mark.parametrize("size", ["phone", "desktop"])
def test_the_browsers_own_way_back_leads_from_question_three_to_question_two(
    browser: Browser, shared: Running, size: str
) -> None:
    walk = walk_of(browser, shared, size, dark=False)
    walk.go("/self-check")
    page = walk.page
    pass_the_gate(page)
    answer_all(page, LEG[:2])
    page.go_back()
    sees(page, 2)
    assert page.locator("input[name=answer]:checked").input_value() == LEG[1]
    page.go_back()
    sees(page, 1)
    page.go_forward()
    sees(page, 2)
    page.go_forward()
    sees(page, 3)
    page.go_back()
    sees(page, 2)
    choose(page, "effort")
    press(page, "Next")
    sees(page, 3)
    press(page, "Back")
    sees(page, 2)
    assert page.locator("input[name=answer]:checked").input_value() == "effort"
    page.context.close()
    assert walk.problems == []


@pytest.mark.browser
def test_the_way_back_from_a_screen_with_a_message_works_too(
    browser: Browser, shared: Running
) -> None:
    walk = walk_of(browser, shared, "phone", dark=False)
    walk.go("/self-check")
    page = walk.page
    pass_the_gate(page)
    send_nothing(page)
    choose(page, "desk")
    press(page, "Next")
    sees(page, 2)
    page.go_back()
    expect(page).to_have_title(re.compile("^Error: "))
    choose(page, "feet")
    press(page, "Next")
    sees(page, 2)
    page.context.close()


@pytest.mark.browser
def test_the_keyboard_alone_leads_through(browser: Browser, shared: Running) -> None:
    walk = walk_of(browser, shared, "desktop", dark=False)
    walk.go("/self-check")
    keys, page = walk.page.keyboard, walk.page
    for part in (1, 2):
        expect(page).to_have_title(f"A quick safety check, part {part} | Clinical Massage MK")
        for _ in range(3):  # skip link, name of the practice, first button
            keys.press("Tab")
        assert focused(page) == "none"
        keys.press("Enter")
    sees(page, 1)
    for _ in range(3):
        keys.press("Tab")
    keys.press("ArrowDown")
    assert page.locator("input[name=answer]:checked").input_value() == "sofa"
    keys.press("Enter")
    sees(page, 2)
    for _ in range(3):
        keys.press("Tab")
    keys.press("Space")
    keys.press("Tab")
    keys.press("Tab")
    assert page.evaluate("document.activeElement.value") == "back"
    keys.press("Enter")
    sees(page, 1)
    assert page.locator("input[name=answer]:checked").input_value() == "sofa"
    page.context.close()
    assert walk.problems == []


@pytest.mark.browser
def test_it_works_without_a_script(browser: Browser, shared: Running) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{shared.base}/")
    page.get_by_role("link", name="two-minute self-check").click()
    pass_the_gate(page)
    answer_all(page)
    page.get_by_label("Email", exact=True).fill(ADA)
    page.wait_for_timeout(MIN_FORM_SECONDS * 1000)
    press(page, "Send me the guide")
    arrives(page, "Check your inbox")
    context.close()


@pytest.mark.browser
@pytest.mark.parametrize(("width", "forced"), [(320, "none"), (390, "active"), (1280, "active")])
def test_it_fits_small_screens_and_colours_of_her_own(
    browser: Browser, shared: Running, width: int, forced: str
) -> None:
    walk = walk_of(browser, shared, "phone", dark=False)
    walk.name = f"self-check-{width}-{forced}"
    walk.page.set_viewport_size({"width": width, "height": 800})
    walk.page.emulate_media(forced_colors="active" if forced == "active" else "none")
    walk.go("/self-check")
    walk.look("gate-1")
    pass_the_gate(walk.page)
    choose(walk.page, LEG[0])
    walk.look("question-1")
    answer_all(walk.page)
    walk.look("result")
    walk.page.context.close()
    assert walk.problems == []


@pytest.mark.browser
def test_nothing_of_the_answers_is_in_an_address_or_in_what_is_printed(
    browser: Browser, shared: Running
) -> None:
    walk = walk_of(browser, shared, "desktop", dark=False)
    addresses: list[str] = []
    walk.page.on("request", lambda request: addresses.append(request.url))
    walk.go("/self-check")
    pass_the_gate(walk.page)
    answer_all(walk.page)
    pages = {httpx.URL(url).raw_path.decode() for url in addresses if "/static/" not in url}
    assert pages == {"/self-check"}
    assert walk.page.context.cookies() == []
    walk.page.context.close()
    printed = Path(shared.mailbox).parents[1] / "printed.txt"
    assert not [
        key for key in ("leg-symptoms", "both-tight", "thigh") if key in printed.read_text()
    ]
