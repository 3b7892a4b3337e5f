"""What keeps back a mail that is due: the mails beside it, the hour, and the practice's days."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from funnel.domain.calendar import Doors
from funnel.domain.schedule import zone_of
from funnel.domain.sequence import HOUSE, House, Place, Sequence, Step

GIVES_WAY = "Held: a mail that matters more goes first."
_A_WEEK = timedelta(days=7)
_LOOK_AGAIN = timedelta(minutes=15)


@dataclass(frozen=True)
class Hold:
    """A mail that is due may not go before `until`."""

    until: datetime
    why: str


def hold_for(
    sequence: Sequence, step: Step | None, place: Place, now: datetime, house: House = HOUSE
) -> Hold | None:
    """What keeps this step's mail back at `now`, though it is due; None when nothing does.

    `step` is None when it was deleted while its mail waited. Of the place only the zone, the
    handle and the other mails count. A mail that was held by a cap, an hour or a day
    off is released within the house's spread of the next opening.
    """
    window = (step.window if step else None) or sequence.window
    doors = Doors(zone_of(place.zone), window, _kept(sequence, house))
    others = _behind_others(sequence, place, now, house)
    opening = doors.opening(others.until if others else now)
    if opening == now:
        return None
    if others and opening == others.until and others != _cap(place, now, house):
        return others
    why = others.why if others else doors.why_shut(now)
    return Hold(doors.strewn(opening, place.handle), why)


def _kept(sequence: Sequence, house: House) -> House:
    """The house with the days off that this sequence keeps."""
    if sequence.keeps_clinic_days:
        return house
    return House(weekly_cap=house.weekly_cap, spread=house.spread, zone=house.zone)


def _behind_others(sequence: Sequence, place: Place, now: datetime, house: House) -> Hold | None:
    """The longest hold by another mail this person had or is about to get."""
    holds = (
        _gap(sequence, place, now),
        _cap(place, now, house),
        _priority(sequence, place, now),
    )
    return max((hold for hold in holds if hold), key=lambda hold: hold.until, default=None)


def _gap(sequence: Sequence, place: Place, now: datetime) -> Hold | None:
    if place.last_drip_at is None or now >= place.last_drip_at + sequence.min_gap:
        return None
    return Hold(place.last_drip_at + sequence.min_gap, "Held: their last mail was not long ago.")


def _cap(place: Place, now: datetime, house: House) -> Hold | None:
    counted = sorted(at for at in place.recent if at > now - _A_WEEK)
    if house.weekly_cap is None or len(counted) < house.weekly_cap:
        return None
    until = counted[-house.weekly_cap] + _A_WEEK
    return Hold(until, f"Held: they had {house.weekly_cap} mails in seven days, which is the most.")


def _priority(sequence: Sequence, place: Place, now: datetime) -> Hold | None:
    """A mail that matters more goes first; one long overdue holds nobody back for ever."""
    if place.ahead is None or abs(place.ahead - now) >= sequence.min_gap:
        return None
    return Hold(max(place.ahead, now + _LOOK_AGAIN), GIVES_WAY)
