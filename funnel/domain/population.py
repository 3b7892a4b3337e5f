"""Many invented people living through the sequences in memory, by the decisions of the engine.

Everything happens on a grid of ten minutes, as in the quick demo: what falls into the same ten
minutes is done together, people first, mail after them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from funnel.domain.decision import due_at
from funnel.domain.people import Purpose
from funnel.domain.progress import Progress, heeds, progress
from funnel.domain.sequence import Fact, Finish, House, Place, Send, Sequence, Wait
from funnel.domain.simulated import (
    CONFIRM_MAIL,
    DAYS_DONE,
    GUIDE_MAIL,
    Act,
    ActKind,
    Persona,
    next_act,
)

GRID = timedelta(minutes=10)
WAITLIST_MAIL = "service/waitlist_joined"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_A_WEEK = timedelta(days=7)
_FACTS = {
    ActKind.REQUEST: Fact.REQUESTED,
    ActKind.CONFIRM: Fact.CONFIRMED,
    ActKind.DOWNLOAD: Fact.DOWNLOADED,
    ActKind.JOIN: Fact.JOINED,
    ActKind.WAIT: Fact.WAITLISTED,
    ActKind.PAY: Fact.PURCHASED,
    ActKind.LEAVE: Fact.UNSUBSCRIBED,
}


def on_grid(when: datetime) -> datetime:
    """The next ten minutes from `when` on, itself too."""
    return _EPOCH + -((_EPOCH - when) // GRID) * GRID


@dataclass
class Tally:
    """What came of many lives: facts, mails by key and by instant, and rows by table."""

    facts: Counter[str] = field(default_factory=Counter)
    mails: Counter[str] = field(default_factory=Counter)
    at: Counter[datetime] = field(default_factory=Counter)
    _rows: Counter[str] = field(default_factory=Counter)

    @property
    def rows(self) -> Counter[str]:
        """How many rows of the database that makes, by table."""
        mails, facts = self.mails.total(), self.facts.total()
        return self._rows + Counter(message=mails, attempt=mails, funnel_event=facts)

    def note(self, **rows: int) -> None:
        """Count rows that are neither mails nor facts."""
        for table, count in rows.items():
            self._rows[table] += count

    def add(self, other: "Tally") -> None:
        """Count another tally in."""
        self.facts.update(other.facts)
        self.mails.update(other.mails)
        self.at.update(other.at)
        self.note(**other._rows)


class Where(NamedTuple):
    """A place without its person, quick to compare; the fields are those of `Place`."""

    anchor_at: datetime
    last_step: str | None
    facts: frozenset[Fact]
    zone: str | None
    last_drip_at: datetime | None
    source: str
    days_done: int
    onto: str | None
    had: frozenset[str]
    recent: tuple[datetime, ...]
    ahead: datetime | None


@dataclass
class World:
    """The sequences and rules that all live by. Equal decisions are made once and remembered."""

    sequences: Mapping[str, Sequence]
    house: House
    ends_at: datetime
    _known: dict[tuple[str, Where, datetime], Progress | None] = field(
        default_factory=dict, init=False
    )

    def __post_init__(self) -> None:
        known = self.sequences.values()
        self.has_ranks = len({each.priority for each in known}) > 1
        self.heeding = {fact: {each.key for each in known if heeds(each, fact)} for fact in Fact}
        self.asked_by = {each.key: each.exits_on | self._heeded(each.key) for each in known}
        self._has_arms = {each.key for each in known if any(step.variants for step in each.steps)}

    def _heeded(self, key: str) -> frozenset[Fact]:
        return frozenset(fact for fact, keys in self.heeding.items() if key in keys)

    def decide(self, sequence: Sequence, where: Where, handle: UUID, now: datetime) -> Progress:
        """What happens next. Only an arm, and the spread of a mail that is held, look at whose
        life it is; all else is the same for everybody who stands in the same place."""
        asked = (sequence.key, where, now)
        if asked not in self._known:
            found = progress(sequence, Place(**where._asdict()), now, self.house)
            self._known[asked] = None if self._is_personal(sequence, found) else found
        shared = self._known[asked]
        if shared is not None:
            return shared
        return progress(sequence, Place(**where._asdict(), handle=handle), now, self.house)

    def _is_personal(self, sequence: Sequence, found: Progress) -> bool:
        if sequence.key in self._has_arms:
            return True
        match found.decision:
            case Wait(step, until):
                return bool(self.house.spread) and until != due_at(step, found.place)
            case _:
                return False


@dataclass
class _Standing:
    """One person's live place in one sequence."""

    sequence: Sequence
    anchor_at: datetime
    due: datetime
    last_step: str | None = None
    onto: str | None = None
    had: frozenset[str] = frozenset()


@dataclass
class Life:
    """One person's life, from the first visit to the end of the world."""

    persona: Persona
    world: World
    tally: Tally
    source: str = "direct"
    seen: dict[str, datetime] = field(default_factory=dict)
    _agreed: set[Purpose] = field(default_factory=set)
    _live: dict[str, _Standing] = field(default_factory=dict)
    _entered: set[str] = field(default_factory=set)
    _drips: list[datetime] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._handle = UUID(int=self.persona.number)
        self._act = next_act(self.persona, self.seen)
        self._is_stirred = False
        self._triggers = {name for each in self.persona.intents for name in each.triggers}
        self._facts: frozenset[Fact] = frozenset()
        self._days = 0

    def live(self) -> None:
        """Live it."""
        now = self._next_instant(None)
        while now is not None and now <= self.world.ends_at:
            while self._act and self._act.at <= now:
                self._do(self._act, now)
                self._act = next_act(self.persona, self.seen)
            while due := [each for each in self._live.values() if each.due <= now]:
                for each in sorted(due, key=lambda one: (-one.sequence.priority, one.due)):
                    self._advance(each, now)
            now = self._next_instant(now)

    def _next_instant(self, now: datetime | None) -> datetime | None:
        if self._is_stirred:
            self._act = next_act(self.persona, self.seen)
            self._is_stirred = False
        coming = [each.due for each in self._live.values()]
        coming += [self._act.at] if self._act else []
        if not coming:
            return None
        soonest = on_grid(min(coming))
        return soonest if now is None else max(soonest, now + GRID)

    def _do(self, act: Act, now: datetime) -> None:
        match act.kind:
            case ActKind.CONFIRM:
                self._agree(Purpose.SERIES, is_meant=self.persona.wants_series)
            case ActKind.JOIN:
                self._agree(Purpose.CHALLENGE, is_meant=True)
            case ActKind.LEAVE:
                self.tally.note(consent_event=len(self._agreed), consent=-len(self._agreed))
                self._live.clear()
                self._agreed.clear()
            case ActKind.TICK:
                self._tick(act.day, now)
                return
            case _:
                pass
        self.tally.note(**_rows_of(act.kind, self.persona))
        self._record(_FACTS[act.kind], now)
        for mail in _ANSWERS.get(act.kind, ()):
            self._mail(mail, now)

    def _agree(self, purpose: Purpose, *, is_meant: bool) -> None:
        if is_meant:
            self._agreed.add(purpose)
            self.tally.note(consent=1, consent_event=1)

    def _tick(self, day: int, now: datetime) -> None:
        self.seen[f"day-{day}"] = now
        self._days += 1
        self.tally.note(challenge_day_done=1)
        if self._days == len(DAYS_DONE):
            self._record(Fact.COMPLETED, now)

    def _record(self, fact: Fact, now: datetime) -> None:
        """Note a fact; the sequences that it is the goal of end, and those it opens start."""
        self.seen[fact] = now
        self._facts |= {fact}
        self.tally.facts[fact] += 1
        known = self.world.sequences.values()
        ended = [each.key for each in known if fact in each.exits_on and each.key in self._live]
        for key in ended:
            del self._live[key]
        for standing in self._live.values():
            if ended or standing.sequence.key in self.world.heeding[fact]:
                standing.due = min(standing.due, now)
        for sequence in known:
            if fact in sequence.starts_on:
                self._enter(sequence, now)

    def _enter(self, sequence: Sequence, now: datetime) -> None:
        if sequence.purpose in self._agreed and sequence.key not in self._entered:
            self._entered.add(sequence.key)
            self._live[sequence.key] = _Standing(sequence, anchor_at=now, due=now)
            self.tally.note(enrolment=1)

    def _advance(self, standing: _Standing, now: datetime) -> None:
        key = standing.sequence.key
        if self._live.get(key) is not standing:
            return
        where = self._where(standing, now)
        found = self.world.decide(standing.sequence, where, self._handle, now)
        if found.skips:
            self.tally.note(step_skip=len(found.skips))
        standing.last_step, standing.onto = found.place.last_step, found.place.onto
        standing.anchor_at = found.place.anchor_at
        match found.decision:
            case Send(step, _, mail):
                self._mail(f"{key}/{mail}", now)
                self._drips.append(now)
                standing.had |= {step.key}
                standing.last_step, standing.onto, standing.anchor_at = step.key, None, now
            case Wait(_, until):
                standing.due = until
            case ended:
                del self._live[key]
                if isinstance(ended, Finish) and not ended.is_exit:
                    self._follow(key, now)

    def _follow(self, key: str, now: datetime) -> None:
        for sequence in self.world.sequences.values():
            if sequence.follows == key:
                self._enter(sequence, now)

    def _where(self, standing: _Standing, now: datetime) -> Where:
        """Where this person stands, without what makes no difference now: facts that the sequence
        does not ask for, a last mail long enough ago, mails fewer than the cap."""
        sequence, cap = standing.sequence, self.world.house.weekly_cap
        last = self._drips[-1] if self._drips else None
        recent = tuple(at for at in self._drips if at > now - _A_WEEK)
        return Where(
            anchor_at=standing.anchor_at,
            last_step=standing.last_step,
            facts=self._facts & self.world.asked_by[sequence.key],
            zone=self.persona.time_zone,
            last_drip_at=last if last and now < last + sequence.min_gap else None,
            source=self.source,
            days_done=self._days,
            onto=standing.onto,
            had=standing.had,
            recent=recent if cap is not None and len(recent) >= cap else (),
            ahead=self._ahead(standing, now) if self.world.has_ranks else None,
        )

    def _ahead(self, standing: _Standing, now: datetime) -> datetime | None:
        rank = standing.sequence.priority
        others = [each.due for each in self._live.values() if each.sequence.priority > rank]
        return min((due if due > now else now for due in others), default=None)

    def _mail(self, key: str, now: datetime) -> None:
        step = key.partition(".")[0]
        if step in self._triggers:
            self._is_stirred = True
            self.seen.setdefault(step, now)
        self.tally.mails[key] += 1
        self.tally.at[now] += 1


_ANSWERS = {
    ActKind.REQUEST: (CONFIRM_MAIL,),
    ActKind.CONFIRM: (GUIDE_MAIL,),
    ActKind.WAIT: (WAITLIST_MAIL,),
}


def _rows_of(kind: ActKind, persona: Persona) -> dict[str, int]:
    """The rows that an act leaves behind, but those of consents, facts and mails."""
    match kind:
        case ActKind.REQUEST:
            return {"subscriber": 1, "confirmation": 1, "consent_event": 3}
        case ActKind.CONFIRM:
            kept = int(persona.wants_health)
            rows = {"consent_event": 1 + kept, "consent": kept, "kept_answers": kept}
            return {**rows, "guide": 1, "guide_print": 2}
        case ActKind.JOIN:
            return {"challenge_entry": 1}
        case ActKind.WAIT:
            return {"waitlist_entry": 1}
        case ActKind.PAY:
            return {"purchase": 1}
        case ActKind.LEAVE:
            return {"suppression": 1}
        case _:
            return {}


def live_all(people: Iterable[tuple[Persona, str]], world: World) -> Tally:
    """Let people live, each given with the source they came from."""
    tally = Tally()
    for persona, source in people:
        Life(persona, world, tally, source).live()
    return tally
