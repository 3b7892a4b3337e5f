"""`funnel retention` and `funnel rotate-keys`: what goes by itself, and sealing with a new key."""

import click

from funnel.runtime import start
from funnel.services.rights.retention import Due
from funnel.services.rights.rotation import Turned
from funnel.settings import Settings


@click.command()
def retention() -> None:
    """Show what would go now, by which rule, how much, and from when. Nothing is changed."""
    rt = start(Settings.from_env())
    with rt.reading.begin() as session:
        due = rt.rights.timers.due(session)
    rt.close()
    for each in due:
        click.echo(_say(each))
    click.echo("The worker lets it go within the hour, as templates/retention.yaml says.")


def _say(due: Due) -> str:
    oldest = f", the oldest from {due.oldest:%Y-%m-%d}" if due.oldest else ""
    return f"{due.count:>8}  {due.rule.what} (kept {due.rule.keeps}){oldest}"


@click.command(name="rotate-keys")
@click.option("--dry-run", "is_dry", is_flag=True, help="Only count.")
def rotate_keys(is_dry: bool) -> None:
    """Seal with the newest key in SECRET_KEY what an older one sealed. Safe to stop and repeat."""
    rt = start(Settings.from_env())
    turned = list(map(_tell, rt.rights.rotation.run(is_dry=is_dry)))
    rt.close()
    if any(each.locked for each in turned):
        click.echo("Some of it no key in SECRET_KEY opens. It was left as it is.")
    elif not is_dry:
        click.echo("All of it is sealed with the newest key.")


def _tell(turned: Turned) -> Turned:
    locked = f", {turned.locked} cannot be opened" if turned.locked else ""
    click.echo(f"{turned.place}: {turned.anew} anew, {turned.current} as they were{locked}")
    return turned
