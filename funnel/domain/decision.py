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
    due, outside the window, on a day off, near another mail or above the cap; and never at all
    after a goal, against consent, or for a step whose mail they had.
    """
    reached = sequence.exits_on & (place.facts if place.goals is None else place.goals)
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
    onto = sequence.step(place.onto) if place.onto else None
    if onto is None and place.onto in sequence.gone:
        onto = sequence.after(place.onto)
    return next(owed, None) or onto or sequence.after(place.last_step)


def due_at(step: Step, place: Place) -> datetime:
    """When this step falls due, or its wait is over, if nothing more happens.

    A step that is owed lies behind the person, so its delay is over.
    """
    if step.key in place.owed:
        return place.anchor_at
    due = _due(step, step.delay, place)
    if step.wait_for is None or step.wait_for.facts & place.facts:
        return due
    return max(due, _due(step, step.wait_for.at_most, place))


def _due(step: Step, delay: Delay, place: Place) -> datetime:
    zone = zone_of(place.zone)
    return due_after(place.anchor_at, delay, zone, at=step.at, weekdays=step.weekdays)


def _fork(step: Step, place: Place, now: datetime) -> Decision:
    due = due_at(step, place)
    if now < due and not place.send_now:
        return Wait(step, due, "The ways part then.")
    for way in step.ways:
        if holds(way.when, place):
            return Skip(step, f"The way leads on to '{way.onto}'.", onto=way.onto)
    return Skip(step, "No other way was for them, so the next step follows.")


def _mail(sequence: Sequence, step: Step, place: Place, now: datetime, house: House) -> Decision:
    if step.key in place.had:
        return Skip(step, "Skipped: this mail has gone to them before.")
    if place.send_now:
        return _send(sequence, step, place, "You asked to send it now.")
    due = due_at(step, place)
    if now < due:
        return Wait(step, due, _why_not_yet(step, place))
    passed = _why_passed(step, place, now, due)
    if passed:
        return Skip(step, passed)
    hold = hold_for(sequence, step, place, now, house)
    return Wait(step, hold.until, hold.why) if hold else _send(sequence, step, place, "It is due.")


def _send(sequence: Sequence, step: Step, place: Place, why: str) -> Send:
    arm = arm_of(step, sequence=sequence.key, handle=place.handle)
    return Send(step, why, step.key if arm is None else f"{step.key}.{arm}", arm)


def _why_not_yet(step: Step, place: Place) -> str:
    awaited = step.wait_for
    if awaited is None or awaited.facts & place.facts:
        return "It is not due before then."
    end = "is passed over" if awaited.or_skip else "goes all the same"
    return f"It waits for this: they {_either(awaited.facts)}. Without it, it {end} then."


def _either(facts: frozenset[Fact]) -> str:
    return " or ".join(FACT_WORDS[fact] for fact in sorted(facts))


def _why_passed(step: Step, place: Place, now: datetime, due: datetime) -> str | None:
    """Why a step that is due is passed over for good; None when it is not."""
    passed = step.skip_if & place.facts
    if passed:
        return f"Skipped: they {FACT_WORDS[min(passed)]}."
    unfit = why_not(step.only_if, place) if step.only_if else None
    if unfit:
        return unfit
    if step.key in place.owed:
        return None
    if step.wait_for is not None and _waited_in_vain(step.wait_for, place):
        return f"Skipped: it waited in vain for this: they {_either(step.wait_for.facts)}."
    if step.expires_after is not None and now > due + step.expires_after:
        return "Skipped: its time had passed."
    return None


def _waited_in_vain(awaited: WaitFor, place: Place) -> bool:
    return awaited.or_skip and not awaited.facts & place.facts
