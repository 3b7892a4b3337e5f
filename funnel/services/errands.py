"""Slow questions to the outside, beside the mail: the doctor's look and the nightly lists."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session, sessionmaker

from funnel.domain.clock import Clock
from funnel.services import control, proof
from funnel.services.doctor import Doctor
from funnel.services.list_pull import ListPull

Errand = Callable[[], object]
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Errands:
    """Says what is to be asked now. Each is given to one worker, at most once an hour unless
    somebody asks for it; both are safe to repeat and to break off.
    """

    sessions: sessionmaker[Session]
    clock: Clock
    doctor: Doctor
    pull: ListPull | None

    def due(self) -> list[Errand]:
        """What this worker is to do now, beside the mail."""
        with self.sessions.begin() as session:
            found = [self._look(session), self._lists(session)]
        return [errand for errand in found if errand is not None]

    def _look(self, session: Session) -> Errand | None:
        if not self.doctor.has_anything_to_look_at:
            return None
        is_wanted = proof.take_wish(session, now=self.clock.machine())
        turn = f"doctor {self.doctor.setup.mark}"  # another set-up need not wait for its hour
        is_turn = self.doctor.is_due(session) and self._takes(session, turn)
        return self.doctor.look if is_wanted or is_turn else None

    def _lists(self, session: Session) -> Errand | None:
        if self.pull is None or not self.pull.is_due(session):
            return None
        return self.pull.pull if self._takes(session, "lists") else None

    def _takes(self, session: Session, name: str) -> bool:
        return control.take_slot(session, name, every=HOUR, now=self.clock.machine())
