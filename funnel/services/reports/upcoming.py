"""Which mail comes next for whom, when, and why then: what the engine itself would decide."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from funnel.db.mail import Enrolment, Message
from funnel.domain.delivery import OPEN_STATES, MessageState
from funnel.domain.enrolment import LIVE, EnrolmentState
from funnel.domain.progress import Forecast, forecast
from funnel.domain.schedule import Delay
from funnel.domain.sequence import Place, Sequence, Step
from funnel.services import places, sequence_pause
from funnel.services.advancing import SequenceEngine
from funnel.services.places import Batch, Enrolled
from funnel.services.reports.titles import newest_subjects

# The engine's notes on a mail that has to wait for more than its time.
_REASONS = ("Held:", "It waits for this:")


@dataclass(frozen=True)
class NextMail:
    """The next mail of one sequence for one person.

    `at` is None while it waits for something other than time: `why` tells for what. `is_leaving`
    when it is handed over just now; `is_held` when somebody has to look at it first. `after` is
    how many mails of the sequence are still to come after it; `had` are the steps whose mail went.
    """

    enrolment_id: int
    sequence_key: str
    sequence_title: str
    step_key: str
    subject: str
    at: datetime | None
    why: str
    is_leaving: bool = False
    is_held: bool = False
    is_paused: bool = False
    after: int = 0
    had: frozenset[str] = frozenset()


class _Leaving(NamedTuple):
    """The mail of a step that is on its way."""

    step_key: str
    mail_key: str
    state: str
    not_before: datetime
    why: str


def next_mails(
    session: Session, ids: Collection[int], *, engine: SequenceEngine, now: datetime
) -> dict[int, NextMail]:
    """The very next series mail of each of these people, by subscriber id."""
    found = all_next_mails(session, ids, engine=engine, now=now)
    return {who: mails[0] for who, mails in found.items()}


def all_next_mails(
    session: Session, ids: Collection[int], *, engine: SequenceEngine, now: datetime
) -> dict[int, list[NextMail]]:
    """The next mail of every sequence each of these people is in, soonest first.

    It is the engine's own decision, carried forward to the instant at which it says Send.
    """
    rows = places.enrolled(session, Enrolment.subscriber_id.in_(ids) & Enrolment.state.in_(LIVE))
    if not rows:
        return {}
    batch, subjects = engine.load(session, rows, now=now), newest_subjects(session)
    leaving = _leaving(session, [row.id for row in rows])
    found: dict[int, list[NextMail]] = defaultdict(list)
    for row in rows:
        mail = _next_mail(row, batch, subjects, leaving.get(row.id), now)
        if mail is not None:
            found[row.subscriber_id].append(mail)
    return {who: sorted(mails, key=_soonest) for who, mails in found.items()}


def _soonest(mail: NextMail) -> float:
    if mail.is_leaving:
        return 0.0
    return mail.at.timestamp() if mail.at else float("inf")


def _leaving(session: Session, enrolment_ids: list[int]) -> dict[int, _Leaving]:
    """The mail that is on its way, by enrolment."""
    query = select(
        Message.enrolment_id,
        Message.step_key,
        Message.mail_key,
        Message.state,
        Message.not_before,
        Message.why,
    ).where(Message.enrolment_id.in_(enrolment_ids), Message.state.in_(sorted(OPEN_STATES)))
    return {
        enrolment_id: _Leaving(step_key, mail_key, state, not_before, why)
        for enrolment_id, step_key, mail_key, state, not_before, why in session.execute(query)
        if enrolment_id is not None and step_key is not None
    }


def _next_mail(
    row: Enrolled,
    batch: Batch,
    subjects: dict[str, str],
    leaving: _Leaving | None,
    now: datetime,
) -> NextMail | None:
    sequence = batch.sequences.get(row.sequence_key)
    if sequence is None:
        return None
    place = batch.place(row, sequence, now)
    if leaving is not None:
        return _on_its_way(row, sequence, place, subjects, leaving, now)
    start = max(now, row.next_due_at or now)
    found = forecast(sequence, place, start, batch.house)
    return _foreseen(row, sequence, place, batch, subjects, found) if found else None


def _on_its_way(
    row: Enrolled,
    sequence: Sequence,
    place: Place,
    subjects: dict[str, str],
    leaving: _Leaving,
    now: datetime,
) -> NextMail:
    """A mail in the outbox: it leaves now, or at the instant the sender put it off to."""
    waits = leaving.state == MessageState.SCHEDULED and leaving.not_before > now
    return NextMail(
        enrolment_id=row.id,
        sequence_key=sequence.key,
        sequence_title=sequence.title,
        step_key=leaving.step_key,
        subject=subjects.get(leaving.mail_key, leaving.step_key),
        at=leaving.not_before if waits else None,
        why=leaving.why if waits else row.why,
        is_leaving=not waits,
        after=_count_after(sequence, place, leaving.step_key),
        had=place.had,
    )


def _foreseen(
    row: Enrolled,
    sequence: Sequence,
    place: Place,
    batch: Batch,
    subjects: dict[str, str],
    found: Forecast,
) -> NextMail:
    is_whole = row.sequence_key in batch.paused
    is_going = row.state == EnrolmentState.ACTIVE and not is_whole
    is_paused = is_whole or row.state == EnrolmentState.PAUSED
    why = _why(row, sequence, place, subjects, found) if is_going else row.why
    return NextMail(
        enrolment_id=row.id,
        sequence_key=sequence.key,
        sequence_title=sequence.title,
        step_key=found.key,
        subject=subjects.get(f"{sequence.key}/{found.mail}", found.key),
        at=found.at if is_going else None,
        why=sequence_pause.WHY if is_whole else why,
        is_held=not is_going,
        is_paused=is_paused,
        after=_count_after(sequence, place, found.key),
        had=place.had,
    )


def _why(
    row: Enrolled, sequence: Sequence, place: Place, subjects: dict[str, str], found: Forecast
) -> str:
    """What holds the mail, or how its step was set where it only is too early."""
    if found.hold:
        return found.hold
    if row.send_now == found.key or row.why.startswith(_REASONS):
        return row.why
    step = sequence.step(found.key)
    if step is None:
        return row.why
    at = f", at {step.at:%H:%M} their time" if step.at else ""
    passed = [skip.step for skip in found.skips if skip.step.key not in place.had]
    last = passed[-1] if passed else sequence.step(row.last_step or "")
    if _leads_to(last, found.key):
        return f"Their way led here: it comes {_delay(step.delay)} the ways parted{at}."
    if found.key == row.onto:
        return f"You moved them here: it comes {_delay(step.delay)} that{at}."
    return f"It comes {_delay(step.delay)} {_before(row, place, last, subjects, passed)}{at}."


def _leads_to(fork: Step | None, key: str) -> bool:
    """Whether this is a fork, one of whose ways leads to that step."""
    return fork is not None and any(way.onto == key for way in fork.ways)


def _before(
    row: Enrolled, place: Place, last: Step | None, subjects: dict[str, str], passed: list[Step]
) -> str:
    """What the delay is counted from: a mail, or the moment at which it was passed over."""
    key = last.key if last else row.last_step
    if key is None:
        return "the series began"
    if last is not None and last.ways:
        return "the ways parted"
    name = f"“{_subject(subjects, f'{row.sequence_key}/{key}', key)}”"
    if passed:
        return f"{name} is passed over"
    return name if key in place.had else f"{name} was passed over"


def _subject(subjects: dict[str, str], mail_key: str, key: str) -> str:
    """The subject of a mail, or of its first arm where it has several."""
    arms = (subjects[each] for each in sorted(subjects) if each.startswith(f"{mail_key}."))
    return subjects.get(mail_key) or next(arms, key)


def _delay(delay: Delay) -> str:
    days = f"{delay.days} day{'' if delay.days == 1 else 's'}" if delay.days else ""
    minutes = f"{delay.minutes} minute{'' if delay.minutes == 1 else 's'}" if delay.minutes else ""
    spelled = " and ".join(part for part in (days, minutes) if part)
    return f"{spelled} after" if spelled else "right after"


def _count_after(sequence: Sequence, place: Place, key: str) -> int:
    """How many mails of the sequence are still to come after this step; a fork is none."""
    keys = [step.key for step in sequence.steps]
    here = keys.index(key) if key in keys else len(keys)
    behind = {step.key for step in sequence.steps[here + 1 :] if not step.ways}
    return len((behind - place.had) | (place.owed - {key}))
