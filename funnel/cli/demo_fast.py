"""A demo without a server: a clock that jumps from one event to the next."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from funnel.domain.clock import ManualClock
from funnel.runtime import Runtime
from funnel.services import staff
from funnel.services.simulation import Simulation, next_work_at
from funnel.services.work import drain

GRID = timedelta(minutes=10)
DESK_ADDRESS = "desk@example.org"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def open_desk(rt: Runtime) -> str | None:
    """Make the account that marks what was paid for; its password, or None when there is one."""
    now, password = rt.clock.machine(), secrets.token_urlsafe(16)
    account = staff.new_account(name="Demo", email=DESK_ADDRESS, password=password)
    with rt.sessions.begin() as session:
        token = staff.make_setup_link(session, now=now)
        if token is None:
            return None
        entered = staff.set_up(session, token, account, now=now)
        staff.sign_out(session, entered.token, now=now)
    return password


def live_until(
    end: datetime,
    rt: Runtime,
    clock: ManualClock,
    simulation: Simulation,
    tell: Callable[[datetime], None],
) -> None:
    """Let people and work go on to `end`, where everything due is settled; `tell` hears the time.

    What falls into the same ten minutes is done together.
    """
    while True:
        simulation.round()
        _work(rt)
        tell(clock.now())
        if clock.now() >= end:
            return
        clock.move_to(min(_next_instant(rt, simulation), end))


def _work(rt: Runtime) -> None:
    """What the workers do in the other modes, where there is anything to do."""
    if _work_at(rt) <= rt.clock.now():
        drain(rt.worker.printer.make_next)
        rt.worker.mail_round()


def _work_at(rt: Runtime) -> datetime:
    with rt.reading.begin() as session:
        return next_work_at(session) or datetime.max.replace(tzinfo=UTC)


def _next_instant(rt: Runtime, simulation: Simulation) -> datetime:
    """The next ten minutes that hold an event; always later than now."""
    simulation.look()
    soonest = min(simulation.next_at(), _work_at(rt))
    return max(_EPOCH + -((_EPOCH - soonest) // GRID) * GRID, rt.clock.now() + GRID)
