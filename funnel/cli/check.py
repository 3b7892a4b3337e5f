"""`funnel check`: numbered findings about settings and words, each with its mend."""

import sys
from pathlib import Path

import click

from funnel.content.catalog import load_catalog
from funnel.content.lint import lint_all
from funnel.domain.errors import ContentInvalid
from funnel.settings import Finding, Settings

# Without these no marketing mail may lawfully leave.
NEEDED_TO_SEND = frozenset({"from_address", "postal_address"})


@click.command()
def check() -> None:
    """Name every problem and everything only you can fill in. Fails when there is an error."""
    settings = Settings.from_env()
    findings = findings_of(settings)
    for finding in findings:
        click.echo(str(finding))
    if any(finding.is_error for finding in findings):
        sys.exit(1)
    click.echo(f"No errors. {len(findings)} thing{'' if len(findings) == 1 else 's'} left to do.")


def findings_of(settings: Settings) -> tuple[Finding, ...]:
    """All findings of an installation: settings first, then words, then what is missing."""
    return settings.check() + _words(settings) + _missing(settings)


def _words(settings: Settings) -> tuple[Finding, ...]:
    problems = lint_all(Path(settings.templates_path))
    return tuple(Finding("W01", problem, "") for problem in problems)


def _missing(settings: Settings) -> tuple[Finding, ...]:
    try:
        catalog = load_catalog(Path(settings.templates_path))
    except ContentInvalid:
        return ()
    missing = [
        Finding(
            "B01",
            f"{name} in templates/brand.yaml is not filled in.",
            "Only you can give it.",
            is_error=settings.is_production and name in NEEDED_TO_SEND,
        )
        for name in catalog.brand.missing()
    ]
    if catalog.safety.reviewed_on is None:
        missing.append(
            Finding(
                "B02",
                "Nobody has reviewed the safety text.",
                "Read templates/safety.yaml, then fill in reviewed_on and reviewed_by.",
                is_error=False,
            )
        )
    return tuple(missing)
