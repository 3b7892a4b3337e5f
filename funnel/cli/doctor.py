"""`funnel doctor`: whether mail in your name will be believed, with each record to paste."""

import sys
from textwrap import fill
from typing import TYPE_CHECKING

import click
from sqlalchemy.exc import SQLAlchemyError

from funnel.domain.deliverability import Finding, Light, Report
from funnel.settings import Settings

if TYPE_CHECKING:
    from funnel.services.proof import Proof

WIDTH = 90
INDENT = " " * 9
_COLOUR = {Light.GREEN: "green", Light.AMBER: "yellow", Light.RED: "red", Light.UNKNOWN: "cyan"}


@click.command()
@click.option("--alive", is_flag=True, help="Ask only whether the database answers.")
@click.option(
    "--send-anyway",
    metavar="SENTENCE",
    help='Let series mail go in spite of all: "I understand that my mail may not arrive".',
)
@click.option("--wait-again", is_flag=True, help="Take that back.")
def doctor(alive: bool, send_anyway: str | None, wait_again: bool) -> None:
    """Look at SPF, DKIM, DMARC, the provider's account, the webhook and the clock.

    In production series mail waits while anything is red. Fails then, and names each record to put
    into the DNS.
    """
    if alive:
        _ask_whether_alive()
        return
    try:
        is_clear = _examine(send_anyway, wait_again=wait_again)
    except SQLAlchemyError:
        click.echo("funnel: the database does not answer, or needs `funnel migrate`.", err=True)
        sys.exit(1)
    if not is_clear:
        sys.exit(1)


def _ask_whether_alive() -> None:
    """One question, for the health checks of the parts that serve no page."""
    from funnel.db.engine import make_engine, make_readers
    from funnel.services.health import is_alive

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


def _examine(sentence: str | None, *, wait_again: bool) -> bool:
    """Look, keep what was found, and say it; True when nothing is in the way."""
    from funnel.cli.sending import who
    from funnel.runtime import start
    from funnel.services import proof, staff

    rt = start(Settings.from_env())
    try:
        if not rt.doctor.has_anything_to_look_at:
            click.echo("Mail stays on this machine (mailbox://), so there is nothing to look at.")
            return True
        with rt.sessions.begin() as session:
            mark = rt.doctor.setup.mark
            proof.require(session, is_required=rt.settings.must_be_proved, setup=mark)
        report = rt.doctor.look()
        click.echo(describe(report))
        now = rt.clock.machine()
        with rt.sessions.begin() as session:
            if sentence is not None:
                proof.send_anyway(session, sentence, by=who(), now=now)
                staff.note(session, None, "let series mail go anyway", who(), now=now)
            elif wait_again:
                proof.hold_again(session)
                staff.note(session, None, "let series mail wait again", who(), now=now)
            known = proof.proof(session)
        rt.bell.ring("mail")
        click.echo(_verdict(known))
        return known.why_held is None and not report.in_the_way
    finally:
        rt.close()


def _verdict(known: "Proof") -> str:
    """What follows for series mail, in a sentence."""
    if known.why_held is not None:
        return f"\nSeries mail waits. {known.why_held}"
    if known.is_overridden:
        return f"\nSeries mail goes anyway: {known.by} said so."
    if not known.is_required:
        return "\nNothing is held back outside production."
    return "\nSeries mail may go."


def describe(report: Report) -> str:
    """The whole report, the worst first."""
    return "\n\n".join(_finding(each) for each in report.worst_first)


def _finding(finding: Finding) -> str:
    light = click.style(finding.light.upper().ljust(len(INDENT)), fg=_COLOUR[finding.light])
    lines = [light + click.style(finding.title, bold=True), _paragraph(finding.say)]
    if finding.why:
        lines.append(_paragraph(finding.why))
    for record in finding.records:
        lines += [
            f"{INDENT}Put into your DNS:",
            f"{INDENT}  type   {record.kind}",
            f"{INDENT}  name   {record.name}",
            f"{INDENT}  value  {record.value}",
        ]
    return "\n".join(lines)


def _paragraph(text: str) -> str:
    return fill(
        text,
        WIDTH,
        initial_indent=INDENT,
        subsequent_indent=INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )
