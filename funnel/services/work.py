"""The rounds of work, each one step that says whether it found anything to do."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from threading import Event, Thread

from sqlalchemy.orm import Session, sessionmaker

from funnel.domain.clock import Clock
from funnel.domain.ports import Bell
from funnel.links import Links
from funnel.services import control, limits, mail_events, reminding, self_check
from funnel.services.advancing import SequenceEngine
from funnel.services.doubt import Sweeper
from funnel.services.errands import Errand, Errands
from funnel.services.printing import Printer
from funnel.services.rights.outside import OutsideErasure, pending
from funnel.services.rights.retention import Timers
from funnel.services.sending import Sender
from funnel.services.watch import LOOK_EVERY, Watch

log = logging.getLogger(__name__)

MAX_ROUNDS = 1000
SWEEP_EVERY = timedelta(seconds=5)
TIDY_EVERY = timedelta(hours=1)
FORGET_EVERY = timedelta(minutes=10)
REMIND_EVERY = timedelta(minutes=10)
ERASE_EVERY = timedelta(minutes=1)
ERRANDS_EVERY = timedelta(seconds=10)


def in_a_thread(errand: Errand) -> None:
    """Start it beside the mail; it ends with the process."""
    Thread(target=run_guarded, args=(errand,), name="errand", daemon=True).start()


@dataclass(frozen=True)
class Worker:
    """All background work. Every method may run at once with itself, here and elsewhere."""

    sessions: sessionmaker[Session]
    clock: Clock
    links: Links
    sender: Sender
    sweeper: Sweeper
    printer: Printer
    bell: Bell
    sequences: SequenceEngine
    watch: Watch
    timers: Timers
    outside: OutsideErasure
    remind_after: timedelta | None = None  # nobody is reminded to confirm
    errands: Errands | None = None
    aside: Callable[[Errand], None] = in_a_thread
    linger_seconds: float = 4.0
    stopping: Event = field(default_factory=Event)

    def mail_round(self) -> None:
        """The periodic jobs, then mail until nothing is due or the worker is to stop.

        A worker whose clock is wrong does none of it: its times would be wrong in every row.
        """
        run_guarded(self.tick)
        while self._drain():
            run_guarded(self.watch.look)
        self._linger()

    def _drain(self) -> bool:
        """Mail until nothing is due; True when it is time to look at clock and database first."""
        end = self.clock.boot_seconds() + LOOK_EVERY.total_seconds()
        done = drain(lambda: self.clock.boot_seconds() < end and self.work_mail(), self.stopping)
        return 0 < done < MAX_ROUNDS and self.clock.boot_seconds() >= end

    def _linger(self) -> None:
        """Go on at the rate's own pace for a while: a whole rest would use a part of it only."""
        waited = 0.0
        while (pause := self.watch.rate_pause()) and waited < self.linger_seconds:
            if self.stopping.wait(pause):
                return
            waited += pause
            self._drain()

    def guide_round(self) -> None:
        """Make every guide that is wanted; each one made has a mail to send."""
        run_guarded(self.watch.clocks.look)
        if not self.watch.clocks.is_off and drain(self.printer.make_next, self.stopping):
            self.bell.ring("mail")

    def work_mail(self) -> bool:
        """One round of everything but guides; True while there is more to do.

        Each part is guarded for itself: a bad event must not hold up a confirm mail.
        """
        if self.watch.clocks.is_off:
            return False
        parts = (self._handle_events, self._advance, self.sender.send_batch)
        found = [run_guarded(part) for part in parts]
        return any(found)

    def _handle_events(self) -> int:
        with self.sessions.begin() as session:
            return mail_events.handle_events(session, links=self.links, clock=self.clock)

    def _advance(self) -> int:
        with self.sessions.begin() as session:
            return self.sequences.advance_due(session, now=self.clock.now())

    def tick(self) -> None:
        """The periodic jobs; whoever takes a slot first does it, and twice is harmless.

        Each is guarded for itself: one that fails keeps no other from its turn.
        """
        self.watch.look()
        if self.watch.clocks.is_off:
            return
        for name, every, job in self._jobs():
            run_guarded(partial(self._take_turn, name, every, job))

    def _jobs(self) -> tuple[tuple[str, timedelta, Errand], ...]:
        return (
            ("sweep", SWEEP_EVERY, self.sweeper.sweep),
            ("tidy", TIDY_EVERY, self._tidy),
            ("remind", REMIND_EVERY, self._remind),
            ("errands", ERRANDS_EVERY, self._start_errands),
            ("forget", FORGET_EVERY, self._forget),
            ("erase", ERASE_EVERY, self._start_erasing),
            ("retention", TIDY_EVERY, self._let_go),
        )

    def _take_turn(self, name: str, every: timedelta, job: Errand) -> None:
        if self._takes(name, every):
            job()

    def _tidy(self) -> None:
        with self.sessions.begin() as session:
            control.forget_old_slots(session, now=self.clock.machine())
            limits.forget_old_windows(session, now=self.clock.now())
            mail_events.match_again(session, clock=self.clock)

    def _remind(self) -> None:
        if self.remind_after is not None:
            drain(partial(self._remind_some, self.remind_after), self.stopping)

    def _remind_some(self, after: timedelta) -> bool:
        with self.sessions.begin() as session:
            now = self.clock.now()
            return reminding.remind_due(session, after=after, links=self.links, now=now) > 0

    def _start_errands(self) -> None:
        for errand in self.errands.due() if self.errands else ():
            self.aside(errand)

    def _forget(self) -> None:
        run_guarded(partial(drain, self._forget_answers, self.stopping))
        self.printer.sweep()

    def _forget_answers(self) -> bool:
        with self.sessions.begin() as session:
            return self_check.forget_old(session, now=self.clock.now()) > 0

    def _start_erasing(self) -> None:
        """Beside the mail, for a provider that is slow takes long over each."""
        with self.sessions.begin() as session:
            is_any = pending(session).count > 0
        if is_any:
            self.aside(self._erase_outside)

    def _erase_outside(self) -> None:
        """Until none is due, or the next turn begins."""
        end = self.clock.boot_seconds() + ERASE_EVERY.total_seconds()
        drain(lambda: self.clock.boot_seconds() < end and self.outside.erase_next(), self.stopping)
        self.outside.empty_log()

    def _let_go(self) -> None:
        for rule in self.timers.rules:
            run_guarded(partial(drain, partial(self.timers.let_go, rule), self.stopping))

    def _takes(self, name: str, every: timedelta) -> bool:
        with self.sessions.begin() as session:
            return control.take_slot(session, name, every=every, now=self.clock.machine())


def drain(step: Callable[[], bool], stopping: Event | None = None) -> int:
    """Repeat a step until it finds nothing to do; returns how often it found something."""
    for done in range(MAX_ROUNDS):
        if (stopping and stopping.is_set()) or not step():
            return done
    return MAX_ROUNDS


def run_guarded(part: Callable[[], object]) -> bool:
    """The boundary of background work: an error is logged, and the next round comes.

    True when the part went well and found something to do.
    """
    try:
        return bool(part())
    except Exception:
        log.exception("a part of the work failed; the next round comes")
        return False
