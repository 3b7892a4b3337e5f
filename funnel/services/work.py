"""The rounds of work, each one step that says whether it found anything to do."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session, sessionmaker

from funnel.domain.clock import Clock
from funnel.links import Links
from funnel.services import control, enrolment, limits, mail_events
from funnel.services.doubt import Sweeper
from funnel.services.guides import GuideMaker
from funnel.services.sending import Sender

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

    def work_guides(self) -> bool:
        """Make one guide; True when there was one."""
        return self.guide_maker.make_next()

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
