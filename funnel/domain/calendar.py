"""The practice's days off, and the doors of a day: when mail may leave, and how it is strewn."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from funnel.domain.experiments import share
from funnel.domain.schedule import Window, local_instant, next_opening, zone_of
from funnel.domain.sequence import House

_A_DAY = timedelta(days=1)


def open_again(day: date, house: House) -> date:
    """The first day from `day` on, itself too, on which the practice is not away or closed."""
    while True:
        last = max((each.last for each in house.absences if each.first <= day <= each.last),
                   default=day if day in house.closed else None)  # fmt: skip
        if last is None:
            return day
        day = last + _A_DAY


@dataclass(frozen=True)
class Doors:
    """The hours of a person's day in which mail may leave, on the days the practice keeps."""

    zone: ZoneInfo
    window: Window
    house: House

    def opening(self, when: datetime) -> datetime:
        """`when` itself if the doors are open, else the instant they open next."""
        while True:
            when = next_opening(when, self.zone, self.window)
            back = self.back_on(when)
            if back is None:
                return when
            when = local_instant(back, time(0), zone_of(self.house.zone))

    def back_on(self, when: datetime) -> date | None:
        """The day the practice is back, when it is closed at that instant; None when open."""
        day = when.astimezone(zone_of(self.house.zone)).date()
        back = open_again(day, self.house)
        return None if back == day else back

    def why_shut(self, when: datetime) -> str:
        """Why nothing leaves at `when`, an instant outside the doors, as a sentence."""
        opens = next_opening(when, self.zone, self.window)
        back = self.back_on(opens)
        if back is None:
            return f"Held: quiet hours until {opens.astimezone(self.zone):%H:%M}."
        day = opens.astimezone(zone_of(self.house.zone)).date()
        is_away = any(each.first <= day <= each.last for each in self.house.absences)
        state = "away" if is_away else "closed"
        return f"Held: the practice is {state} until {back.day} {back:%B}."

    def strewn(self, opening: datetime, handle: UUID) -> datetime:
        """An instant after `opening`, within the house's spread and the same opening hours.

        It is always the same for a person and a day, so that asking again moves nothing.
        """
        local = opening.astimezone(self.zone)
        closes = datetime.combine(local.date(), self.window.closes)
        room = min(self.house.spread, closes - local.replace(tzinfo=None))
        moved = opening + timedelta(seconds=int(room.total_seconds() * share(handle, local.date())))
        # Where the clocks change, or a day off begins in the practice's zone, the room is less.
        return moved if self.opening(moved) == moved else opening
