"""What is looked at before anything is sent: the database, the clocks, complaints, a backlog."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session, sessionmaker

from funnel.domain.clock import Clock
from funnel.domain.flow import RESERVE, Limits
from funnel.services import brake, catch_up, control, proof
from funnel.services.lineage import NOT_LOOKED_YET, LineageWatch
from funnel.services.rights.golive import GoLive
from funnel.services.skew import ClockWatch
from funnel.services.throttle import peek_flow, provider_waits

LOOK_EVERY = timedelta(seconds=5)
BRAKE_EVERY = timedelta(minutes=1)
ANSWERED = GoLive(is_answered=True)


@dataclass(frozen=True)
class Watch:
    """Keeps the sender from harm. Safe to run in every process that sends, at every tick."""

    sessions: sessionmaker[Session]
    clock: Clock
    limits: Limits
    lineage: LineageWatch | None
    clocks: ClockWatch
    golive: GoLive = ANSWERED
    must_be_proved: bool = False
    setup: str = ""  # the mark of what must be proved

    def look(self) -> None:
        """One round, before the first mail of a tick is claimed, and now and then in a long one.

        A process that just started looks at its database whoever looked last: it may be another.
        With a wrong clock nothing more is looked at.
        """
        self.clocks.look()
        if self.clocks.is_off:
            return
        takes_turn = self._takes("watch", LOOK_EVERY)
        if self.lineage and (takes_turn or self.lineage.gate.is_closed_for(NOT_LOOKED_YET)):
            self.lineage.look()
        if takes_turn:
            self._count_tick()
        if self._takes("brake", BRAKE_EVERY):
            with self.sessions.begin() as session:
                brake.watch(session, now=self.clock.now())
                self.golive.watch(session)
                proof.require(session, is_required=self.must_be_proved, setup=self.setup)

    def rate_pause(self) -> float | None:
        """Seconds until SEND_RATE lets the next series mail go; None when that is not what it
        waits for, or none does.
        """
        if self.limits.per_second is None:
            return None
        machine = self.clock.machine()
        with self.sessions.begin() as session:
            flow = peek_flow(session, self.limits, machine)
            state = control.sending_state(session)
            is_held = state.holds_series or provider_waits(state, machine)
            is_slow = is_held or control.read_breaker(session).is_open or flow.catch_up
            waits = catch_up.is_series_due(session, self.clock.now())
        if is_slow or not waits or flow.bucket is None or flow.is_day_full(self.limits):
            return None
        return flow.bucket.ready_in(machine, 1 + flow.bucket.capacity * RESERVE)

    def _count_tick(self) -> None:
        """Note that work goes on; after a long sleep of the machine, begin to catch up."""
        now, machine = self.clock.now(), self.clock.machine()
        with self.sessions.begin() as session:
            has_slept = control.record_tick(session, now=machine)
            if self.limits.catches_up:
                if has_slept:
                    catch_up.begin(session, self.limits, now=now, machine=machine)
                catch_up.watch(session, self.limits, now=now, machine=machine)

    def _takes(self, name: str, every: timedelta) -> bool:
        with self.sessions.begin() as session:
            return control.take_slot(session, name, every=every, now=self.clock.machine())
