"""What keeps back a mail that is due: her own wish, the mails beside it, the hour, days off."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from funnel.domain.calendar import Doors
from funnel.domain.people import Purpose
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
    sequence: Sequence,
    step: Step | None,
    place: Place,
    now: datetime,
    house: House = HOUSE,
    *,
    by_hand: bool = False,
) -> Hold | None:
    """What keeps this step's mail back at `now`, though it is due; None when nothing does.

    `step` is None when it was deleted while its mail waited. Of the place only the zone, the
    handle, their own wishes and the other mails count. A mail that was held by a pause, a cap, an
    hour or a day off is released within the house's spread of the next opening. Nothing but a
    pause of the person's own holds a mail that the therapist sends `by_hand`.
    """
    pause = own_pause(place, now)
    if by_hand and pause is None:
        return None
    window = (step.window if step else None) or sequence.window
    doors = Doors(zone_of(place.zone), window, _kept(sequence, house))
    calm = (pause, _cap(place, now, house), _own_cap(sequence, place, now))
    hurried = (_gap(sequence, place, now), _priority(sequence, place, now))
    others = max((hold for hold in (*calm, *hurried) if hold), key=_until, default=None)
    opening = doors.opening(others.until if others else now)
    if opening == now:
        return None
    if others and opening == others.until and others not in calm:
        return others
    why = others.why if others else doors.why_shut(now)
    return Hold(doors.strewn(opening, place.handle), why)


def _kept(sequence: Sequence, house: House) -> House:
    """The house with the days off that this sequence keeps."""
    if sequence.keeps_clinic_days:
        return house
    return House(weekly_cap=house.weekly_cap, spread=house.spread, zone=house.zone)


def _until(hold: Hold) -> datetime:
    return hold.until


def own_pause(place: Place, now: datetime) -> Hold | None:
    """The pause that they asked for themselves; None when there is none, or it is over."""
    if place.paused_until is None or now >= place.paused_until:
        return None
    back = place.paused_until.astimezone(zone_of(place.zone))
    return Hold(place.paused_until, f"Held: they paused their emails until {back.day} {back:%B}.")


def _gap(sequence: Sequence, place: Place, now: datetime) -> Hold | None:
    if place.last_drip_at is None or now >= place.last_drip_at + sequence.min_gap:
        return None
    return Hold(place.last_drip_at + sequence.min_gap, "Held: their last mail was not long ago.")


def _cap(place: Place, now: datetime, house: House) -> Hold | None:
    until = _room_at(place, house.weekly_cap, now)
    why = f"Held: they had {house.weekly_cap} mails in seven days, which is the most."
    return Hold(until, why) if until else None


def _own_cap(sequence: Sequence, place: Place, now: datetime) -> Hold | None:
    """They asked for fewer; but a mail a day is what somebody in the challenge asked for."""
    if sequence.purpose is Purpose.CHALLENGE:
        return None
    until = _room_at(place, place.weekly_cap, now)
    emails = "1 email" if place.weekly_cap == 1 else f"{place.weekly_cap} emails"
    return Hold(until, f"Held: they asked for at most {emails} a week.") if until else None


def _room_at(place: Place, most: int | None, now: datetime) -> datetime | None:
    """When fewer than `most` mails lie within seven days; None when that is so now."""
    counted = sorted(at for at in place.recent if at > now - _A_WEEK)
    return None if most is None or len(counted) < most else counted[-most] + _A_WEEK


def _priority(sequence: Sequence, place: Place, now: datetime) -> Hold | None:
    """A mail that matters more goes first; one long overdue holds nobody back for ever."""
    if place.ahead is None or abs(place.ahead - now) >= sequence.min_gap:
        return None
    return Hold(max(place.ahead, now + _LOOK_AGAIN), GIVES_WAY)
