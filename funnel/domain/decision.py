"""The one decision: what happens next to a person in a sequence."""

from datetime import datetime

from funnel.domain.conditions import holds, why_not
from funnel.domain.experiments import arm_of
from funnel.domain.holds import hold_for
from funnel.domain.schedule import Delay, due_after, zone_of
from funnel.domain.sequence import (
    FACT_WORDS,
    HOUSE,
    Decision,
    Fact,
    Finish,
    Halt,
    House,
    Place,
    Send,
    Sequence,
    Skip,
    Step,
    Wait,
    WaitFor,
)


def next_step(sequence: Sequence, place: Place, now: datetime, house: House = HOUSE) -> Decision:
    """What happens next for a person in a sequence, at the instant `now`.

    Pure and total. Unless the therapist asked for it, it never answers Send before the step is
    due, outside the window, on a day off, near another mail or above a cap; and never at all
    after a goal, against consent, while they paused their mails, for a step whose mail they had
    or that is not for them.
    """
    reached = sequence.exits_on & place.fresh
    if reached:
        return Finish(f"They {FACT_WORDS[min(reached)]}, so these mails stop.", is_exit=True)
    if place.refusal:
        return Halt(place.refusal)
    step = upcoming(sequence, place)
    if step is None:
        return Finish("Every mail of this sequence has been dealt with.")
    return _fork(step, place, now) if step.ways else _mail(sequence, step, place, now, house)


def upcoming(sequence: Sequence, place: Place) -> Step | None:
    """The step that is looked at next: one that is owed, one jumped to, or the next in order."""
    steps = sequence.steps if place.owed else ()
    owed = (step for step in steps if step.key in place.owed and not step.ways)
    if place.onto is None:
        return next(owed, None) or sequence.after(place.last_step)
    # One that was deleted gives way to what followed it there, not to what they were led past.
    return next(owed, None) or sequence.step(place.onto) or sequence.after(place.onto)


def due_at(step: Step, place: Place) -> datetime:
    """When this step falls due, or its wait is over, if nothing more happens.

    A step that is owed lies behind the person, so its delay is over.
    """
    if step.key in place.owed:
        return place.anchor_at
    due = _due(step, step.delay, place)
    return due if _is_met(step.wait_for, place) else max(due, _wait_over_at(step, place))


def _is_met(awaited: WaitFor | None, place: Place) -> bool:
    """Whether there is nothing to wait for; on a later round, only what was done in it counts."""
    return awaited is None or bool(awaited.facts & place.fresh)


def _wait_over_at(step: Step, place: Place) -> datetime:
    longest = step.wait_for.at_most if step.wait_for else step.delay
    return _due(step, longest, place)


def _due(step: Step, delay: Delay, place: Place) -> datetime:
    zone = zone_of(place.zone)
    return due_after(place.anchor_at, delay, zone, at=step.at, weekdays=step.weekdays)


def _fork(step: Step, place: Place, now: datetime) -> Decision:
    due = due_at(step, place)
    if now < due:
        return Wait(step, due, "The ways part then.")
    for way in step.ways:
        if holds(way.when, place):
            return Skip(step, f"The way leads on to '{way.onto}'.", onto=way.onto)
    return Skip(step, "No other way was for them, so the next step follows.")


def _mail(sequence: Sequence, step: Step, place: Place, now: datetime, house: House) -> Decision:
    if step.key in place.had:
        return Skip(step, "Skipped: this mail has gone to them before.")
    is_asked = step.key == place.send_now
    due = due_at(step, place)
    if now < due and not is_asked:
        return Wait(step, due, _why_not_yet(step, place))
    passed = _why_unfit(step, place) or (None if is_asked else _why_too_late(step, place, now))
    if passed:
        return Skip(step, passed)
    hold = hold_for(sequence, step, place, now, house, by_hand=is_asked)
    if hold:
        return Wait(step, hold.until, hold.why)
    why = "You asked to send it now." if is_asked else "It is due."
    return _send(sequence, step, place, why)


def _send(sequence: Sequence, step: Step, place: Place, why: str) -> Send:
    arm = arm_of(step, sequence=sequence.key, handle=place.handle)
    return Send(step, why, step.key if arm is None else f"{step.key}.{arm}", arm)


def _why_not_yet(step: Step, place: Place) -> str:
    awaited = step.wait_for
    if awaited is None or _is_met(awaited, place):
        return "It is not due before then."
    end = "is passed over" if awaited.or_skip else "goes all the same"
    return f"It waits for this: they {_either(awaited.facts)}. Without it, it {end} then."


def _either(facts: frozenset[Fact]) -> str:
    return " or ".join(FACT_WORDS[fact] for fact in sorted(facts))


def _why_unfit(step: Step, place: Place) -> str | None:
    """Why a step is not for this person; None when it is."""
    passed = step.skip_if & place.facts
    if passed:
        return f"Skipped: they {FACT_WORDS[min(passed)]}."
    return why_not(step.only_if, place) if step.only_if else None


def _why_too_late(step: Step, place: Place, now: datetime) -> str | None:
    """Why the time of a step that is due is over; None when it is not, as for one that is owed."""
    if step.key in place.owed:
        return None
    awaited = step.wait_for
    if awaited is not None and awaited.or_skip and not _is_met(awaited, place):
        return f"Skipped: it waited in vain for this: they {_either(awaited.facts)}."
    if step.expires_after is None:
        return None
    # What they did early must not make a mail that waits for it expire early.
    due = max(due_at(step, place), _wait_over_at(step, place))
    return "Skipped: its time had passed." if now > due + step.expires_after else None
