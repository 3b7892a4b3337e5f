"""Debian's Chromium, driven by the tests, and the accessibility checker in its pages."""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Letters are drawn the same whatever the machine's own settings for fonts and colours.
_STEADY_FLAGS = ["--font-render-hinting=none", "--disable-lcd-text", "--force-color-profile=srgb"]


_running: list[Browser] = []


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """The browser of this process; a clear sentence when it is not installed.

    Its driver can be started once in a thread, so whoever asks while one runs shares it.
    """
    if _running:
        yield _running[0]
        return
    chromium = shutil.which("chromium")
    assert chromium, "The tests need Chromium. Run `make test`, which installs it."
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium, args=[*_FLAGS, *_STEADY_FLAGS]
        )
        _running.append(started)
        try:
            yield started
        finally:
            _running.remove(started)
            started.close()


def violations(
    page: Page, tags: Sequence[str] = (*WCAG, "best-practice"), also: Sequence[str] = ()
) -> list[str]:
    """What the accessibility checker says of a page into whose context AXE was put: by the rules
    of these tags, and a few more."""
    rules = {"runOnly": list(tags), "rules": {rule: {"enabled": True} for rule in also}}
    found = page.evaluate(f"axe.run({json.dumps(rules)})")
    return [
        f"{each['id']}: {[node['target'] for node in each['nodes']]}"
        for each in found["violations"]
    ]
