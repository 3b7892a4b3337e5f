"""Every mail still looks as it did when somebody said yes, and can be read by everybody."""

import re

import pytest
from PIL import Image, ImageDraw

from tests.mails import approved
from tests.mails.browser import VIEWS, Look, View, look_at
from tests.mails.post import every_mail

LONGEST = "nurture/two-paths"
DESKTOP = View(600, False)
PAPER = "#fffdf9"
POOR = """<!doctype html><html><head></head><body style="margin:0"><h3></h3>
<p style="color:#bbbbbb;background:#ffffff">Hard to see</p><img src="https://evil.example/p.gif">
<div style="width:900px">Too wide</div></body></html>"""


def without_a_sheet(html: str) -> str:
    """The mail as in a program that reads no style sheet, and has margins of its own."""
    bare = re.sub(r"<style.*?</style>", "", html, flags=re.DOTALL)
    return bare.replace('<body style="', '<body style="margin:0;', 1)


@pytest.mark.browser
def test_every_mail_looks_as_approved_and_is_for_everybody_and_a_poor_one_is_caught() -> None:
    mails = {mail.key: mail.arrived.html for mail in every_mail()}
    bare = without_a_sheet(mails[LONGEST])
    looks = look_at({**mails, "poor": POOR, "bare": bare})
    assert {key: looks[key].problems for key in mails if looks[key].problems} == {}
    assert [each for key in mails for each in approved.problems(key, looks[key])] == []
    _is_caught("\n".join(looks["poor"].problems))
    _needs_no_sheet(looks[LONGEST], looks["bare"])


def _is_caught(told: str) -> None:
    for problem in (
        "html-has-lang", "document-title", "color-contrast", "image-alt", "empty-heading",
        "page-has-heading-one", "pixels too wide", "asks for https://evil.example/p.gif",
    ):  # fmt: skip
        assert problem in told


def _needs_no_sheet(whole: Look, bare: Look) -> None:
    """What a mail needs is in its tags, for some programs read no sheet."""
    pictures = [approved.small(look.pictures[DESKTOP]).convert("RGB") for look in (whole, bare)]
    assert not approved.is_changed(*pictures)


def a_picture() -> Image.Image:
    """Of something like a long mail: lines of words, and one button."""
    picture = Image.new("RGB", (188, 900), PAPER)
    draw = ImageDraw.Draw(picture)
    for line in range(20, 880, 12):
        draw.rectangle((11, line, 175, line + 3), fill="#17323a")
    draw.rectangle((11, 500, 100, 526), fill="#2f6f73")
    return picture


def test_a_mail_that_changed_would_be_noticed() -> None:
    was = a_picture()
    assert not approved.is_changed(was, was.copy())
    moved = Image.new("RGB", was.size, PAPER)
    moved.paste(was, (3, 0))
    red, without = was.copy(), was.copy()
    ImageDraw.Draw(red).rectangle((11, 500, 100, 526), fill="#9b2c1f")
    ImageDraw.Draw(without).rectangle((11, 500, 100, 526), fill=PAPER)
    shorter = was.crop((0, 0, was.width, was.height - 9))
    assert all(approved.is_changed(was, each) for each in (moved, red, without, shorter))


def test_a_mail_that_nobody_approved_is_named() -> None:
    look = Look(dict.fromkeys(VIEWS, a_picture()))
    assert approved.problems("nurture/new", look) == [
        f"{view}: nobody approved it yet: look at it, then make approve" for view in VIEWS
    ]


def test_every_approved_picture_is_of_a_mail_we_ship() -> None:
    ours = {approved.path_of(mail.key, view) for mail in every_mail() for view in VIEWS}
    assert set(approved.APPROVED.rglob("*.png")) == ours
    assert sum(path.stat().st_size for path in ours) < 2_000_000
