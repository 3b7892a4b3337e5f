"""The days the practice is away: no series mail leaves on them."""

from datetime import date, timedelta

from flask import Blueprint, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from funnel.domain.sequence import Absence
from funnel.runtime import Runtime
from funnel.services import house_rules, staff
from funnel.web.desk.sequences import show_list

LONGEST_ABSENCE = 366
FARTHEST_AHEAD = timedelta(days=2 * 366)
BAD_DAYS = "Please give a first and a last day, the last not before the first."
OVER = "These days are over already. Please give days that are still to come."
TOO_FAR = "That is far ahead. Please give days within the next two years."


def add_pages(routes: Blueprint, rt: Runtime) -> None:
    """Adding days away, and taking them back."""

    @routes.post("/sequences/away")
    def add_absence() -> ResponseReturnValue:
        days = _read_days()
        if days is None:
            return show_list(rt, BAD_DAYS), 422
        if days.last < rt.clock.now().date():
            return show_list(rt, OVER), 422
        if days.last > rt.clock.now().date() + FARTHEST_AHEAD:
            return show_list(rt, TOO_FAR), 422
        _set(rt, days, is_away=True)
        return redirect(url_for("desk.sequences"), 303)

    @routes.post("/sequences/back")
    def end_absence() -> ResponseReturnValue:
        _set(rt, _read_days() or abort(400), is_away=False)
        return redirect(url_for("desk.sequences"), 303)


def _read_days() -> Absence | None:
    """The days in the form; None when they are none, run backwards, or last over a year."""
    try:
        first = date.fromisoformat(request.form.get("first", ""))
        last = date.fromisoformat(request.form.get("last", ""))
    except ValueError:
        return None
    is_fit = first <= last and (last - first).days <= LONGEST_ABSENCE
    return Absence(first, last) if is_fit else None


def _set(rt: Runtime, days: Absence, *, is_away: bool) -> None:
    """Add these days or take them away, with the line that says who did it."""
    with rt.sessions.begin() as session:
        known = set(house_rules.absences(session))
        away = known | {days} if is_away else known - {days}
        house_rules.set_absences(session, tuple(away), now=rt.clock.now())
        action = "said the practice is away" if is_away else "said the practice is not away"
        subject = f"{days.first} to {days.last}"
        staff.note(session, g.staff.id, action, subject, now=rt.clock.machine())
    rt.bell.ring("mail")
