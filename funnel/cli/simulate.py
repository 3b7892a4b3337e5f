"""`funnel simulate`: how much mail and how much data so many people would bring."""

import json
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from datetime import date, datetime
from multiprocessing import get_context
from pathlib import Path

import click

from funnel.adapters.clocks import SystemClock
from funnel.content.catalog import load_catalog
from funnel.content.house_rules import house as rules_of
from funnel.content.sequences import parse_sequence
from funnel.content.shipped import shipped_texts
from funnel.domain.capacity import (
    Capacity,
    backlog_of,
    busiest_day,
    class_of,
    funnel_of,
    growth_of,
    hours_of,
)
from funnel.domain.population import Tally, World, live_all
from funnel.domain.schedule import DEFAULT_ZONE, zone_of
from funnel.domain.sequence import House
from funnel.domain.simulated import Persona, Plan, Source, asks_for_guide, persona
from funnel.domain.touch import first_touch
from funnel.settings import SEND_RATES, Settings

DEFAULT_SEED = 112
USUAL_RATE = SEND_RATES["sendgrid"]
FEW = 3000  # people; below that, starting processes takes longer than it saves


@click.command()
@click.option(
    "--people",
    type=click.IntRange(1, 1_000_000),
    default=1000,
    show_default=True,
    help="How many ask for the guide.",
)
@click.option("--days", type=click.IntRange(1, 366), default=90, show_default=True)
@click.option("--seed", type=int, default=DEFAULT_SEED, show_default=True)
@click.option("--from", "begins", type=click.DateTime(["%Y-%m-%d"]), help="The first day.  [today]")
@click.option(
    "--rate",
    type=click.FloatRange(0.01, 10_000),
    help="Mails a second that may be sent.  [SEND_RATE, or the usual one]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def simulate(
    people: int,
    days: int,
    seed: int,
    begins: datetime | None,
    rate: float | None,
    as_json: bool,
) -> None:
    """Let invented people live through the sequences, to see what they ask of the installation.

    They ask for the guide over these days, at the rates of the demo: nobody's results. They decide
    and get mail by the very rules of the engine, in memory; nothing is sent and nothing kept.
    """
    clock = SystemClock()
    started = clock.boot_seconds()
    first_day = begins.date() if begins else clock.now().astimezone(zone_of(DEFAULT_ZONE)).date()
    plan = plan_for(people, days=days, seed=seed, first_day=first_day)
    tally = live_through(plan, _templates(), processes=1 if people < FEW else os.cpu_count() or 1)
    found = capacity_of(plan, tally, rate or Settings.from_env().send_rate or USUAL_RATE)
    seconds = round(clock.boot_seconds() - started, 1)
    _print(found, seconds, as_json=as_json)


def _templates() -> Path:
    return Path(os.environ.get("TEMPLATES_PATH", Settings.templates_path))


def plan_for(people: int, *, days: int, seed: int, first_day: date) -> Plan:
    """A plan with as many visitors as it takes for so many of them to ask for the guide."""
    visitors, asking = 0, 0
    while asking < people:
        visitors += 1
        asking += asks_for_guide(seed, visitors)
    return Plan(seed, visitors, days, first_day)


def live_through(plan: Plan, templates: Path, *, processes: int) -> Tally:
    """Everybody of the plan, up to its last midnight, in slices beside each other."""
    if processes == 1:
        return live_slice(plan, templates, 0, 1)
    whole = Tally()
    # Fresh processes: a copy of this one would take its locks along.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        slices = [
            pool.submit(live_slice, plan, templates, first, processes) for first in range(processes)
        ]
        for each in slices:
            whole.add(each.result())
    return whole


def live_slice(
    plan: Plan, templates: Path, first: int, step: int, house: House | None = None
) -> Tally:
    """Every `step`th visitor of the plan, under other rules than the shipped ones if given."""
    world = world_of(plan, templates)
    if house is not None:
        world = replace(world, house=house)
    return live_all(_asking(plan, first, step), world)


def world_of(plan: Plan, templates: Path) -> World:
    """The sequences and rules of a templates folder."""
    sequences = {
        text.key: parse_sequence(text.source, text.where)
        for text in shipped_texts(templates)
        if text.kind == "sequence"
    }
    rules = rules_of(load_catalog(templates).house_rules, zone=DEFAULT_ZONE, now=plan.starts_at())
    return World(sequences, rules, plan.ends_at())


def _asking(plan: Plan, first: int, step: int) -> Iterator[tuple[Persona, str]]:
    for number, arrives_at in plan.arrivals():
        if number > plan.visitors:
            return
        if number % step == first and asks_for_guide(plan.seed, number):
            found = persona(plan.seed, number, arrives_at)
            yield found, _source_of(found.source)


def _source_of(source: Source) -> str:
    return first_touch(dict(source.args), source.referrer, "", "/").source


def capacity_of(plan: Plan, tally: Tally, rate: float) -> Capacity:
    """What these lives ask of an installation that sends at this rate."""
    zone = zone_of(DEFAULT_ZONE)
    by_class: dict[str, int] = {}
    for key, count in tally.mails.items():
        by_class[class_of(key)] = by_class.get(class_of(key), 0) + count
    day, most = busiest_day(tally.at, zone)
    funnel = funnel_of(tally, plan.visitors)
    return Capacity(
        people=funnel["requested"],
        days=plan.days,
        seed=plan.seed,
        first_day=plan.first_day,
        funnel=funnel,
        mails=tally.mails.total(),
        mails_by_class={name: by_class[name] for name in sorted(by_class)},
        mails_by_key=dict(sorted(tally.mails.items())),
        busiest_day=day,
        busiest_day_mails=most,
        hours=hours_of(tally.at, plan.starts_at(), plan.days, zone),
        backlog=backlog_of(tally.at, rate),
        database=growth_of(tally.rows, plan.days, funnel["confirmed"]),
    )


def _print(found: Capacity, seconds: float, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({**asdict(found), "seconds": seconds}, default=_in_json))
        return
    for line in _lines(found):
        click.echo(line)


def _in_json(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in the answer")


def _lines(found: Capacity) -> Iterator[str]:
    hours, backlog, database = found.hours, found.backlog, found.database
    yield f"{found.people:,} people ask for the guide in {found.days} days: demo rates, no results."
    yield ""
    yield from (f"  {name:<14}{count:>12,}" for name, count in found.funnel.items())
    yield ""
    yield f"Mails           {found.mails:>12,}"
    yield from (f"  {name:<14}{count:>12,}" for name, count in found.mails_by_class.items())
    yield f"  busiest day   {found.busiest_day_mails:>12,}   {found.busiest_day}"
    yield f"  busiest hour  {hours.peak:>12,}   {hours.peak_at:%Y-%m-%d %H:%M} UTC"
    yield f"  95 % of hours {hours.p95:>12,}   or fewer"
    yield "  an hour, on average:"
    most = max(hours.by_hour_of_day)
    for hour, mails in enumerate(hours.by_hour_of_day):
        if mails:
            yield f"    {hour:02}:00 {mails:>10,.1f}  {'#' * round(40 * mails / most)}"
    yield ""
    yield f"At {backlog.rate_a_second:g} mails a second"
    yield f"  peak backlog  {backlog.peak_mails:>12,}   {backlog.peak_at:%Y-%m-%d %H:%M} UTC"
    yield f"  longest wait  {backlog.longest_wait_seconds:>12,}   seconds"
    yield ""
    yield f"Database        {database.bytes / 10**6:>12,.1f}   MB"
    yield f"  a day         {database.bytes_a_day / 10**6:>12,.2f}   MB"
    yield f"  1 GB after    {database.days_until_1_gb:>12,}   days"
    yield f"  10 GB after   {database.days_until_10_gb:>12,}   days"
    yield f"  guides, files {database.guide_files_bytes / 10**6:>12,.1f}   MB"
