"""How mails look in a browser: their pictures, and what the accessibility checker says of them."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO

from PIL import Image
from playwright.sync_api import Browser, Page

from tests.support.chromium import AXE, WCAG, running_chromium, violations
from tests.support.repo import ROOT

# A mail has no landmarks of a page; what it has of other good practice is asked for by name.
ALSO = ("heading-order", "page-has-heading-one", "empty-heading", "presentation-role-conflict")
# Short, so that a picture is as tall as its mail.
WINDOW_HEIGHT = 200
_FONTS = ROOT / "funnel" / "web" / "static" / "fonts"
# The faces that the mails ask for first, drawn with ours: every machine has the same letters.
_STAND_INS = {
    "-apple-system": "source-sans-3.woff2",
    "Georgia": "fraunces.woff2",
}


@dataclass(frozen=True)
class View:
    """A reader's window: its width in pixels, and whether they like it dark."""

    width: int
    is_dark: bool

    def __str__(self) -> str:
        return f"{self.width}-{'dark' if self.is_dark else 'light'}"


VIEWS = tuple(View(width, is_dark) for width in (375, 600) for is_dark in (False, True))
# Colours differ between light and dark, and nothing that is checked between widths.
CHECKED = VIEWS[:2]


@dataclass(frozen=True)
class Look:
    """What was seen of one mail."""

    pictures: dict[View, Image.Image] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def look_at(mails: Mapping[str, str]) -> dict[str, Look]:
    """Look at every mail, given as HTML by its name, in every window; one browser for all."""
    looks = {name: Look() for name in mails}
    with running_chromium() as browser:
        for view in VIEWS:
            page = _open_window(browser, view)
            asked = _listen(page)
            for name, html in mails.items():
                asked.clear()
                _show(page, html)
                looks[name].problems.extend(f"{view}: {each}" for each in _told(page, view, asked))
                looks[name].pictures[view] = _picture(page)
            page.context.close()
    return looks


def _open_window(browser: Browser, view: View) -> Page:
    context = browser.new_context(
        viewport={"width": view.width, "height": WINDOW_HEIGHT},
        color_scheme="dark" if view.is_dark else "light",
        offline=True,
    )
    context.add_init_script(path=AXE)
    return context.new_page()


def _listen(page: Page) -> list[str]:
    """Every address that the page asks for, from now on."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    return asked


def _show(page: Page, html: str) -> None:
    page.set_content(html.replace("</head>", f"<style>{_faces()}</style></head>", 1))
    page.evaluate("document.fonts.ready.then(() => null)")


def _told(page: Page, view: View, asked: list[str]) -> list[str]:
    outside = [f"asks for {url}" for url in asked if not url.startswith("data:")]
    checked = violations(page, WCAG, ALSO) if view in CHECKED else []
    return [*outside, *_too_wide(page), *checked]


def _picture(page: Page) -> Image.Image:
    return Image.open(BytesIO(page.screenshot(full_page=True))).convert("RGB")


def _too_wide(page: Page) -> list[str]:
    over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return [f"{over} pixels too wide"] if over > 0 else []


@cache
def _faces() -> str:
    return "".join(
        f'@font-face{{font-family:"{name}";font-weight:200 900;src:url(data:font/woff2;base64,'
        f"{base64.b64encode((_FONTS / file).read_bytes()).decode()})}}"
        for name, file in _STAND_INS.items()
    )
