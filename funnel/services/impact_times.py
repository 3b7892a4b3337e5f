"""Whose next mail falls due at another time by a new version of a sequence."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from funnel.db.mail import Enrolment
from funnel.db.people import Subscriber
from funnel.domain.enrolment import EnrolmentState
from funnel.domain.impact import Crowd, next_after
from funnel.domain.impact_words import Move
from funnel.domain.schedule import due_after, next_opening, zone_of
from funnel.domain.sequence import Sequence, Step
from funnel.services import stands

TIMING = frozenset({"delay", "at", "weekdays", "window"})


@dataclass(frozen=True)
class Before:
    """Those who stand right before a step: how many, and the due times that move, soonest first."""

    many: int
    moves: tuple[Move, ...]


@dataclass(frozen=True)
class Times:
    """When steps fall due by the old version and by the new."""

    old: Sequence
    new: Sequence
    crowd: Crowd
    now: datetime

    def are_changed(self, step: Step) -> bool:
        """Whether a step was there before and falls due by other rules now."""
        before = self.old.step(step.key)
        return before is not None and (
            any(getattr(before, part) != getattr(step, part) for part in TIMING)
            or (self.old.window != self.new.window and step.window is None)
        )

    def standing_before(self, session: Session, step: Step) -> Before:
        """Those under way whose next mail is this one by the new version. Their old due time is
        that of the mail that came next by the old version, which may have been another."""
        found = [
            move
            for before in self.old.steps
            for move in self._due_times(session, before, step)
        ]  # fmt: skip
        return Before(len(found), tuple(sorted(each for each in found if each[0] != each[1])))

    def _due_times(self, session: Session, before: Step, after: Step) -> list[Move]:
        """The due times of those who had `before` next and have `after` next now."""
        was = next_after(self.old, before, self.crowd, self.crowd.free)
        will = next_after(self.new, after, self.crowd, self.crowd.free)
        past = {stand: was[stand] | will[stand] for stand in was.keys() & will.keys()}
        if not past:
            return []
        query = (
            stands.people_in(self.new)
            .join(Subscriber, Subscriber.id == Enrolment.subscriber_id)
            .where(
                stands.at_having(past, lacks={before.key, after.key}),
                Enrolment.state == EnrolmentState.ACTIVE,
            )
            .with_only_columns(Enrolment.anchor_at, Subscriber.time_zone)
        )
        return [
            Move(
                self._due(self.old, before, anchor, zone), self._due(self.new, after, anchor, zone)
            )
            for anchor, zone in session.execute(query)
        ]

    def _due(self, sequence: Sequence, step: Step, anchor: datetime, name: str | None) -> datetime:
        zone = zone_of(name)
        due = due_after(anchor, step.delay, zone, at=step.at, weekdays=step.weekdays)
        return next_opening(max(due, self.now), zone, step.window or sequence.window)
