"""The `funnel` command."""

import sys

import click

from funnel.cli.check import check
from funnel.cli.content import content
from funnel.cli.demo import demo
from funnel.cli.doctor import doctor
from funnel.cli.events import events
from funnel.cli.migrate import migrate
from funnel.cli.rehearse import rehearse
from funnel.cli.rights import retention, rotate_keys
from funnel.cli.sending import resume, stop
from funnel.cli.set_up import set_up
from funnel.cli.simulate import simulate
from funnel.cli.staff import staff
from funnel.cli.up import up
from funnel.domain.errors import FunnelError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """A self-hosted email funnel: guide, sequences, challenge and desk."""


for command in (
    up,
    demo,
    rehearse,
    simulate,
    migrate,
    content,
    set_up,
    staff,
    stop,
    resume,
    retention,
    rotate_keys,
    check,
    doctor,
    events,
):
    cli.add_command(command)


def main() -> None:
    """Run the command; an expected error is one sentence, never a trace."""
    try:
        cli()
    except FunnelError as error:
        click.echo(f"funnel: {error}", err=True)
        sys.exit(2)
