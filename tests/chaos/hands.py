"""Our own hands on a site: what the harness does and reads past the proxy and past the web."""

import time
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from funnel.db.desk import Staff
from funnel.db.guides import GuidePrint
from funnel.db.mail import Attempt, Control, Enrolment, MailEvent, Message
from funnel.db.people import Subscriber
from funnel.domain.delivery import OPEN_STATES
from funnel.domain.enrolment import EnrolmentState
from funnel.domain.evidence import Evidence
from funnel.domain.guides import GuideState
from funnel.runtime import Runtime, prepare
from funnel.services import challenge, control, offers, proof, sequence_pause
from tests.chaos import story
from tests.chaos.history import History
from tests.chaos.workload import Fate

TRY_AGAIN_SECONDS = 0.5
OFFER = "lower-back-programme"
EVIDENCE = Evidence("http://localhost/", "chaos", "192.0.2.0", "Chaos", 12.0)


@dataclass(frozen=True)
class Hands:
    """The therapist, the desk, the operator and the observer, straight at the database."""

    rt: Runtime
    history: History
    templates: Path
    steps: int

    def add_staff(self) -> None:
        """Somebody who may note a payment."""
        with self.rt.sessions.begin() as session:
            email, now = "desk@example.org", self.rt.clock.now()
            session.add(
                Staff(email=email, email_key=email, name="D", password_hash="-", created_at=now)
            )

    def send_unproved(self) -> None:
        """There is no DNS here that could prove anything: the series goes all the same."""
        self.rt.doctor.look()
        with self.rt.sessions.begin() as session:
            now = self.rt.clock.machine()
            proof.send_anyway(session, proof.SENTENCE, by="chaos", now=now)

    def act(self, address: str, fate: Fate) -> None:
        """What a person does in one transaction of our own; again until it is in."""
        while True:
            try:
                self._act_once(address, fate)
            except SQLAlchemyError:
                time.sleep(TRY_AGAIN_SECONDS)
            else:
                return

    def _act_once(self, address: str, fate: Fate) -> None:
        rt, now = self.rt, self.rt.clock.now()
        with rt.sessions.begin() as session:
            person = session.scalars(select(Subscriber).where(Subscriber.email == address)).one()
            if fate is Fate.JOINS:
                challenge.join(session, person.public_id, EVIDENCE, links=rt.links, now=now)
            else:
                staff = session.scalars(select(Staff.id)).one()
                offers.mark_paid(session, person.id, OFFER, staff_id=staff, now=now)

    def stop_mail(self, is_stopped: bool) -> None:
        """The therapist's first switch: no mail leaves at all."""
        rt = self.rt
        with rt.sessions.begin() as session:
            if is_stopped:
                control.pause_sending(session, by="chaos", now=rt.clock.now())
            else:
                control.resume_sending(session)
        self.history.note("mail stopped" if is_stopped else "mail going")

    def hold_series(self, is_held: bool) -> None:
        """The therapist's other switch: series mail waits, the rest goes."""
        rt = self.rt
        with rt.sessions.begin() as session:
            if is_held:
                mode = control.StopMode.SERIES
                control.pause_sending(session, by="chaos", now=rt.clock.now(), mode=mode)
            else:
                control.resume_sending(session)

    def stop_series(self, is_stopped: bool) -> None:
        """One whole sequence stands still, and goes on."""
        rt = self.rt
        with rt.sessions.begin() as session:
            if is_stopped:
                sequence_pause.stop(session, story.SEQUENCE, by="chaos", now=rt.clock.now())
            else:
                sequence_pause.go(session, story.SEQUENCE)

    def publish(self) -> None:
        """New words for the last mail, and one more step, published while people are on it."""
        story.edit(self.templates, self.steps)
        prepare(self.rt)
        self.history.note("published")

    def hold_lock(self, seconds: float) -> None:
        """Somebody keeps others from writing for a while; reading goes on."""
        with self.rt.engine.connect() as connection:
            # On SQLite any statement of a writer takes the lock.
            is_postgres = connection.dialect.name == "postgresql"
            lock = "LOCK TABLE message IN SHARE ROW EXCLUSIVE MODE" if is_postgres else "SELECT 1"
            connection.execute(text(lock))
            time.sleep(seconds)
            connection.rollback()

    def witness(self, ids: list[str]) -> set[str] | None:
        """Which of these messages have an intent on disk at this moment."""
        try:
            with self.rt.reading.begin() as session:
                query = select(Attempt.message_id).where(
                    Attempt.message_id.in_([UUID(each) for each in ids])
                )
                return {str(each) for each in session.scalars(query)}
        except SQLAlchemyError:
            return None

    def left_to_do(self) -> dict[str, int]:
        """What the database says is not over yet, by kind."""
        counts = {
            "messages": (Message, Message.state.in_(OPEN_STATES)),
            "enrolments": (Enrolment, Enrolment.state == EnrolmentState.ACTIVE),
            "events": (MailEvent, MailEvent.handled_at.is_(None)),
            "prints": (GuidePrint, GuidePrint.state != GuideState.READY),
        }
        with self.rt.reading.begin() as session:
            found = {
                name: session.scalar(select(func.count()).select_from(table).where(is_open)) or 0
                for name, (table, is_open) in counts.items()
            }
        return {name: count for name, count in found.items() if count}

    def note_open_rows(self) -> None:
        """What hung, in the words of the rows themselves."""
        columns = (
            Message.mail_key, Message.state, Message.why, Message.not_before, Message.lease_until,
            Message.fence, Message.attempt,
        )  # fmt: skip
        query = select(*columns).where(Message.state.in_(OPEN_STATES)).limit(40)
        places = select(Enrolment).where(Enrolment.state == EnrolmentState.ACTIVE).limit(40)
        with self.rt.reading.begin() as session:
            for row in session.execute(query):
                self.history.note("open", row=[str(value) for value in row])
            for place in session.scalars(places):
                where = [place.id, place.last_step, place.next_due_at, place.why]
                self.history.note("under way", row=[str(value) for value in where])
            for control_row in session.scalars(select(Control)):
                self.history.note("switch", key=control_row.key, value=control_row.value)
