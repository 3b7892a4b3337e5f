"""`funnel rehearse`: the right local hour over every clock change, and a report without a gap."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from filecmp import dircmp
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from funnel.cli.rehearse import Asked, live, rehearse
from funnel.domain.errors import SettingInvalid
from funnel.domain.rehearsal import Kind, Lived

TEMPLATES = Path("templates").resolve()
HOURS = {"nurture": time(8, 10), "challenge": time(7, 30), "programme": time(8, 10)}
DAY = timedelta(days=1)


def _lived(who: str, begins_on: date, days: int, script: Path | None = None) -> Lived:
    asked = Asked(who, begins_on, days, script, TEMPLATES, is_published=False, has_guide=False)
    return live(asked)


def _came(lived: Lived) -> dict[str, datetime]:
    """When each mail came, in her own time."""
    zone = ZoneInfo(lived.zone)
    return {mail.key: mail.at.astimezone(zone) for mail in lived.mails}


def _held_days(lived: Lived) -> set[date]:
    """The days to which a mail was moved because one before it was a day off."""
    zone = ZoneInfo(lived.zone)
    held = (each for each in lived.entries if each.until and each.why.startswith("Held"))
    return {each.until.astimezone(zone).date() for each in held if each.until}


@pytest.mark.parametrize(
    ("who", "begins_on", "changes_on"),
    [
        ("ada", date(2027, 3, 20), date(2027, 3, 28)),
        ("ada", date(2027, 10, 23), date(2027, 10, 31)),
        ("grace", date(2027, 3, 5), date(2027, 3, 14)),
        ("grace", date(2027, 10, 27), date(2027, 11, 7)),
        ("rose", date(2027, 3, 25), date(2027, 4, 4)),
        ("rose", date(2027, 9, 24), date(2027, 10, 3)),
    ],
)
def test_every_mail_comes_at_its_own_local_hour_over_the_clock_change(
    who: str, begins_on: date, changes_on: date
) -> None:
    lived = _lived(who, begins_on, 30)
    zone = ZoneInfo(lived.zone)
    came = _came(lived)
    assert len(came) == 17
    assert _offset(changes_on, zone) != _offset(changes_on + DAY, zone)
    assert min(came.values()).date() < changes_on < max(came.values()).date()
    off_hour = {
        key: at
        for key, at in came.items()
        if key.partition("/")[0] in HOURS
        and key != "challenge/day-1"
        and at.time() != HOURS[key.partition("/")[0]]
    }
    # A mail that a bank holiday held comes when the practice is back, inside the reader's hours.
    assert {at.date() for at in off_hour.values()} <= _held_days(lived)
    assert all(time(8) <= at.time() < time(20) for at in off_hour.values())
    assert len(off_hour) <= 1


def _offset(day: date, zone: ZoneInfo) -> timedelta | None:
    return datetime.combine(day, time(0), zone).utcoffset()


def test_each_mail_is_told_with_its_reason_and_so_is_each_that_did_not_come() -> None:
    lived = _lived("ada", date(2027, 6, 1), 60)
    told = {entry.mail for entry in lived.entries if entry.kind is Kind.MAIL}
    assert told == {mail.number for mail in lived.mails}
    assert all(entry.why for entry in lived.entries if entry.kind is not Kind.START)
    told_why = " ".join(entry.why for entry in lived.entries)
    assert "not due before" not in told_why
    assert "service/" not in told_why
    assert "after she joins the waiting list" in told_why
    assert all(fate.why or fate.mail for fate in lived.fates)
    assert [(fate.subject, fate.why) for fate in lived.fates if not fate.mail] == [
        (
            "Two weeks on: three things to notice",
            "They joined the challenge, so these mails stop.",
        ),
        ("Three good ways to go on", "They joined the waiting list, so these mails stop."),
    ]
    assert lived.undone == ()


def test_somebody_who_leaves_gets_nothing_more_and_the_rest_of_the_script_is_told(
    tmp_path: Path,
) -> None:
    script = tmp_path / "clicks.yaml"
    script.write_text(
        "- on: 2027-06-04 19:00\n  do: unsubscribe\n- after_mail: nurture/wake-up\n  do: join\n"
    )
    lived = _lived("grace", date(2027, 6, 1), 30, script)
    assert list(_came(lived)) == [
        "service/confirm",
        "service/guide_ready",
        "nurture/one-technique",
        "nurture/why-hips",
    ]
    assert lived.undone == (
        "Joins the challenge: the mail nurture/wake-up did not come, or the weeks ended before.",
    )


def test_somebody_who_is_paused_keeps_the_place_and_goes_on_from_it(tmp_path: Path) -> None:
    script = tmp_path / "clicks.yaml"
    script.write_text(
        "- on: 2027-06-03 12:00\n  do: pause\n- after: pause\n  wait: 5 days\n  do: resume\n"
    )
    series = [
        (key, at.day) for key, at in _came(_lived("grace", date(2027, 6, 1), 10, script)).items()
    ]
    assert series[2:] == [
        ("nurture/one-technique", 2),
        ("nurture/why-hips", 8),  # due since the fourth: it goes as soon as it may
        ("nurture/desk-reset", 10),
    ]


def test_somebody_who_never_confirms_gets_one_mail(tmp_path: Path) -> None:
    script = tmp_path / "clicks.yaml"
    script.write_text("- do: leave-unconfirmed\n")
    assert list(_came(_lived("ben", date(2027, 6, 1), 20, script))) == ["service/confirm"]


class _Reader(HTMLParser):
    """Collects what a page leads to, and the places in it that can be led to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.leads: list[str] = []
        self.places: set[str] = set()
        self.feed(page)

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.leads += [url for name in ("href", "src") if (url := found.get(name))]
        if place := found.get("id"):
            self.places.add(place)


def _pages(report: Path) -> dict[Path, _Reader]:
    own = [path for path in report.rglob("*.html") if not path.name.endswith("as-it-came.html")]
    return {path.resolve(): _Reader(path.read_text(encoding="utf-8")) for path in own}


def _broken(pages: dict[Path, _Reader]) -> Iterator[str]:
    for page, reader in pages.items():
        for url in reader.leads:
            parts = urlsplit(url)
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            is_there = not parts.scheme and target.is_file()
            if not is_there or (parts.fragment and parts.fragment not in pages[target].places):
                yield f"{page.name}: {url}"


def _run(out: Path, *more: str) -> str:
    asked = ("--as", "ada", "--from", "2027-06-01", "--days", "8", "--out", str(out))
    result = CliRunner().invoke(rehearse, [*asked, *more], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_the_report_holds_everything_it_links_to_and_the_same_each_time(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    printed = _run(one)
    assert printed.startswith("Ada got 6 mails in 8 days, from Tue 01 Jun 2027 18:30 to Tue 08 Jun")
    assert str(one / "index.html") in printed
    pages = _pages(one)
    assert len(pages) == 1 + 6
    index = (one / "index.html").read_text(encoding="utf-8")
    assert '> <span class="entry__until">' in index
    assert '><span class="entry__' not in index, "words of two parts never run together"
    assert not list(_broken(pages))
    led_to = {
        (page.parent / urlsplit(url).path).resolve()
        for page, reader in pages.items()
        for url in reader.leads
    }
    files = {path.resolve() for path in one.rglob("*") if path.is_file()}
    unlinked = {path.name for path in files - led_to}
    assert unlinked == {
        "fraunces.woff2",
        "fraunces-OFL.txt",
        "source-sans-3.woff2",
        "source-sans-3-OFL.txt",
    }
    assert (one / "guide" / "guide.pdf").read_bytes().startswith(b"%PDF-")
    _run(two)
    assert _differences(dircmp(one, two)) == []
    _run(two, "--no-guide")  # over its own earlier report
    assert not (two / "guide").exists()


def _differences(compared: "dircmp[str]") -> list[str]:
    here = [*compared.left_only, *compared.right_only, *compared.diff_files]
    return here + [each for sub in compared.subdirs.values() for each in _differences(sub)]


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("mine")
    with pytest.raises(SettingInvalid, match="holds other things"):
        _run(tmp_path, "--no-guide")
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]


def test_words_and_times_of_another_folder_are_lived(tmp_path: Path) -> None:
    texts = tmp_path / "texts"
    _copy_templates(texts)
    sequence = texts / "sequences" / "nurture" / "sequence.yaml"
    sequence.write_text(sequence.read_text().replace("08:10", "09:45"))
    _run(tmp_path / "report", "--texts", str(texts), "--no-guide")
    page = (tmp_path / "report" / "index.html").read_text()
    assert "Wed 2 June, 09:45" in page
    assert not (tmp_path / "report" / "guide").exists()


def _copy_templates(texts: Path) -> None:
    for path in TEMPLATES.rglob("*"):
        if path.is_file() and "web" not in path.relative_to(TEMPLATES).parts:
            copy = texts / path.relative_to(TEMPLATES)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())


def test_the_published_words_are_lived_without_touching_the_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/none.db")
    monkeypatch.setenv("SECRET_KEY", "a key of more than thirty-two characters")
    monkeypatch.setenv("MAIL_URL", f"mailbox://{tmp_path}/mailbox")
    with pytest.raises(SettingInvalid, match="published words cannot be read"):
        _run(tmp_path / "report", "--published")
