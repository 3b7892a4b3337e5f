"""A person's own wish for some quiet: a pause of two weeks, or fewer emails."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from funnel.db.people import Subscriber
from funnel.domain.errors import LinkInvalid
from funnel.domain.people import PersonState
from funnel.domain.schedule import quiet_until, zone_of
from funnel.services import people
from funnel.services.looking_again import ask_again

PAUSE_DAYS = 14
FEWER = 1  # a week


def pause(session: Session, handle: UUID, *, now: datetime) -> None:
    """Hold all series mail of a person for two weeks; their places are kept, and it ends by itself.

    Pausing again counts the two weeks from then. Raises LinkInvalid where there is no mail to hold.
    """
    person = _mailed(session, handle)
    until = quiet_until(now, PAUSE_DAYS, zone_of(person.time_zone))
    person.paused_until = max(until, person.paused_until or until)
    _decide_anew(session, person, now)


def start_again(session: Session, handle: UUID, *, now: datetime) -> None:
    """End a person's pause early; without one nothing changes. Raises LinkInvalid."""
    end_pause(session, _mailed(session, handle), now=now)


def end_pause(session: Session, person: Subscriber, *, now: datetime) -> None:
    """Let a person's held mails go on: each at its next opening, and never two at once."""
    if person.paused_until is not None:
        person.paused_until = None
        _decide_anew(session, person, now)


def set_fewer(session: Session, handle: UUID, *, is_wanted: bool, now: datetime) -> None:
    """Send a person at most one series mail a week, or as many as the house sends anybody.

    The mails of the challenge are not slowed: one a day is what they asked for. Raises LinkInvalid.
    """
    person = _mailed(session, handle)
    wanted = FEWER if is_wanted else None
    if person.weekly_cap != wanted:
        person.weekly_cap = wanted
        _decide_anew(session, person, now)


def _mailed(session: Session, handle: UUID) -> Subscriber:
    person = people.by_handle(session, handle, lock=True)
    if person.state != PersonState.CONFIRMED:
        raise LinkInvalid
    return person


def _decide_anew(session: Session, person: Subscriber, now: datetime) -> None:
    session.flush()
    ask_again(session, person.id, now=now)
