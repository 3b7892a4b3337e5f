"""The timers: what was kept too long goes by itself, a batch at a time; and a look beforehand."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from funnel.db.people import Subscriber
from funnel.domain.clock import Clock
from funnel.domain.people import PersonState
from funnel.domain.retention import months_before
from funnel.services.rights.rules import Rule, gets_mail, is_silent


@dataclass(frozen=True)
class Due:
    """What a rule would let go now: how many rows, and the time the oldest is counted from."""

    rule: Rule
    count: int
    oldest: datetime | None


@dataclass(frozen=True)
class Timers:
    """Lets go of what is over. Any number may run at once, anywhere; repeating does no harm."""

    sessions: sessionmaker[Session]
    reading: sessionmaker[Session]
    clock: Clock
    rules: tuple[Rule, ...]

    def let_go(self, rule: Rule) -> bool:
        """Let one batch of a rule go; False when nothing of it is over.

        It is looked at first in a transaction that only reads: nobody waits for a long look.
        """
        now = self._now(rule)
        with self.reading.begin() as session:
            if session.execute(rule.due(now).limit(1)).first() is None:
                return False
        with self.sessions.begin() as session:
            query = rule.due(now).limit(rule.at_once).with_for_update(skip_locked=True)
            found = session.execute(query).all()
            if found:
                rule.let_go(session, found, now)
        return bool(found)

    def due(self, session: Session) -> tuple[Due, ...]:
        """What would go now, rule by rule. Nothing is changed."""
        return tuple(self._due(session, rule) for rule in self.rules)

    def _due(self, session: Session, rule: Rule) -> Due:
        over = rule.due(self._now(rule)).subquery()
        count, oldest = session.execute(select(func.count(), func.min(over.c.since))).one()
        return Due(rule, count, oldest)

    def _now(self, rule: Rule) -> datetime:
        return self.clock.machine() if rule.by_machine else self.clock.now()


def silent_readers(session: Session, months: int, *, now: datetime) -> int:
    """People who agree to a series and have given no sign of life for so long: to be asked, by a
    person, whether they still want it. They are not let go by themselves."""
    query = select(func.count()).select_from(Subscriber)
    is_meant = is_silent(months_before(now, months)) & gets_mail()
    found = session.scalar(query.where(Subscriber.state == PersonState.CONFIRMED, is_meant))
    return found or 0
