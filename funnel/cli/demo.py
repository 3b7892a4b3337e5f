"""`funnel demo`: the same product with invented people and a clock that runs fast."""

import json
import logging
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import click

from funnel.adapters.bells import LocalBell
from funnel.adapters.clocks import ScaledClock, SystemClock
from funnel.checks import refuse_errors
from funnel.cli.demo_fast import DESK_ADDRESS, live_until, open_desk
from funnel.cli.up import Loops, serve
from funnel.db.engine import make_engine, make_sessions
from funnel.db.migrate import upgrade
from funnel.domain.clock import ManualClock
from funnel.domain.errors import SettingInvalid
from funnel.domain.ports import MailboxReader
from funnel.domain.schedule import DEFAULT_ZONE, zone_of
from funnel.domain.simulated import Plan
from funnel.runtime import Runtime, build_runtime, prepare
from funnel.services.simulated_acts import Stage
from funnel.services.simulated_counts import DemoCounts, count, without_guide
from funnel.services.simulation import Simulation, find_plan, keep_plan, reached
from funnel.settings import Settings

DAY_SECONDS = 86_400
POLL_SECONDS = 0.25
OVERLAP = timedelta(hours=12)
DEFAULT_FOLDER = "var/demo"
DEFAULT_SEED = 112  # 400 of its people reach every step of the funnel, the last one too
OUR_FILES = ("funnel.db", "funnel.db-wal", "funnel.db-shm", "mailbox", "guides", "secret.key")


@dataclass(frozen=True)
class Choices:
    """What was asked for on the command line; None where nothing was said."""

    visitors: int | None
    days: int | None
    seed: int | None
    database: str | None
    is_fresh: bool


@click.command()
@click.option("--visitors", type=click.IntRange(1, 1_000_000), help="How many come.  [400]")
@click.option("--days", type=click.IntRange(1, 3660), help="In how many days.  [45]")
@click.option("--seed", type=int, help=f"Another seed, other people.  [{DEFAULT_SEED}]")
@click.option(
    "--speed", type=click.FloatRange(1), default=10.0, show_default=True, help="Seconds for a day."
)
@click.option("--fast", is_flag=True, help="No server: as quickly as this machine can, to the end.")
@click.option("--json", "as_json", is_flag=True, help="With --fast: print one JSON object.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help=f"Where it lives.  [{DEFAULT_FOLDER}; with --fast a folder that is gone afterwards]",
)
@click.option("--database", help="Another database than the one in the folder.")
@click.option("--fresh", "is_fresh", is_flag=True, help="Forget the demo in the folder first.")
def demo(
    speed: float, fast: bool, as_json: bool, folder: Path | None, **choices: int | str | bool | None
) -> None:
    """Show the whole funnel with invented people. Stop it at any time; it goes on from there."""
    asked = Choices(**choices)  # type: ignore[arg-type]  # click has checked each of them
    if fast:
        with _fast_folder(folder) as place:
            settings = _settings(place, asked)
            _run_fast(settings, asked, as_json=as_json, is_kept=folder is not None)
    else:
        _run_served(_settings(folder or Path(DEFAULT_FOLDER), asked), asked, speed)


@contextmanager
def _fast_folder(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        yield folder
        return
    with TemporaryDirectory(prefix="funnel-demo-") as made:
        yield Path(made)


def _settings(folder: Path, asked: Choices) -> Settings:
    """Settings of a demo: everything below one folder, and never anybody's real mail."""
    if asked.is_fresh:
        _forget(folder, asked)
    folder.mkdir(parents=True, exist_ok=True)
    place, key = folder.resolve(), _own_key(folder / "secret.key")
    settings = replace(
        Settings.from_env({**os.environ, "SECRET_KEY": key}),
        database_url=asked.database or f"sqlite:///{place}/funnel.db",
        mail_url=f"mailbox://{quote(str(place))}/mailbox",
        storage_url=f"file://{quote(str(place))}/guides",
        broker_url="",
        secret_keys=(key,),
        is_production=False,
        sending=True,
        sendgrid_public_keys=(),
        demo=True,
    )
    refuse_errors(settings)
    return settings


def _forget(folder: Path, asked: Choices) -> None:
    """Delete an earlier demo, and nothing that is not a demo's."""
    if asked.database:
        raise SettingInvalid("--fresh forgets the folder of a demo, not another database.")
    for name in OUR_FILES:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _own_key(path: Path) -> str:
    if not path.exists():
        with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
    return path.read_text(encoding="utf-8")


def _find_place(settings: Settings, asked: Choices) -> tuple[Plan, datetime]:
    """The plan of this demo and the instant it has reached; a new one begins so that it catches
    up with today on its last day."""
    upgrade(settings.database_url)
    engine = make_engine(settings.database_url)
    today = SystemClock().now().astimezone(zone_of(DEFAULT_ZONE)).date()
    with make_sessions(engine).begin() as session:
        kept = find_plan(session)
        days = asked.days or (kept.days if kept else 45)
        first_day = kept.first_day if kept else today - timedelta(days=days)
        plan = Plan(
            seed=_first(asked.seed, kept.seed if kept else DEFAULT_SEED),
            visitors=asked.visitors or (kept.visitors if kept else 400),
            days=days,
            first_day=first_day,
        )
        _refuse_other(kept, plan)
        keep_plan(session, plan)
        place = plan, reached(session, plan)
    engine.dispose()
    return place


def _first(asked: int | None, otherwise: int) -> int:
    return otherwise if asked is None else asked


def _refuse_other(kept: Plan | None, plan: Plan) -> None:
    if kept is not None and kept != plan:
        raise SettingInvalid(
            f"this folder holds another demo ({kept.visitors} visitors in {kept.days} days, "
            f"seed {kept.seed}). Go on with that one, choose another --folder, or forget it "
            "with --fresh."
        )


def simulation_of(rt: Runtime, plan: Plan, overlap: timedelta = timedelta(0)) -> Simulation:
    """The people of a plan, in this house."""
    stage = Stage(rt.links, rt.catalog.challenge, rt.keeper, next(iter(rt.catalog.offers)))
    return Simulation(rt.sessions, rt.reading, rt.clock, plan, stage, overlap)


def _run_served(settings: Settings, asked: Choices, speed: float) -> None:
    """The whole product, with a calendar that runs fast and people who live in it."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    plan, start = _find_place(settings, asked)
    bell = LocalBell()
    rt = build_runtime(settings, clock=ScaledClock.running(start, DAY_SECONDS / speed), bell=bell)
    prepare(rt)
    click.echo(
        f"\n  A demo: the people are made up, nothing is sent, and a day takes {speed:g} seconds.\n"
        f"  Its calendar stands at {start.astimezone(zone_of(DEFAULT_ZONE)):%A %d %B %Y}."
    )
    serve(rt, _loops(rt, bell, simulation_of(rt, plan, OVERLAP)))


def _loops(rt: Runtime, bell: LocalBell, simulation: Simulation) -> Loops:
    """As in `funnel up`, only looking more often, with the people beside."""
    loops = Loops(bell)

    def live() -> None:
        if simulation.round():
            bell.ring("pdf")
            bell.ring("mail")

    def rest() -> None:
        loops.stopped.wait(POLL_SECONDS)

    loops.add("people", live, rest)
    loops.add("mail", rt.worker.mail_round, lambda: bell.wait("mail", POLL_SECONDS))
    loops.add("guides", rt.worker.guide_round, lambda: bell.wait("pdf", POLL_SECONDS))
    return loops


def _run_fast(settings: Settings, asked: Choices, *, as_json: bool, is_kept: bool) -> None:
    """From where the demo is to its last midnight, jumping from event to event."""
    plan, start = _find_place(settings, asked)
    clock = ManualClock(start)
    rt = build_runtime(settings, clock=clock, bell=LocalBell())
    try:
        prepare(rt)
        password = open_desk(rt)
        if password and is_kept:
            click.echo(f"Its desk: {DESK_ADDRESS}, password {password}", err=True)
        with _progress(plan) as tell:
            live_until(plan.ends_at(), rt, clock, simulation_of(rt, plan), tell)
        with rt.reading.begin() as session:
            counts, missing = count(session, _mailbox(rt)), without_guide(session)
    finally:
        rt.close()
    _print(counts, missing, as_json=as_json)
    if counts.duplicates or counts.unknown or counts.failed or missing:
        sys.exit(1)


@contextmanager
def _progress(plan: Plan) -> Iterator[Callable[[datetime], None]]:
    """A line on the error output that tells the day of the demo."""
    with click.progressbar(length=plan.days, label=f"{plan.days} days", file=sys.stderr) as bar:

        def tell(now: datetime) -> None:
            bar.update((now - plan.starts_at()).days - bar.pos)

        yield tell


def _mailbox(rt: Runtime) -> MailboxReader:
    if rt.mailbox is None:
        raise SettingInvalid("a demo keeps its mail in a mailbox of its own.")
    return rt.mailbox


def _print(counts: DemoCounts, missing: int, *, as_json: bool) -> None:
    values = asdict(counts)
    if as_json:
        click.echo(json.dumps(values))
    else:
        for name, value in values.items():
            click.echo(f"{name:<14}{value:>8,}")
    with_guide = counts.confirmed - missing
    click.echo(f"{with_guide} of {counts.confirmed} confirmed people got the guide.", err=True)
