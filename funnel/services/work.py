"""The rounds of work, each one step that says whether it found anything to do."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session, sessionmaker

from funnel.domain.clock import Clock
from funnel.domain.ports import Bell
from funnel.links import Links
from funnel.services import control, enrolment, limits, mail_events
from funnel.services.doubt import Sweeper
from funnel.services.guides import GuideMaker
from funnel.services.sending import Sender

log = logging.getLogger(__name__)

MAX_ROUNDS = 1000
SWEEP_EVERY = timedelta(seconds=5)
TIDY_EVERY = timedelta(hours=1)


@dataclass(frozen=True)
class Worker:
    """All background work. Every method may run at once with itself, here and elsewhere."""

    sessions: sessionmaker[Session]
    clock: Clock
    links: Links
    sender: Sender
    sweeper: Sweeper
    guide_maker: GuideMaker
    bell: Bell

    def mail_round(self) -> None:
        """The periodic jobs, then mail until nothing is due."""
        self.tick()
        drain(self.work_mail)

    def guide_round(self) -> None:
        """Make every guide that is wanted; each one made has a mail to send."""
        if drain(self.guide_maker.make_next):
            self.bell.ring("mail")

    def work_mail(self) -> bool:
        """One round of everything but guides; True while there is more to do."""
        with self.sessions.begin() as session:
            handled = mail_events.handle_events(session, links=self.links, clock=self.clock)
        with self.sessions.begin() as session:
            advanced = enrolment.advance_due(
                session, pepper=self.links.pepper, now=self.clock.now()
            )
        sent = self.sender.send_batch()
        return bool(handled or advanced or sent)

    def tick(self) -> None:
        """The periodic jobs; whoever takes a slot first does it, and twice is harmless."""
        machine = self.clock.machine()
        if self._takes("sweep", SWEEP_EVERY):
            self.sweeper.sweep()
            with self.sessions.begin() as session:
                control.record_tick(session, now=machine)
        if self._takes("tidy", TIDY_EVERY):
            with self.sessions.begin() as session:
                control.forget_old_slots(session, now=machine)
                limits.forget_old_windows(session, now=self.clock.now())

    def _takes(self, name: str, every: timedelta) -> bool:
        with self.sessions.begin() as session:
            return control.take_slot(session, name, every=every, now=self.clock.machine())


def drain(step: Callable[[], bool]) -> int:
    """Repeat a step until it finds nothing to do; returns how often it found something."""
    for done in range(MAX_ROUNDS):
        if not step():
            return done
    return MAX_ROUNDS


def run_guarded(round_of_work: Callable[[], None]) -> bool:
    """The boundary of background work: an error is logged, and the next round comes."""
    try:
        round_of_work()
    except Exception:
        log.exception("a round of work failed; the next one comes")
        return False
    return True
