"""`funnel check`: numbered findings about settings and words, each with its mend."""

import sys

import click

from funnel.checks import findings_of
from funnel.settings import Settings


@click.command()
def check() -> None:
    """Name every problem and everything only you can fill in. Fails when there is an error."""
    findings = findings_of(Settings.from_env())
    for finding in findings:
        click.echo(str(finding))
    if any(finding.is_error for finding in findings):
        sys.exit(1)
    click.echo(f"No errors. {len(findings)} thing{'' if len(findings) == 1 else 's'} left to do.")
