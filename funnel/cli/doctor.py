"""`funnel doctor`: one question for the health checks of the parts that serve no page."""

import sys

import click
from sqlalchemy.exc import SQLAlchemyError

from funnel.db.engine import make_engine, make_readers
from funnel.services.health import is_alive
from funnel.settings import Settings


@click.command()
def doctor() -> None:
    """Ask whether the database answers. Fails in one sentence when it does not."""
    engine = make_engine(Settings.from_env().database_url)
    try:
        with make_readers(engine).begin() as session:
            is_alive(session)
    except SQLAlchemyError:
        click.echo("funnel: the database does not answer.", err=True)
        sys.exit(1)
    finally:
        engine.dispose()
    click.echo("The database answers.")
