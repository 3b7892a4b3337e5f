"""Every mail can be shown by the clients that we promise, and the lint finds what cannot."""

from fnmatch import fnmatch

import pytest

from tests.mails import caniemail
from tests.mails.caniemail import EXCUSED, is_excused, lacking
from tests.mails.caniemail_data import CLIENTS, cut_down, support
from tests.mails.css_features import in_selectors
from tests.mails.html_features import WORD, features_of
from tests.mails.post import Mail, every_mail

POOR = """<!doctype html><html lang="en-GB"><head><title>Poor</title><style>
.a{display:grid;position:absolute;gap:2rem}
</style></head><body><video src="https://practice.example/move.mp4"></video>
<img alt="" src="https://practice.example/move.svg"><svg></svg></body></html>"""


@pytest.mark.parametrize("mail", every_mail(), ids=lambda mail: mail.key)
def test_every_client_can_show_it(mail: Mail) -> None:
    assert caniemail.problems(mail.arrived.html) == ()


def test_a_poor_mail_is_caught_with_its_features_and_clients() -> None:
    told = "\n".join(caniemail.problems(POOR))
    for feature in ("css-display-grid", "css-position", "css-gap", "css-unit-rem", "html-video"):
        assert f"{feature} is lacking in " in told
    assert "html-svg is lacking in gmail/android" in told
    assert "image-svg is lacking in gmail/desktop-webmail" in told
    assert "image-mp4 is lacking in" in told


@pytest.mark.parametrize(
    ("html", "told"),
    [
        ('<p style="display:flex">', "css-display-flex"),
        ('<p style="margin-inline:1px">', "css-margin-inline-block"),
        ('<p style="color:var(--ink)">', "css-variables"),
        ('<p style="width:calc(1px + 1em)">', "css-unit-calc"),
        ('<p style="color:light-dark(#000,#fff)">', "css-function-light-dark"),
        ('<p style="background:linear-gradient(red,blue)">', "css-linear-gradient"),
        ('<p style="background:url(data:image/png;base64,x)">', "image-base64"),
        ("<p style=\"background-image:url('a.webp')\">", "image-webp"),
        ("<style>@import 'x.css';</style>", "css-at-import"),
        ("<style>@font-face{font-family:x}</style>", "css-at-font-face"),
        ("<style>@media (hover){p{color:red}}</style>", "css-at-media-hover"),
        ("<style>p{color:red;&:hover{color:blue}}</style>", "css-nesting"),
        ("<style>p::before{content:'x'}</style>", "css-pseudo-element-before"),
        ("<style>p:has(a){color:red}</style>", "css-pseudo-class-has"),
        ('<img alt="" srcset="a.png 2x" src="a.png">', "html-srcset"),
        ('<form><input type="checkbox"></form>', "html-form"),
        ('<table background="a.avif">', "image-avif"),
        ("<!--[if mso]><p style='border-radius:1em;display:flex'><![endif]-->", WORD),
        ("<marquee-like>", "html-marquee-like is not in the data"),
        ("<p frobnicate=1>", "html-frobnicate is not in the data"),
        ('<p style="frobnicate:1">', "css-frobnicate is not in the data"),
        ('<p style="width:1foo">', "css-unit-foo is not in the data"),
        ('<p style="} broken">', "broken CSS"),
        ("<body><style>p{color:red}</style>", "a style sheet in the body"),
    ],
)
def test_each_kind_of_feature_is_seen(html: str, told: str) -> None:
    assert told in "\n".join(caniemail.problems(html))


def test_what_a_client_never_reads_cannot_hurt_it() -> None:
    inline = lacking('<p style="opacity:0">')["css-opacity"]
    in_a_sheet = lacking("<style>p{opacity:0}</style>")["css-opacity"]
    assert inline - in_a_sheet == {"gmail/mobile-webmail"}


def test_what_is_written_for_word_alone_is_held_to_word_alone() -> None:
    for_word = features_of("<!--[if mso | IE]><td style='width:9px'><![endif]-->")
    (width,) = [shown for shown in for_word if shown.feature == "css-width"]
    assert width.clients == (WORD,)
    assert "html-table" in {shown.feature for shown in for_word}


@pytest.mark.parametrize(
    ("selectors", "expected"),
    [
        ("p", {"type"}),
        (".a", {"class"}),
        ("#a", {"id"}),
        ("*", {"universal"}),
        ("[href]", {"attribute"}),
        ("a, b", {"type", "grouping"}),
        ("a b", {"type", "descendant"}),
        ("a > b", {"type", "child"}),
        ("a+b~ c", {"type", "adjacent-sibling", "general-sibling"}),
        (".a.b", {"class", "chaining"}),
        ("p.a", {"type", "class"}),
    ],
)
def test_selectors_are_told_apart(selectors: str, expected: set[str]) -> None:
    assert set(in_selectors(selectors)) == {f"css-selector-{name}" for name in expected}


def test_every_excuse_is_still_needed() -> None:
    lacked = [lacking(mail.arrived.html) for mail in every_mail()]
    for feature, excuse in EXCUSED.items():
        clients = frozenset().union(*(each.get(feature, frozenset()) for each in lacked))
        idle = [each for each in excuse.clients if not any(fnmatch(c, each) for c in clients)]
        assert not idle, f"{feature}: {idle} can show it, or no mail uses it"


def test_an_excuse_is_for_the_clients_it_names() -> None:
    assert is_excused("css-border-radius", "outlook/windows")
    assert not is_excused("css-border-radius", "gmail/ios")


def test_the_newest_of_a_clients_tests_counts() -> None:
    stats = {"gmail": {"ios": {"2019-02": "n", "2022-02": "y #1"}}}
    marks = cut_down([{"slug": "x", "stats": stats}])["x"]
    assert dict(zip(CLIENTS, marks, strict=True))["gmail/ios"] == "y"
    assert set(marks) == {"y", "u"}


def test_the_data_is_whole() -> None:
    assert len(support()) > 300
    assert {len(marks) for marks in support().values()} == {len(CLIENTS)}
