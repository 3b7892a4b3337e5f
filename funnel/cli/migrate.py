"""`funnel migrate`: the schema and the shipped texts."""

import click

from funnel.runtime import prepare, start
from funnel.settings import Settings


@click.command()
def migrate() -> None:
    """Bring the database to the newest schema and publish new shipped texts."""
    rt = start(Settings.from_env())
    prepare(rt)
    rt.close()
    click.echo("The database is up to date.")
