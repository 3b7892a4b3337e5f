"""Which mail comes next for whom, when, and why then."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from funnel.db.mail import Enrolment, Message
from funnel.domain.delivery import OPEN_STATES
from funnel.domain.enrolment import EnrolmentState
from funnel.domain.schedule import Delay
from funnel.domain.sequence import Fact, Sequence, Step
from funnel.services import people, texts
from funnel.services.reports.titles import newest_subjects

# The engine's note on a mail that was due, and why it had to wait all the same.
_HELD = "Held:"
_HAS_PLACE = (EnrolmentState.ACTIVE, EnrolmentState.PAUSED, EnrolmentState.HELD)


@dataclass(frozen=True)
class NextMail:
    """The next mail of one sequence for one person.

    `at` is None while it waits for something other than time: `why` tells for what. `is_leaving`
    when it is handed over just now; `is_held` when somebody has to look at it first. `after` is
    how many mails of the sequence come after it.
    """

    sequence_key: str
    sequence_title: str
    subject: str
    at: datetime | None
    why: str
    is_leaving: bool = False
    is_held: bool = False
    after: int = 0


def next_mails(session: Session, ids: Collection[int]) -> dict[int, NextMail]:
    """The very next series mail of each of these people, by subscriber id."""
    return {who: mails[0] for who, mails in all_next_mails(session, ids).items() if mails}


def all_next_mails(session: Session, ids: Collection[int]) -> dict[int, list[NextMail]]:
    """The next mail of every sequence each of these people is in, soonest first."""
    query = select(Enrolment).where(
        Enrolment.subscriber_id.in_(ids), Enrolment.state.in_(_HAS_PLACE)
    )
    enrolments = list(session.scalars(query))
    if not enrolments:
        return {}
    known, subjects = texts.sequences(session), newest_subjects(session)
    facts = people.facts_of(session, {row.subscriber_id for row in enrolments})
    leaving = _leaving(session, [row.id for row in enrolments])
    found: dict[int, list[tuple[float, NextMail]]] = defaultdict(list)
    for row in enrolments:
        sequence = known.get(row.sequence_key)
        if sequence is not None:
            mail = _next_mail(
                row, sequence, subjects, leaving, facts.get(row.subscriber_id, frozenset())
            )
            if mail is not None:
                found[row.subscriber_id].append((_order(mail), mail))
    return {who: [mail for _, mail in sorted(rows, key=_first)] for who, rows in found.items()}


def _first(row: tuple[float, NextMail]) -> float:
    return row[0]


def _order(mail: NextMail) -> float:
    if mail.is_leaving:
        return 0.0
    return mail.at.timestamp() if mail.at else float("inf")


def _leaving(session: Session, enrolment_ids: list[int]) -> dict[int, str]:
    """The step whose mail is on its way, by enrolment."""
    query = select(Message.enrolment_id, Message.step_key).where(
        Message.enrolment_id.in_(enrolment_ids), Message.state.in_(sorted(OPEN_STATES))
    )
    return {enrolment: step for enrolment, step in session.execute(query) if enrolment and step}


def _next_mail(
    row: Enrolment,
    sequence: Sequence,
    subjects: dict[str, str],
    leaving: dict[int, str],
    facts: frozenset[Fact],
) -> NextMail | None:
    step = _step(sequence, row, leaving, facts)
    if step is None:
        return None
    is_leaving = row.id in leaving
    return NextMail(
        sequence_key=sequence.key,
        sequence_title=sequence.title,
        subject=subjects.get(f"{sequence.key}/{step.key}", step.key),
        at=row.next_due_at,
        why=_why(row, sequence, step, subjects, is_leaving),
        is_leaving=is_leaving,
        is_held=row.state != EnrolmentState.ACTIVE,
        after=_count_after(sequence, step),
    )


def _why(
    row: Enrolment, sequence: Sequence, step: Step, subjects: dict[str, str], is_leaving: bool
) -> str:
    """What the engine noted, or how the step was set where it only says that it is too early."""
    if is_leaving or row.state != EnrolmentState.ACTIVE or row.why.startswith(_HELD):
        return row.why
    last = row.last_step
    before = f"“{subjects.get(f'{sequence.key}/{last}', last)}”" if last else "the series began"
    at = f", at {step.at:%H:%M} their time" if step.at else ""
    return f"It comes {_delay(step.delay)} {before}{at}."


def _delay(delay: Delay) -> str:
    days = f"{delay.days} day{'' if delay.days == 1 else 's'}" if delay.days else ""
    minutes = f"{delay.minutes} minute{'' if delay.minutes == 1 else 's'}" if delay.minutes else ""
    spelled = " and ".join(part for part in (days, minutes) if part)
    return f"{spelled} after" if spelled else "right after"


def _step(
    sequence: Sequence, row: Enrolment, leaving: dict[int, str], facts: frozenset[Fact]
) -> Step | None:
    """The step that comes next; those that will be passed over do not count."""
    if row.id in leaving:
        return next((step for step in sequence.steps if step.key == leaving[row.id]), None)
    step = sequence.after(row.last_step)
    while step is not None and step.skip_if & facts:
        step = sequence.after(step.key)
    return step


def _count_after(sequence: Sequence, step: Step) -> int:
    return len(sequence.steps) - 1 - [each.key for each in sequence.steps].index(step.key)
