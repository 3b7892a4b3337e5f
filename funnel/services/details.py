"""What a person tells us about themselves, put right: their name, and the clock they live by."""

from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from funnel.db.guides import Guide
from funnel.db.people import Subscriber
from funnel.domain.errors import LinkInvalid
from funnel.services import guides, people
from funnel.services.limits import take
from funnel.services.looking_again import ask_again
from funnel.services.preferences import MAILABLE

PRINTS_A_DAY = 5
DAY = timedelta(days=1)


class NewPrint(Enum):
    """What becomes of the guide when its reader changes their name."""

    NONE = "it stays as it is"
    ANEW = "it is printed anew"
    TOMORROW = "it was printed anew often enough today"


def change_name(
    session: Session, handle: UUID, name: str | None, *, on_guide: bool, now: datetime
) -> NewPrint:
    """Call a person by another name, or by none; with `on_guide` their guide is printed with it.

    Repeating it changes nothing. Raises LinkInvalid.
    """
    person = _own(session, handle)
    person.first_name = name
    guide = session.scalars(select(Guide).where(Guide.subscriber_id == person.id)).first()
    if not on_guide or guide is None or guide.document.get("first_name") == name:
        return NewPrint.NONE
    if not take(session, f"print:{person.public_id}", limit=PRINTS_A_DAY, window=DAY, now=now):
        return NewPrint.TOMORROW
    guides.print_anew(session, person, now=now)
    return NewPrint.ANEW


def change_zone(session: Session, handle: UUID, zone: str, *, now: datetime) -> None:
    """Send a person's mail by the clock of another place; whatever waits is timed anew."""
    person = _own(session, handle)
    if person.time_zone != zone:
        person.time_zone = zone
        session.flush()
        ask_again(session, person.id, now=now)


def _own(session: Session, handle: UUID) -> Subscriber:
    person = people.by_handle(session, handle, lock=True)
    if person.state not in MAILABLE:
        raise LinkInvalid
    return person
