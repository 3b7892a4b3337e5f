"""The report of a rehearsal: a folder of plain files that opens in any browser, offline."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

import funnel
from funnel.cli.rehearsal_pages import (
    calendar,
    clock_words,
    days_of_timeline,
    fates_by_sequence,
    links_in,
    moment,
)
from funnel.domain.errors import SettingInvalid
from funnel.domain.rehearsal import KeptMail, Lived

FONTS = ("fraunces.woff2", "source-sans-3.woff2", "fraunces-OFL.txt", "source-sans-3-OFL.txt")
MARK = '<meta name="generator" content="funnel rehearse">'
OURS = ("mails", "guide", "look", "index.html")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}")
_ID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")


def write_report(lived: Lived, out: Path, templates: Path) -> Path:
    """Write the whole report; returns its first page. The same rehearsal gives the same files.

    Raises SettingInvalid for a folder that holds anything but an earlier report.
    """
    _make_room(out)
    mails = tuple(_settled(lived.mails))
    environment = _environment(templates)
    _copy_look(out / "look", templates)
    for guide in lived.guides:
        _write(out / "guide" / f"{guide.edition}.pdf", guide.content)
    for mail in mails:
        _write_mail(out / "mails", lived, mail, mails, environment)
    index = out / "index.html"
    page = environment.get_template("index.html").render(
        lived=lived,
        mails=mails,
        months=calendar(lived),
        timeline=days_of_timeline(lived),
        fates=fates_by_sequence(lived),
        clock_changes=clock_words(lived),
        depth="",
    )
    index.write_text(page, encoding="utf-8")
    return index


def _make_room(out: Path) -> None:
    """Remove an earlier report, and nothing that is not a report's."""
    if out.exists() and any(out.iterdir()) and not _is_report(out / "index.html"):
        raise SettingInvalid(f"the folder {out.name} holds other things: choose an empty one.")
    for name in OURS:
        path = out / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    out.mkdir(parents=True, exist_ok=True)


def _is_report(index: Path) -> bool:
    return index.is_file() and MARK in index.read_text(encoding="utf-8")


def _environment(templates: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(templates),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["moment"] = moment
    return environment


def _copy_look(look: Path, templates: Path) -> None:
    look.mkdir()
    fonts = Path(funnel.__file__).parent / "web" / "static" / "fonts"
    for name in FONTS:
        shutil.copyfile(fonts / name, look / name)
    shutil.copyfile(templates / "report.css", look / "report.css")


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)


def _write_mail(
    folder: Path,
    lived: Lived,
    mail: KeptMail,
    mails: tuple[KeptMail, ...],
    environment: Environment,
) -> None:
    _write(folder / f"{mail.number:02}-as-it-came.html", mail.html.encode())
    page = environment.get_template("mail.html").render(
        lived=lived,
        mail=mail,
        before=mails[mail.number - 2] if mail.number > 1 else None,
        following=mails[mail.number] if mail.number < len(mails) else None,
        links=links_in(mail.html),
        depth="../",
    )
    _write(folder / f"{mail.number:02}.html", page.encode())


def _settled(mails: tuple[KeptMail, ...]) -> Iterator[KeptMail]:
    """The mails with names in place of random handles, so that two reports can be compared."""
    named: dict[str, str] = {}

    def name(found: re.Match[str]) -> str:
        return named.setdefault(found[0].replace("-", ""), f"sample-{len(named) + 1}")

    def settle(text: str) -> str:
        return _ID.sub(name, _TOKEN.sub(name, text))

    for mail in mails:
        headers = tuple((key, settle(value)) for key, value in mail.headers)
        yield replace(mail, html=settle(mail.html), text=settle(mail.text), headers=headers)
