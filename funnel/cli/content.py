"""`funnel content`: the texts that go out, their versions, and publishing new ones."""

import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click

from funnel.content.shipped import Kind, ShippedText, texts_at
from funnel.domain.errors import NotFound
from funnel.runtime import Runtime, start
from funnel.services.impact import Impact
from funnel.services.publishing import NewText
from funnel.services.versions import Version, all_texts, history, version
from funnel.settings import Settings

WHERE = click.argument("place", type=click.Path(exists=True, path_type=Path))
FORM = "%d %b %Y %H:%M"


@click.group()
def content() -> None:
    """The mails and sequences that are live: look at them, and publish new versions."""


@contextmanager
def _house() -> Iterator[Runtime]:
    rt = start(Settings.from_env())
    try:
        yield rt
    finally:
        rt.close()


@content.command("list")
def list_texts() -> None:
    """Every text with its newest version."""
    with _house() as rt, rt.reading.begin() as session:
        for row in all_texts(session):
            click.echo(f"{row.kind:<9} {row.key:<28} {_line(row)}")


@content.command()
@click.argument("key")
@click.option("--version", "number", type=int, help="An older one than the newest.")
def show(key: str, number: int | None) -> None:
    """Print the text of KEY, as "nurture" or "nurture/one-technique"."""
    with _house() as rt, rt.reading.begin() as session:
        click.echo(version(session, _kind(key), key, number).source, nl=False)


@content.command("history")
@click.argument("key")
def show_history(key: str) -> None:
    """Every version of KEY, the newest first."""
    with _house() as rt, rt.reading.begin() as session:
        rows = history(session, _kind(key), key)
    if not rows:
        raise NotFound(f"there is no text “{key}”. See `funnel content list`.")
    for row in rows:
        click.echo(_line(row))


@content.command()
@WHERE
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def preview(place: Path, as_json: bool) -> None:
    """Tell what publishing this file or folder would change, and change nothing."""
    with _house() as rt, rt.reading.begin() as session:
        told = rt.editor.preview(session, texts_at(place), now=rt.clock.now())
    if as_json:
        click.echo(json.dumps(asdict(told), ensure_ascii=False))
    else:
        _tell(told)


@content.command()
@WHERE
@click.option(
    "--include-past",
    "past",
    multiple=True,
    metavar="KEY",
    help="Send this new step to those who are past it too. KEY is sequence/step, as the preview "
    "names it; the step alone will do where one sequence is published. May be given again.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def publish(place: Path, past: tuple[str, ...], yes: bool) -> None:
    """Publish this file or folder as one: all of it or nothing."""
    with _house() as rt:
        _publish(rt, texts_at(place), past, is_sure=yes)


@content.command()
@click.argument("key")
@click.argument("number", type=int)
@click.option("--yes", is_flag=True, help="Do not ask.")
def back(key: str, number: int, yes: bool) -> None:
    """Publish version NUMBER of KEY again, as the newest one."""
    with _house() as rt:
        with rt.reading.begin() as session:
            old = version(session, _kind(key), key, number)
        text = ShippedText(_kind(key), key, old.source, f"{key} version {number}")
        _publish(rt, (text,), (), is_sure=yes)


def _publish(
    rt: Runtime, wanted: tuple[ShippedText, ...], past: tuple[str, ...], *, is_sure: bool
) -> None:
    with rt.reading.begin() as session:
        told = rt.editor.preview(session, wanted, now=rt.clock.now())
        numbers = {(row.kind, row.key): row.number for row in all_texts(session)}
    _tell(told)
    if not is_sure:
        click.confirm("Publish?", abort=True)
    # What was looked at is what is published: somebody else's newer version is not run over.
    new = [NewText(text, numbers.get((text.kind, text.key), 0)) for text in wanted]
    with rt.sessions.begin() as session:
        done = rt.editor.publish(
            session,
            new,
            by=getpass.getuser(),
            origin="cli",
            include_past=_mail_keys(past, wanted),
            now=rt.clock.now(),
        )
    rt.bell.ring("mail")
    for kind, key, number in done.made:
        click.echo(f"Published {kind} {key}, version {number}.")
    for key, many in done.owed.items():
        click.echo(f"{key} goes to {many:,} who were past it.")
    if not done.made:
        click.echo("Nothing to publish: these are the newest versions already.")


def _mail_keys(past: tuple[str, ...], wanted: tuple[ShippedText, ...]) -> list[str]:
    """The mail keys of steps, some of them named without the one sequence that is published."""
    sequences = [text.key for text in wanted if text.kind == "sequence"]
    only = f"{sequences[0]}/" if len(sequences) == 1 else ""
    return [key if "/" in key else only + key for key in past]


def _tell(told: Impact) -> None:
    for sentence in told.sentences or ("It would change nothing for anybody.",):
        click.echo(f"  {sentence}")
    for choice in told.choices:
        click.echo(f"  --include-past {choice.key}: “{choice.title}” to {choice.many:,} past it.")


def _line(row: Version) -> str:
    who = f" by {row.by}" if row.by else ""
    return f"version {row.number:<3} {row.created_at:{FORM}} UTC, {row.origin}{who}"


def _kind(key: str) -> Kind:
    return "mail" if "/" in key else "sequence"
