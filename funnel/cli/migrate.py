"""`funnel migrate`: the schema and the shipped texts."""

import click

from funnel.runtime import prepare, start
from funnel.services.publishing import Shipping
from funnel.settings import Settings


@click.command()
def migrate() -> None:
    """Bring the database to the newest schema and publish new shipped texts."""
    rt = start(Settings.from_env())
    try:
        shipping = prepare(rt)
    finally:
        rt.close()
    _tell(shipping)
    click.echo("The database is up to date.")


def _tell(shipping: Shipping) -> None:
    for kind, key, number in shipping.made:
        click.echo(f"Published {kind} {key}, version {number}.")
    for text in shipping.left:
        click.echo(
            f"Left alone: {text.where} is changed, but {text.kind} {text.key} was published by "
            "hand since."
        )
    if shipping.left:
        click.echo("To publish such a file all the same: funnel content publish FILE")
