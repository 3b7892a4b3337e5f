"""No document can make the press call out, read a file, or stay silent about a missing picture."""

import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from blueprint import render
from blueprint.editions import Edition
from blueprint.model import BlueprintInput
from blueprint.render import Printed, RenderFailed, press
from tests.blueprint.reading import Listener

Press = Callable[[str], Printed]

SHELL = '<html lang="en"><title>x</title><h1>x</h1>{}'
REFUSED = "not bundled|Failed to render SVG"  # inside a drawing the refusal arrives as a warning
CALLS = {
    "image": '<img src="{url}" alt="">',
    "stylesheet": '<link rel="stylesheet" href="{url}">',
    "import": "<style>@import url({url});</style>",
    "object": '<object data="{url}"></object>',
    "embed": '<embed src="{url}">',
    "background": '<p style="background: url({url})">x</p>',
    "picture in a drawing": '<svg width="9" height="9"><image href="{url}" width="9"/></svg>',
    "typeface": "<style>@font-face{{font-family:x;src:url({url})}}</style><p>x</p>",
    "attachment": '<link rel="attachment" href="{url}">',
    "list marker": '<ul style="list-style-image: url({url})"><li>x</li></ul>',
    "generated content": "<style>p::before{{content:url({url})}}</style><p>x</p>",
}


@pytest.fixture
def press_html(monkeypatch: pytest.MonkeyPatch, typical: BlueprintInput) -> Press:
    """The real press with another document in place of the tracker's."""

    def print_it(html: str) -> Printed:
        monkeypatch.setattr(render, "compose_tracker", lambda _guide: html)
        return press(typical, Edition.TRACKER)

    return print_it


@pytest.mark.parametrize("markup", CALLS.values(), ids=CALLS.keys())
def test_nothing_is_fetched_from_outside(
    markup: str, listener: Listener, press_html: Press
) -> None:
    with pytest.raises(RenderFailed, match=REFUSED):
        press_html(SHELL.format(markup.format(url=listener.url)))
    assert listener.hits == []


@pytest.mark.parametrize("markup", CALLS.values(), ids=CALLS.keys())
def test_no_file_of_the_machine_is_read(markup: str, tmp_path: Path, press_html: Press) -> None:
    secret = tmp_path / "secret.svg"
    secret.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    with pytest.raises(RenderFailed, match=REFUSED):
        press_html(SHELL.format(markup.format(url=secret.as_uri())))


def test_the_listener_would_have_heard_a_call(listener: Listener) -> None:
    with urllib.request.urlopen(listener.url, timeout=5) as answer:
        assert answer.status == 200
    assert listener.hits == ["/"]


@pytest.mark.parametrize(
    "address",
    [
        "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>",
        "asset:fonts/../../model.py",
        "asset:figures/handstand.svg",
        "asset:/etc/passwd",
        "figures/rest.svg",
        "ftp://127.0.0.1/x.png",
    ],
)
def test_only_exact_bundled_names_are_served(address: str, press_html: Press) -> None:
    with pytest.raises(RenderFailed, match="not bundled"):
        press_html(SHELL.format(f'<img src="{address}" alt="">'))


def test_a_bundled_picture_is_served(press_html: Press) -> None:
    page = SHELL.format('<img src="asset:figures/rest.svg" alt="At rest">')
    assert press_html(page).pages == 1


def test_a_complaint_of_the_layout_engine_is_a_failure(press_html: Press) -> None:
    with pytest.raises(RenderFailed, match="colour"):
        press_html(SHELL.format('<p style="colour: red">x</p>'))
