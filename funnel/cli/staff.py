"""`funnel staff`: what only whoever looks after the server may do for an account of the desk."""

import click

from funnel.runtime import start
from funnel.services import accounts, second_factor
from funnel.settings import Settings


@click.group()
def staff() -> None:
    """Help somebody who cannot sign in to the desk any more."""


@staff.command(name="reset-second-factor")
@click.argument("email")
def reset_second_factor(email: str) -> None:
    """Take the second step of EMAIL away: the phone is lost, and so are the recovery codes.

    They are signed out everywhere, and set up a new phone after their password.
    """
    rt = start(Settings.from_env())
    try:
        with rt.sessions.begin() as session:
            second_factor.reset(session, email, now=rt.clock.machine())
    finally:
        rt.close()
    click.echo("Done. After the password, a new phone can be set up; in production it has to be.")


@staff.command(name="set-password")
@click.argument("email")
@click.password_option(help="Better not said: you are asked for it.")
def set_password(email: str, password: str) -> None:
    """Give EMAIL a new password, because the old one is forgotten. They are signed out everywhere.

    The second step stays as it is.
    """
    rt = start(Settings.from_env())
    try:
        hashed = accounts.hash_of_new(password, (email, rt.catalog.brand.trading_name))
        with rt.sessions.begin() as session:
            accounts.set_password(session, email, hashed, now=rt.clock.machine())
    finally:
        rt.close()
    click.echo("Done. The new password works at once.")
