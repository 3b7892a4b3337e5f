"""`funnel events`: what the provider told, and what of it could not be understood."""

import click

from funnel.runtime import start
from funnel.services import quarantine
from funnel.settings import Settings


@click.command()
@click.option("--quarantined", "lists", is_flag=True, help="List the events put aside.")
@click.option("--replay", is_flag=True, help="Have the events put aside handled once more.")
def events(lists: bool, replay: bool) -> None:
    """Count the provider's events: those that wait, and those that were put aside."""
    rt = start(Settings.from_env())
    try:
        with rt.sessions.begin() as session:
            again = quarantine.replay(session) if replay else None
            shown = quarantine.quarantined(session) if lists else []
            counts = quarantine.counts(session)
        if again is not None:
            rt.bell.ring("mail")
            click.echo(f"{again:,} put back to be handled.")
    finally:
        rt.close()
    for event in shown:
        when = f"{event.received_at:%Y-%m-%d %H:%M}"
        click.echo(f"{when}  {event.kind:<13} {event.problem:<20} {event.id}")
    click.echo(f"{counts.waiting:,} wait to be handled, {counts.put_aside:,} are put aside.")
