"""The report: one page that asks nothing of anybody, with every mail and what every gate said."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from funnel.content.catalog import Catalog
from tests.mails import approved, report
from tests.mails.browser import VIEWS, Look
from tests.mails.caniemail import EXCUSED
from tests.mails.gates import Judged, judge
from tests.mails.post import every_mail
from tests.mails.spam import Score

MAILS = every_mail()[:3]
Report = Callable[[list[Judged]], str]


def as_approved(key: str) -> Look:
    """What a browser would have seen of an approved mail."""
    pictures = {}
    for view in VIEWS:
        with Image.open(approved.path_of(key, view)) as kept:
            pictures[view] = kept.convert("RGB").resize((kept.width * 2, kept.height * 2), 0)
    return Look(pictures)


@pytest.fixture(scope="module")
def green(catalog: Catalog) -> list[Judged]:
    return [judge(mail, catalog, Score(0.0, ()), as_approved(mail.key)) for mail in MAILS]


@pytest.fixture(scope="module")
def red(green: list[Judged], catalog: Catalog) -> list[Judged]:
    """The same, but one mail is spam, unreadable to some, and not as approved."""
    spam = Score(7.8, ("MONEY_BACK 2.9", "DEAR_FRIEND 2.7"))
    other = Look(as_approved(MAILS[1].key).pictures, ["375-light: color-contrast: <a & b>"])
    return [judge(replace(MAILS[0]), catalog, spam, other), *green[1:]]


@pytest.fixture
def page(tmp_path: Path) -> Report:
    def written(judged: list[Judged]) -> str:
        report.write(judged, tmp_path / "new" / "index.html")
        return (tmp_path / "new" / "index.html").read_text("utf-8")

    return written


def test_good_mails_are_all_green(green: list[Judged], page: Report) -> None:
    told = report.totals(green)
    assert (told["mails"], told["green"], told["red"], told["wrong"]) == (3, 3, 0, [])
    text = page(green)
    assert "<title>3 of 3 mails are green</title>" in text
    assert "✗" not in text
    assert text.count("✓ good") == 3 * len(green[0].verdicts)


def test_a_mail_that_fails_is_red_with_its_reasons(red: list[Judged], page: Report) -> None:
    told = report.totals(red)
    assert (told["green"], told["red"], told["highest_spam"]) == (2, 1, 7.8)
    assert told["wrong"] == ["Access", "Pictures", "Spam"]
    text = page(red)
    for reason in (
        "MONEY_BACK 2.9",
        "375-light: color-contrast: &lt;a &amp; b&gt;",
        "375-light: it looks different; make approve, if better",
    ):
        assert f"<li>{reason}</li>" in text
    assert text.count("✗ not yet") == 3


def test_every_mail_is_shown_whole(green: list[Judged], page: Report) -> None:
    text = page(green)
    for each in green:
        assert f'id="{each.mail.key}"' in text
        assert each.mail.arrived.text.strip().splitlines()[-1] in text
        assert f"Message-ID: &lt;{each.mail.email.message_id}@" in text
    assert text.count('<img src="data:image/png;base64,') == 3 * len(VIEWS)
    assert text.count('alt="The mail in a window') == 3 * len(VIEWS)
    assert all(feature in text and excuse.why in text for feature, excuse in EXCUSED.items())


def test_the_page_asks_nothing_of_anybody(green: list[Judged], page: Report) -> None:
    text = page(green)
    assert re.search(r"<script|<link|<iframe|url\(|@import", text) is None
    assert set(re.findall(r'\b(?:src|href)="([a-z]*)[:#]', text)) == {"data", ""}


@pytest.mark.parametrize(("which", "code"), [("green", 0), ("red", 1)])
def test_the_command_fails_where_any_mail_is_red(
    which: str,
    code: int,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    judged: list[Judged] = request.getfixturevalue(which)
    assert report.publish(judged, tmp_path / "index.html") == code
    place, line = capsys.readouterr().out.splitlines()
    assert place == str(tmp_path / "index.html")
    assert f'"mails": 3, "green": {3 - code}, "red": {code}' in line
