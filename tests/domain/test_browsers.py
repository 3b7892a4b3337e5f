"""A browser's name in plain words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel.domain.browsers import UNKNOWN, browser_name

MOZILLA = "Mozilla/5.0"
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0"
SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6"


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (f"{MOZILLA} (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36", "Chrome on Windows"),
        (f"{MOZILLA} (Windows NT 10.0) {CHROME} Safari/537.36 Edg/129.0", "Edge on Windows"),
        (
            f"{MOZILLA} (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0",
            "Firefox on Linux",
        ),
        (f"{MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) {SAFARI} Safari/605", "Safari on a Mac"),
        (f"{MOZILLA} (iPhone; CPU iPhone OS 17_6) {SAFARI} Mobile Safari", "Safari on an iPhone"),
        (f"{MOZILLA} (iPhone; CPU iPhone OS 17_6) CriOS/129 Mobile Safari", "Chrome on an iPhone"),
        (f"{MOZILLA} (Linux; Android 14; SM-S911B) {CHROME} Mobile Safari", "Chrome on Android"),
        ("python-httpx/0.28", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_browsers_are_called_as_their_owners_call_them(agent: str, name: str) -> None:
    assert browser_name(agent) == name


@given(st.text())
def test_nothing_that_a_browser_says_of_itself_is_repeated(agent: str) -> None:
    said = browser_name(f"<b>{agent}</b> Firefox\r\n")
    assert said.startswith("Firefox")
    assert said.isprintable()
    assert "<" not in said
