"""`funnel set-up`: the one-time link for the first account."""

import click

from funnel.runtime import start
from funnel.services.staff import make_setup_link
from funnel.settings import Settings


@click.command(name="set-up")
def set_up() -> None:
    """Print the link that makes the first account of the desk; it works once, for an hour."""
    rt = start(Settings.from_env())
    with rt.sessions.begin() as session:
        token = make_setup_link(session, now=rt.clock.machine())
    rt.close()
    if token is None:
        click.echo("The desk has its account. Sign in at " + rt.links.url("desk"))
    else:
        click.echo(rt.links.url("desk-setup", token=token))
