"""`funnel rehearse`: one invented person's weeks in seconds, as a report to look through."""

import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID
from zoneinfo import ZoneInfo

import click
from sqlalchemy.exc import SQLAlchemyError

from funnel.adapters.bells import LocalBell
from funnel.adapters.keeping import BlankPress, KeepingMailer, Kept
from funnel.cli.demo_fast import open_desk
from funnel.cli.rehearsal_report import write_report
from funnel.content.house_rules import house
from funnel.content.rehearsal import load_sample, load_script, sample_names, usual_script
from funnel.content.shipped import shipped_texts
from funnel.db.migrate import upgrade
from funnel.domain.clock import ManualClock
from funnel.domain.errors import SettingInvalid
from funnel.domain.rehearsal import Cue, KeptMail, Lived, Sample
from funnel.domain.schedule import DEFAULT_ZONE, zone_of
from funnel.runtime import Runtime, build_runtime
from funnel.services.house_rules import absences
from funnel.services.rehearsal import Rehearsal
from funnel.services.rehearsal_log import Log, fates
from funnel.services.rehearsal_words import Published, published, take_over
from funnel.services.simulated_acts import Stage
from funnel.settings import Settings

SHIPPED = Path(Settings.templates_path)
SITE = "https://your-site.example"


@dataclass(frozen=True)
class Asked:
    """What was asked for on the command line."""

    who: str
    begins_on: date
    days: int
    script: Path | None
    texts: Path
    is_published: bool
    has_guide: bool


@click.command()
@click.option(
    "--as",
    "who",
    default="ada",
    show_default=True,
    help=f"Who it is: {', '.join(sample_names(SHIPPED))}.",
)
@click.option(
    "--from", "begins", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Her first day."
)
@click.option("--days", type=click.IntRange(1, 400), default=60, show_default=True)
@click.option(
    "--script",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A file that says what she does and when.  [she does the usual]",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The folder of the report.",
)
@click.option(
    "--texts",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Another templates folder, to try words and times before they are published.",
)
@click.option(
    "--published", is_flag=True, help="The words and times that this installation has published."
)
@click.option("--no-guide", is_flag=True, help="Quicker: do not print the guide.")
def rehearse(
    who: str,
    begins: datetime,
    days: int,
    script: Path | None,
    out: Path,
    texts: Path | None,
    published: bool,
    no_guide: bool,
) -> None:
    """Live one invented person's weeks with the real engine. Nothing is sent to anybody."""
    if texts is not None and published:
        raise SettingInvalid("choose one: --texts for a folder, or --published.")
    folder = (texts or SHIPPED).resolve()
    asked = Asked(who, begins.date(), days, script, folder, published, not no_guide)
    lived = live(asked)
    index = write_report(lived, out, SHIPPED / "rehearsal")
    click.echo(_summary(lived, index))


def live(asked: Asked) -> Lived:
    """The rehearsal, in a database of its own that is gone afterwards."""
    words = _published() if asked.is_published else Published(shipped_texts(asked.texts), {})
    with TemporaryDirectory(prefix="funnel-rehearsal-") as made:
        mailer = KeepingMailer()
        rt = build_runtime(
            _settings(Path(made), asked.texts),
            clock=ManualClock(datetime.combine(asked.begins_on, time(0), UTC) - timedelta(days=2)),
            bell=LocalBell(),
            mailer=mailer,
            press=None if asked.has_guide else BlankPress(),
        )
        try:
            return _live(rt, asked, words, mailer)
        finally:
            rt.close()


def _settings(folder: Path, texts: Path) -> Settings:
    return Settings(
        database_url=f"sqlite:///{folder}/funnel.db",
        mail_url=f"mailbox://{folder}/mailbox",
        storage_url=f"file://{folder}/guides",
        secret_keys=(secrets.token_urlsafe(48),),
        base_url=SITE,
        templates_path=str(texts),
    )


def _published() -> Published:
    """The newest words of this installation; raises SettingInvalid where there are none."""
    rt = build_runtime(Settings.from_env(), bell=LocalBell())
    try:
        with rt.reading.begin() as session:
            found = published(session)
    except SQLAlchemyError as error:
        raise SettingInvalid("the database with the published words cannot be read.") from error
    finally:
        rt.close()
    if not found.texts:
        raise SettingInvalid("nothing is published yet: run `funnel migrate` first.")
    return found


def _live(rt: Runtime, asked: Asked, words: Published, mailer: KeepingMailer) -> Lived:
    upgrade(rt.settings.database_url)
    with rt.sessions.begin() as session:
        take_over(session, words, rt.catalog, now=rt.clock.now())
    open_desk(rt)
    sample = load_sample(SHIPPED, asked.who, rt.catalog.self_check)
    rehearsal = _rehearsal(rt, sample, _cues(asked, words))
    ends_at = rehearsal.live(asked.begins_on, asked.days)
    with rt.reading.begin() as session:
        found = fates(session, rehearsal.log, sample.email)
    return Lived(
        sample=sample,
        zone=zone_of(sample.time_zone).key,
        begins_on=asked.begins_on,
        days=asked.days,
        ends_at=ends_at,
        words=_words(asked),
        mails=_kept(mailer.kept, rehearsal.log),
        entries=tuple(rehearsal.log.entries),
        fates=found,
        undone=rehearsal.undone(),
        guides=rehearsal.guide_copies(rt.shelf) if asked.has_guide else (),
        closed=_closed(rt, asked),
    )


def _cues(asked: Asked, words: Published) -> tuple[Cue, ...]:
    mails = {text.key for text in words.texts if text.kind == "mail"}
    if asked.script is None:
        return usual_script(SHIPPED, mails)
    return load_script(asked.script, mails)


def _rehearsal(rt: Runtime, sample: Sample, cues: tuple[Cue, ...]) -> Rehearsal:
    if not isinstance(rt.clock, ManualClock):
        raise TypeError("a rehearsal moves its own clock")
    stage = Stage(rt.links, rt.catalog.challenge, rt.keeper, next(iter(rt.catalog.offers)))
    return Rehearsal(rt.sessions, rt.clock, rt.worker, stage, sample, cues, Log(rt.sequences))


def _words(asked: Asked) -> str:
    if asked.is_published:
        return "the published words"
    return "the shipped words" if asked.texts == SHIPPED.resolve() else asked.texts.name


def _closed(rt: Runtime, asked: Asked) -> dict[date, str]:
    """The practice's days off, in words."""
    with rt.reading.begin() as session:
        away = absences(session)
    begins = datetime.combine(asked.begins_on, time(12), UTC)
    rules = house(rt.catalog.house_rules, zone=DEFAULT_ZONE, now=begins)
    days = [asked.begins_on + timedelta(days=passed) for passed in range(asked.days)]
    off = {day for day in days for each in away if each.first <= day <= each.last}
    return dict.fromkeys(rules.closed, "Bank holiday") | dict.fromkeys(off, "The practice is away")


def _kept(kept: list[Kept], log: Log) -> tuple[KeptMail, ...]:
    by_id: dict[UUID, Kept] = {each.email.message_id: each for each in kept}
    return tuple(
        KeptMail(
            number=number,
            at=at,
            key=key,
            subject=by_id[message].email.subject,
            html=by_id[message].email.html,
            text=by_id[message].email.text,
            headers=by_id[message].headers,
        )
        for number, (message, (key, at)) in enumerate(log.mails.items(), 1)
    )


def _summary(lived: Lived, index: Path) -> str:
    zone = ZoneInfo(lived.zone)
    name = lived.sample.name or lived.sample.key
    if not lived.mails:
        return f"{name} got no mail in {lived.days} days. The report: {index}"
    first, last = (mail.at.astimezone(zone) for mail in (lived.mails[0], lived.mails[-1]))
    count = len(lived.mails)
    return (
        f"{name} got {count} mail{'' if count == 1 else 's'} in {lived.days} days, "
        f"from {first:%a %d %b %Y %H:%M} to {last:%a %d %b %Y %H:%M} ({lived.zone}). "
        f"The report: {index}"
    )
