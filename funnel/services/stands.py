"""Where the people of a sequence stand, counted by place, for whoever is to change the sequence."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_, select
from sqlalchemy.orm import Session, aliased

from funnel.db.mail import Enrolment, Message
from funnel.db.people import Consent, FunnelEvent, Subscriber
from funnel.domain.delivery import OPEN_STATES, MessageState
from funnel.domain.enrolment import LIVE, EnrolmentState
from funnel.domain.impact import Crowd, Stand
from funnel.domain.people import PersonState
from funnel.domain.sequence import Sequence
from funnel.services import people

STARTED = (MessageState.SENDING, MessageState.UNKNOWN)
HAD = (*STARTED, MessageState.ACCEPTED, MessageState.UNCONFIRMED)
_OPEN = aliased(Message, name="open_mail")
_PLACE: tuple[Any, ...] = (
    Enrolment.last_step,
    Enrolment.onto,
    _OPEN.step_key,
    func.coalesce(_OPEN.state.in_(STARTED), false()),
    Enrolment.state == EnrolmentState.FINISHED,
)


def newest_round() -> ColumnElement[bool]:
    """Holds for the newest time that a person went into a sequence."""
    later = aliased(Enrolment)
    return ~exists().where(
        later.subscriber_id == Enrolment.subscriber_id,
        later.sequence_key == Enrolment.sequence_key,
        later.round > Enrolment.round,
    )


def people_in(sequence: Sequence) -> Select[Any]:
    """The enrolments of everyone in a sequence, and of those who came to its end and whom it
    could still mail."""
    return (
        select(Enrolment.id)
        .outerjoin(_OPEN, (_OPEN.enrolment_id == Enrolment.id) & _OPEN.state.in_(OPEN_STATES))
        .where(Enrolment.sequence_key == sequence.key, newest_round())
        .where(or_(Enrolment.state.in_(LIVE), _is_over_and_free(sequence)))
    )


def _is_over_and_free(sequence: Sequence) -> ColumnElement[bool]:
    """Holds for who came to the end, still agrees, and has reached no goal meanwhile."""
    agreed = exists().where(
        Subscriber.id == Enrolment.subscriber_id,
        Subscriber.state == PersonState.CONFIRMED,
        Consent.subscriber_id == Enrolment.subscriber_id,
        Consent.purpose == sequence.purpose,
    )
    return and_(
        Enrolment.state == EnrolmentState.FINISHED, agreed, ~reached_one_of(sequence.exits_on)
    )


def reached_one_of(facts: Collection[str]) -> ColumnElement[bool]:
    """Holds for who has one of these facts; on a later round, since it began."""
    return exists().where(
        FunnelEvent.subscriber_id == Enrolment.subscriber_id,
        FunnelEvent.fact.in_(sorted(facts)),
        or_(Enrolment.round == 1, Enrolment.started_at <= people.LAST_AT),
    )


def at(stands: Collection[Stand], step: str) -> ColumnElement[bool]:
    """Holds, within `people_in`, for those at these stands who have not had this step's mail."""
    return at_having(dict.fromkeys(stands, frozenset()), lacks={step})


def at_having(
    stands: Mapping[Stand, Collection[str]], *, lacks: Collection[str]
) -> ColumnElement[bool]:
    """Holds, within `people_in`, for those at these stands who had the mails named with theirs
    and none of `lacks`."""
    places = [
        and_(_is_at(stand), *(_had(step) for step in sorted(steps)))
        for stand, steps in stands.items()
    ]
    return and_(or_(false(), *places), *(~_had(step) for step in sorted(lacks)))


def _had(step: str) -> ColumnElement[bool]:
    return exists().where(
        Message.enrolment_id == Enrolment.id, Message.step_key == step, Message.state.in_(HAD)
    )


def _is_at(stand: Stand) -> ColumnElement[bool]:
    place = (stand.last_step, stand.onto, stand.open_step, stand.is_started, stand.is_over)
    return and_(*(_is(column, value) for column, value in zip(_PLACE, place, strict=True)))


def _is(column: Any, value: str | bool | None) -> ColumnElement[bool]:
    """A comparison that the planner can reckon with, unlike IS NOT DISTINCT FROM."""
    if value is None:
        return column.is_(None)  # type: ignore[no-any-return]  # a column of any type
    if isinstance(value, bool):
        return column if value else ~column  # type: ignore[no-any-return]  # as above
    return column == value  # type: ignore[no-any-return]  # as above


def crowd(session: Session, sequence: Sequence) -> Crowd:
    """How many stand where, and how many of them had which mail: two statements, however many."""
    columns = [column.label(f"place_{number}") for number, column in enumerate(_PLACE)]
    base = people_in(sequence)
    people = base.with_only_columns(*columns, func.count()).group_by(*columns)
    had = (
        base.join(Message, (Message.enrolment_id == Enrolment.id) & Message.state.in_(HAD))
        .with_only_columns(*columns, Message.step_key, func.count())
        .group_by(*columns, Message.step_key)
    )
    return Crowd(
        people={_stand(row[:5]): row[5] for row in session.execute(people)},
        had={(_stand(row[:5]), str(row[5])): row[6] for row in session.execute(had)},
    )


def _stand(row: Collection[object]) -> Stand:
    last_step, onto, open_step, is_started, is_over = row
    return Stand(_key(last_step), _key(onto), _key(open_step), bool(is_started), bool(is_over))


def _key(value: object) -> str | None:
    return None if value is None else str(value)
