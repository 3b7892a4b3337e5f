"""The whole path in a browser: a stranger becomes someone on the waiting list, seen at the desk.

Every page is checked for accessibility, for width, for foreign requests and for console errors,
and its picture is kept in var/pictures for a person to look at.
"""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request

from tests.e2e.conftest import Running
from tests.support.chromium import AXE, violations
from tests.support.visitor import MIN_FORM_SECONDS, Visitor

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "var" / "pictures"
SIZES = {"phone": (390, 844), "desktop": (1280, 900)}
PASSWORD = "four quiet herons at dusk"


@dataclass
class Walk:
    """One browser window that looks closely at every page it comes to."""

    page: Page
    base: str
    name: str
    shown: int = 0
    problems: list[str] = field(default_factory=list)

    def listen(self) -> None:
        self.page.on("console", self._hear)
        self.page.on("request", self._see)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.problems.append(f"console: {message.text}")

    def _see(self, request: Request) -> None:
        if urlsplit(request.url).netloc not in {urlsplit(self.base).netloc, ""}:
            self.problems.append(f"foreign request: {request.url}")

    def go(self, path: str) -> None:
        self.page.goto(self.base + path)

    def press(self, button: str) -> None:
        self.follow(self.page.get_by_role("button", name=button))

    def follow(self, way: Locator) -> None:
        """Take a way to another page and wait until that page, not the old one, is there."""
        with self.page.expect_navigation():
            way.first.click()

    def look(self, title: str) -> None:
        """Check the page at hand and keep its picture."""
        self.shown += 1
        too_wide = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        if too_wide > 0:
            self.problems.append(f"{title}: {too_wide} px too wide")
        self.problems += [f"{title}: {each}" for each in violations(self.page)]
        self.page.screenshot(
            path=PICTURES / f"{self.name}-{self.shown:02}-{title}.png", full_page=True
        )


def open_walk(browser: Browser, base: str, size: str, *, dark: bool) -> Walk:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        is_mobile=size == "phone",
        bypass_csp=True,  # only so that the accessibility checker can be added to the page
        accept_downloads=True,
    )
    context.add_init_script(path=AXE)
    walk = Walk(context.new_page(), base, f"{size}-{'dark' if dark else 'light'}")
    walk.listen()
    return walk


def become_a_reader(walk: Walk, visitor: Visitor, address: str) -> None:
    walk.go("/?utm_source=leaflet")
    walk.look("landing")
    walk.page.get_by_label("First name").fill("Ada")
    walk.page.get_by_label("Email", exact=True).fill("ada@example")
    walk.page.wait_for_timeout(MIN_FORM_SECONDS * 1000)
    walk.page.get_by_label("Email me the follow-up series").check()
    walk.page.evaluate("document.querySelector('form').noValidate = true")
    walk.problems.clear()
    walk.press("Send me the guide")
    # The browser itself notes the 422; what follows must be silent again.
    walk.problems = [each for each in walk.problems if "422" not in each]
    walk.look("landing-after-a-slip")
    assert walk.page.get_by_label("First name").input_value() == "Ada"
    walk.page.get_by_label("Email", exact=True).fill(address)
    walk.press("Send me the guide")
    walk.look("check-your-inbox")
    assert address in walk.page.inner_text("main")
    walk.go(visitor.wait_for_link(address, "/confirm/"))
    walk.look("confirm")
    walk.press("Yes, send my guide")
    walk.look("thank-you")


def read_the_guide(walk: Walk, visitor: Visitor, address: str) -> None:
    walk.go(visitor.wait_for_link(address, "/guide/"))
    walk.look("guide")
    with walk.page.expect_download() as waiting:
        walk.page.get_by_role("button", name="Download your guide").click()
    file = waiting.value
    assert file.suggested_filename == "pain-relief-blueprint.pdf"
    assert Path(file.path()).read_bytes().startswith(b"%PDF")


def join_the_challenge(walk: Walk, visitor: Visitor, address: str) -> None:
    walk.go(visitor.wait_for_link(address, "/guide/"))
    walk.follow(walk.page.get_by_role("link", name="challenge"))
    walk.look("challenge-invitation")
    walk.press("Join the challenge")
    walk.look("challenge")
    walk.go(visitor.wait_for_link(address, "/challenge/"))
    walk.look("day-one")
    walk.press("Mark as done")
    walk.look("day-one-done")


def join_the_waiting_list(walk: Walk) -> None:
    token = urlsplit(walk.page.url).path.split("/")[2]
    walk.go(f"/programme/{token}")
    walk.look("programme")
    walk.press("Join the waiting list")
    walk.look("programme-joined")


def look_from_the_desk(walk: Walk, running: Running) -> None:
    walk.go(running.set_up_path)
    walk.look("set-up")
    walk.page.get_by_label("Your name").fill("Dr Reyes")
    walk.page.get_by_label("Email").fill("reyes@example.org")
    walk.page.get_by_label("Password", exact=True).fill(PASSWORD)
    walk.press("Open the desk")
    walk.go("/desk/")
    walk.look("desk-overview")
    walk.go("/desk/people")
    walk.look("desk-people")
    walk.follow(walk.page.get_by_role("link", name="Ada"))
    walk.look("desk-person")
    told = walk.page.inner_text("main")
    for words in ("challenge", "waiting list", "leaflet"):
        assert words in told.lower(), f"{words!r} is not on the person's page"
    walk.press("Mark as paid")
    walk.look("desk-person-paid")
    walk.go("/desk/challenge")
    walk.look("desk-challenge")
    walk.go("/desk/programme")
    walk.look("desk-programme")
    walk.go("/desk/delivery")
    walk.look("desk-delivery")


@pytest.mark.browser
@pytest.mark.parametrize(("size", "dark"), [("phone", False), ("desktop", True)])
def test_a_stranger_reaches_the_waiting_list_and_the_therapist_sees_it(
    browser: Browser, running: Running, size: str, dark: bool
) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    visitor = Visitor(running.base, running.mailbox)
    walk = open_walk(browser, running.base, size, dark=dark)
    address = "ada@example.org"
    become_a_reader(walk, visitor, address)
    read_the_guide(walk, visitor, address)
    join_the_challenge(walk, visitor, address)
    join_the_waiting_list(walk)
    look_from_the_desk(walk, running)
    visitor.close()
    walk.page.context.close()
    assert walk.problems == []


@pytest.mark.browser
def test_the_small_pages_look_right(browser: Browser, running: Running) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    walk = open_walk(browser, running.base, "phone", dark=True)
    for path, title in [
        ("/privacy", "privacy"),
        ("/safety", "safety"),
        ("/challenge", "challenge-open"),
        ("/mailbox", "mailbox"),
        ("/desk/", "sign-in"),
    ]:
        walk.go(path)
        walk.look(title)
    walk.page.context.close()
    assert walk.problems == []
