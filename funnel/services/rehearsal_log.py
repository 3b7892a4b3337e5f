"""What a rehearsal saw: each look at the database tells what happened or was decided since."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from funnel.db.mail import Enrolment, Message, StepSkip
from funnel.db.people import Subscriber
from funnel.domain.delivery import MessageState
from funnel.domain.enrolment import EnrolmentState
from funnel.domain.progress import NOT_DUE
from funnel.domain.rehearsal import Entry, Fate, Kind
from funnel.domain.sequence import FACT_WORDS, Sequence
from funnel.services import texts
from funnel.services.advancing import SequenceEngine
from funnel.services.reports.titles import newest_subjects
from funnel.services.reports.upcoming import NextMail, all_next_mails

_OVER = (EnrolmentState.FINISHED, EnrolmentState.EXITED, EnrolmentState.STOPPED)
AT_ONCE = "At once, in answer to what was just done."
_NEVER_WENT = {
    MessageState.FAILED,
    MessageState.CANCELLED,
    MessageState.SKIPPED,
    MessageState.UNCONFIRMED,
}


@dataclass
class Log:
    """The timeline of one person, in order. `mails` gives each mail's key and its instant."""

    engine: SequenceEngine
    entries: list[Entry] = field(default_factory=list)
    mails: dict[UUID, tuple[str, datetime]] = field(default_factory=dict)
    _states: dict[int, str] = field(default_factory=dict)
    _messages: dict[UUID, str] = field(default_factory=dict)
    _skips: set[int] = field(default_factory=set)
    _next: dict[str, NextMail] = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        """Tell something that the database does not."""
        self.entries.append(entry)

    def came_at(self, mail_key: str) -> datetime | None:
        """When this mail first came."""
        return min((at for key, at in self.mails.values() if key == mail_key), default=None)

    def look(self, session: Session, email: str, *, now: datetime) -> None:
        """Note what has changed for this person since the last look."""
        who = session.scalars(select(Subscriber.id).where(Subscriber.email_key == email)).first()
        if who is None:
            return
        subjects, known = newest_subjects(session), texts.sequences(session)
        rows = session.scalars(select(Enrolment).where(Enrolment.subscriber_id == who)).all()
        self._see_messages(session, who, subjects, now)
        self._see_skips(session, {row.id: row for row in rows}, subjects, now)
        for row in sorted(rows, key=lambda each: each.id):
            self._see_state(row, known, now)
        coming = all_next_mails(session, [who], engine=self.engine, now=now)
        self._see_next(coming.get(who, []), now)

    def _see_messages(
        self, session: Session, who: int, subjects: dict[str, str], now: datetime
    ) -> None:
        query = select(Message).where(Message.subscriber_id == who)
        rows = session.scalars(query.order_by(Message.created_at, Message.dedupe_key))
        for row in rows:
            if self._messages.get(row.id) == row.state:
                continue
            self._messages[row.id] = row.state
            subject = subjects.get(row.mail_key, row.mail_key)
            if row.state == MessageState.ACCEPTED:
                self.mails[row.id] = (row.mail_key, row.accepted_at or now)
                why = self._why_it_went(row.mail_key)
                self.add(Entry(now, Kind.MAIL, subject, why, mail=len(self.mails)))
            elif row.state in _NEVER_WENT:
                self.add(Entry(now, Kind.NOT_SENT, subject, row.why))

    def _why_it_went(self, mail_key: str) -> str:
        """What was planned for it; a mail that was not planned answers what she just did."""
        planned = self._next.pop(mail_key.partition("/")[0], None)
        return planned.why if planned else AT_ONCE

    def _see_skips(
        self, session: Session, rows: dict[int, Enrolment], subjects: dict[str, str], now: datetime
    ) -> None:
        query = select(StepSkip).where(StepSkip.enrolment_id.in_(rows)).order_by(StepSkip.id)
        for skip in session.scalars(query):
            if skip.id not in self._skips:
                self._skips.add(skip.id)
                key = f"{rows[skip.enrolment_id].sequence_key}/{skip.step_key}"
                self.add(Entry(now, Kind.NOT_SENT, subjects.get(key, key), skip.why))

    def _see_state(self, row: Enrolment, known: dict[str, Sequence], now: datetime) -> None:
        before, self._states[row.id] = self._states.get(row.id), row.state
        if before == row.state:
            return
        title = known[row.sequence_key].title if row.sequence_key in known else row.sequence_key
        if row.state in _OVER:
            self.add(Entry(now, Kind.END, title, row.why))
        elif before is None or row.state == EnrolmentState.ACTIVE:
            # The entry of its next mail tells when: "not due yet" would say nothing more.
            self.add(Entry(now, Kind.START, title, "" if row.why == NOT_DUE else row.why))
        else:
            self.add(Entry(now, Kind.NOT_SENT, title, row.why))

    def _see_next(self, mails: list[NextMail], now: datetime) -> None:
        for mail in mails:
            if mail.is_leaving or mail.at is None or self._next.get(mail.sequence_key) == mail:
                continue
            self._next[mail.sequence_key] = mail
            if mail.at > now:
                self.add(Entry(now, Kind.NEXT, mail.subject, mail.why, until=mail.at))


def fates(session: Session, log: Log, email: str) -> tuple[Fate, ...]:
    """What became of every mail of every sequence, in their order."""
    who = session.scalars(select(Subscriber.id).where(Subscriber.email_key == email)).first()
    subjects, numbers = newest_subjects(session), _numbers(log)
    found: list[Fate] = []
    for sequence in texts.sequences(session).values():
        query = select(Enrolment).where(
            Enrolment.subscriber_id == who, Enrolment.sequence_key == sequence.key
        )
        places = session.scalars(query.order_by(Enrolment.id)).all()
        skips = _skips(session, [place.id for place in places])
        found += [
            _fate(sequence, step, subjects, numbers, skips, places[-1] if places else None)
            for step in _mail_steps(sequence)
        ]
    return tuple(found)


def _mail_steps(sequence: Sequence) -> list[str]:
    """The keys of the steps that send; a fork only leads on."""
    return [step.key for step in sequence.steps if not step.ways]


def _numbers(log: Log) -> dict[str, tuple[int, datetime]]:
    """Number and instant of the first mail of each step, whatever arm of a test it was."""
    found: dict[str, tuple[int, datetime]] = {}
    for number, (key, at) in enumerate(log.mails.values(), 1):
        found.setdefault(key, (number, at))
        found.setdefault(key.partition(".")[0], (number, at))
    return found


def _skips(session: Session, enrolments: list[int]) -> dict[str, str]:
    query = select(StepSkip.step_key, StepSkip.why).where(StepSkip.enrolment_id.in_(enrolments))
    return dict(session.execute(query).all())


def _fate(
    sequence: Sequence,
    step: str,
    subjects: dict[str, str],
    numbers: dict[str, tuple[int, datetime]],
    skips: dict[str, str],
    place: Enrolment | None,
) -> Fate:
    key = f"{sequence.key}/{step}"
    subject = next((subjects[each] for each in subjects if _is_of(each, key)), key)
    if key in numbers:
        number, at = numbers[key]
        return Fate(sequence.title, subject, at, "", number)
    return Fate(sequence.title, subject, None, skips.get(step) or _why_not(sequence, place))


def _is_of(mail_key: str, key: str) -> bool:
    return mail_key == key or mail_key.startswith(f"{key}.")


def _why_not(sequence: Sequence, place: Enrolment | None) -> str:
    if place is not None:
        is_over = place.state in _OVER
        return place.why if is_over else "It was not its turn before the weeks ended."
    if sequence.follows is not None and not sequence.starts_on:
        return "The series before it did not come to its end."
    starts = " or ".join(FACT_WORDS[fact] for fact in sorted(sequence.starts_on))
    return f"This series did not begin: it is for people who {starts} and said yes to it."
