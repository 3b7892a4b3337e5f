"""`funnel stop` and `funnel resume`: the sender's switches, for a terminal."""

import getpass

import click

from funnel.runtime import Runtime, start
from funnel.services import brake, control, recovery, stopping
from funnel.services.control import StopMode
from funnel.settings import Settings


@click.command()
@click.option("--series", "is_series", is_flag=True, help="Only the series: confirm mails go on.")
def stop(is_series: bool) -> None:
    """Stop all mail at once. Everybody keeps their place."""
    rt = start(Settings.from_env())
    mode = StopMode.SERIES if is_series else StopMode.ALL
    with rt.sessions.begin() as session:
        control.pause_sending(session, by=who(), now=rt.clock.now(), mode=mode)
        waiting = stopping.waiting(session, now=rt.clock.now())
    rt.close()
    click.echo(f"{'Series mail' if is_series else 'All mail'} is stopped. {waiting.say}")


@click.command()
@click.option(
    "--due",
    type=click.Choice([due.value for due in recovery.Due]),
    help="After a restore: what fell due since the backup is passed over, or sent.",
)
def resume(due: str | None) -> None:
    """Let mail go again: after a stop, after too many complaints, after a restored backup."""
    rt = start(Settings.from_env())
    try:
        click.echo(_resume(rt, recovery.Due(due) if due else None))
    finally:
        rt.close()


def _resume(rt: Runtime, due: recovery.Due | None) -> str:
    with rt.sessions.begin() as session:
        state = control.sending_state(session)
        if state.restored and due is None:
            raise click.UsageError(f"{state.restored} Say --due skip or --due send.")
        control.resume_sending(session)
        if state.braked:
            brake.let_go(session, now=rt.clock.now())
        found = None
        if due is not None:
            found = recovery.decide(
                session, due, engine=rt.sequences, replay=rt.rights.replay, now=rt.clock.now()
            )
    rt.bell.ring("mail")
    waits = " ".join(why for why in (state.unanswered, state.unproved) if why)
    still = f" Series mail still waits: {waits}" if waits else ""
    if found is None:
        return f"Mail goes again.{still}"
    went = f"{found.places} places go on, {found.passed} mails were passed over."
    return f"Mail goes again. {went}{still}\n{found.replayed.say}"


def who() -> str:
    """Who acts, as the desk shows it."""
    return f"{getpass.getuser()}, at the command line"
