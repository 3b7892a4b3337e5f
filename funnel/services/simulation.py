"""The demo's people living in the funnel, and what a demo remembers of itself.

Nothing but the database is remembered: after a stop at any instant a new `Simulation` goes on,
and nobody does a thing twice.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from funnel.db.guides import Guide, GuidePrint
from funnel.db.mail import Enrolment, Message
from funnel.db.people import FunnelEvent
from funnel.domain.clock import Clock
from funnel.domain.delivery import MessageState
from funnel.domain.enrolment import EnrolmentState
from funnel.domain.errors import FunnelError
from funnel.domain.guides import GuideState
from funnel.domain.simulated import Act, ActKind, Persona, Plan, next_act
from funnel.services import control
from funnel.services.simulated_acts import Stage, ask, do, touch_of
from funnel.services.simulated_people import Known, know, mailed_since
from funnel.services.visits import NO_SOURCE, CountedPage, record_visits

PLAN = "demo_plan"
PROGRESS = "demo_progress"
SAVE_EVERY = timedelta(hours=1)
TRY_AGAIN_AFTER = timedelta(days=1)


def find_plan(session: Session) -> Plan | None:
    """The plan of the demo that lives in this database."""
    kept = control.read(session, PLAN)
    if not kept:
        return None
    seed, visitors, days = (int(str(kept[name])) for name in ("seed", "visitors", "days"))
    return Plan(seed, visitors, days, date.fromisoformat(str(kept["first_day"])))


def keep_plan(session: Session, plan: Plan) -> None:
    """Remember the plan of a new demo."""
    kept = {"seed": plan.seed, "visitors": plan.visitors, "days": plan.days}
    control.write(session, PLAN, {**kept, "first_day": plan.first_day.isoformat()})


def reached(session: Session, plan: Plan) -> datetime:
    """The instant a demo had reached: never before anything that happened in it."""
    saved = control.read(session, PROGRESS).get("at")
    newest = [
        datetime.fromisoformat(str(saved)) if saved else None,
        session.scalar(select(func.max(FunnelEvent.occurred_at))),
        session.scalar(select(func.max(Message.closed_at))),
        session.scalar(select(func.max(Guide.ready_at))),
    ]
    return max([plan.starts_at(), *(when for when in newest if when is not None)])


def next_work_at(session: Session) -> datetime | None:
    """When background work next has something to do; None when nothing is under way."""
    is_mail_leased = Message.state.in_([MessageState.CLAIMED, MessageState.SENDING])
    queries = (
        select(func.min(Enrolment.next_due_at)).where(Enrolment.state == EnrolmentState.ACTIVE),
        select(func.min(Message.not_before)).where(Message.state == MessageState.SCHEDULED),
        select(func.min(Message.lease_until)).where(is_mail_leased),
        select(func.min(Message.doubt_since)).where(Message.state == MessageState.UNKNOWN),
        select(func.min(GuidePrint.not_before)).where(GuidePrint.state == GuideState.REQUESTED),
        select(func.min(GuidePrint.lease_until)).where(GuidePrint.state == GuideState.CLAIMED),
    )
    found = [session.scalar(query) for query in queries]
    return min((when for when in found if when is not None), default=None)


@dataclass
class Simulation:
    """Lets the people of a plan come and act. One at a time, in one process.

    `overlap` is how far back a look for new mails reaches, for work that goes on beside it.
    """

    sessions: sessionmaker[Session]
    reading: sessionmaker[Session]
    clock: Clock
    plan: Plan
    stage: Stage
    overlap: timedelta = timedelta(0)
    _people: dict[str, Persona] = field(default_factory=dict)
    _known: dict[str, Known] = field(default_factory=dict)
    _agenda: dict[str, Act] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with self.reading.begin() as session:
            self._arrived = int(str(control.read(session, PROGRESS).get("arrived", 0)))
            self._saved_at = self._looked_at = reached(session, self.plan)
        self._coming = self.plan.people()
        self._next = self._skip_to(self._arrived)
        self._learn(self._people)

    def round(self) -> bool:
        """Let everyone come and act who would by now; True when somebody acted."""
        self._welcome()
        self.look()
        has_acted = False
        while due := self._due():
            for email, act in due.items():
                self._act(email, act)
            self._learn(due)
            self._postpone_what_failed(due)
            has_acted = True
        return has_acted

    def look(self) -> None:
        """See which mails were accepted meanwhile."""
        since, self._looked_at = self._looked_at - self.overlap, self.clock.now()
        with self.reading.begin() as session:
            mailed = mailed_since(session, since)
        self._learn(mailed & self._people.keys())

    def next_at(self) -> datetime:
        """When somebody next comes or acts, by what was seen at the last look."""
        return min([self._next.arrives_at, *(act.at for act in self._agenda.values())])

    def _skip_to(self, arrived: int) -> Persona:
        """Meet again all who had come, and return the first who had not."""
        while (persona := next(self._coming)).number <= arrived:
            self._meet(persona)
        return persona

    def _meet(self, persona: Persona) -> None:
        if persona.intents:
            self._people[persona.address] = persona

    def _welcome(self) -> None:
        """Count those who came, once: the counts and the progress are one transaction."""
        now = self.clock.now()
        came = list(self._came_by(now))
        if not came and now - self._saved_at < SAVE_EVERY:
            return
        visits = Counter(page for each in came for page in self._pages_of(each))
        arrived = came[-1].number if came else self._arrived
        with self.sessions.begin() as session:
            record_visits(session, visits, now=now)
            control.write(session, PROGRESS, {"arrived": arrived, "at": now.isoformat()})
        self._arrived, self._saved_at = arrived, now
        self._learn({each.address for each in came if each.intents})

    def _pages_of(self, visitor: Persona) -> Iterator[tuple[str, str]]:
        """The pages a visitor is counted on, each with the source that is counted there."""
        yield CountedPage.LANDING, touch_of(visitor, self.stage.links).source
        if visitor.starts_check:
            yield CountedPage.CHECK_STARTED, NO_SOURCE
        if visitor.ends_check:
            yield CountedPage.CHECK_DONE, NO_SOURCE

    def _came_by(self, now: datetime) -> Iterator[Persona]:
        while self._next.arrives_at <= now:
            self._meet(self._next)
            yield self._next
            self._next = next(self._coming)

    def _learn(self, emails: Collection[str]) -> None:
        """Read again what happened to these people, and decide what each does next."""
        if emails:
            with self.reading.begin() as session:
                self._known |= know(session, emails)
        for email in emails:
            known = self._known.get(email)
            act = next_act(self._people[email], known.seen if known else {})
            self._agenda.pop(email, None)
            if act is not None:
                self._agenda[email] = act

    def _due(self) -> dict[str, Act]:
        now = self.clock.now()
        due = [(act.at, email) for email, act in self._agenda.items() if act.at <= now]
        return {email: self._agenda[email] for _, email in sorted(due)}

    def _act(self, email: str, act: Act) -> None:
        """One act, in a transaction of its own. A refusal is what a page would have said."""
        now = self.clock.now()
        with suppress(FunnelError), self.sessions.begin() as session:
            if act.kind is ActKind.REQUEST:
                ask(session, self._people[email], self.stage, now=now)
            else:
                do(session, self._known[email], act, self.stage, now=now)

    def _postpone_what_failed(self, tried: Mapping[str, Act]) -> None:
        """What had no effect, such as a payment with no desk yet, is tried again a day later."""
        for email, act in tried.items():
            following = self._agenda.get(email)
            if following and (following.kind, following.day) == (act.kind, act.day):
                later = self.clock.now() + TRY_AGAIN_AFTER
                self._agenda[email] = replace(following, at=later)
