"""The rules over everything a person gets, as they are today: the practice's, and its absences."""

from collections.abc import Callable
from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from funnel.db.mail import Enrolment, Message
from funnel.domain.delivery import MessageState
from funnel.domain.enrolment import EnrolmentState
from funnel.domain.sequence import Absence, House
from funnel.services import control, people

ABSENCES = "absences"
HELD = "Held:"

# The rules as written, joined with the absences and the years around an instant.
Rules = Callable[[tuple[Absence, ...], datetime], House]


def absences(session: Session) -> tuple[Absence, ...]:
    """The days the practice is away, as the therapist set them, soonest first."""
    items = control.read(session, ABSENCES).get("items", [])
    assert isinstance(items, list)  # noqa: S101 - written below and nowhere else
    found = (
        Absence(date.fromisoformat(each["first"]), date.fromisoformat(each["last"]))
        for each in items
    )
    return tuple(sorted(found, key=lambda each: each.first))


def set_absences(session: Session, away: tuple[Absence, ...], *, now: datetime) -> None:
    """Set the days the practice is away, in place of those before.

    Whoever is held is looked at again, and so is every mail: the end may have become another day.
    """
    held = (
        Enrolment.state == EnrolmentState.ACTIVE,
        Enrolment.next_due_at > now,
        Enrolment.why.startswith(HELD),
    )
    waiting = (
        Message.state == MessageState.SCHEDULED,
        Message.not_before > now,
        Message.why.startswith(HELD),
    )
    held_people = select(Enrolment.subscriber_id).where(*held)
    people.lock(session, held_people.union(select(Message.subscriber_id).where(*waiting)))
    items = [{"first": each.first.isoformat(), "last": each.last.isoformat()} for each in away]
    control.write(session, ABSENCES, {"items": items})
    session.execute(
        update(Enrolment)
        .where(*held)
        .values(next_due_at=now)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(Message)
        .where(*waiting)
        .values(not_before=now)
        .execution_options(synchronize_session=False)
    )


def house_at(session: Session, rules: Rules, now: datetime) -> House:
    """The rules that hold at this instant."""
    return rules(absences(session), now)


def plain_rules(away: tuple[Absence, ...], _now: datetime) -> House:
    """No rules but the absences."""
    return House(absences=away)
