"""What a publish would change, in numbers and names, before anything is published.

It is told from the very places and rules by which the publish then takes effect: see
`services.stands`, `services.live_edits` and `domain.impact`.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from funnel.content.mails import parse_mail
from funnel.content.shipped import ShippedText
from funnel.db.mail import Enrolment, Message
from funnel.db.people import Subscriber
from funnel.domain.delivery import NOT_STARTED
from funnel.domain.enrolment import LIVE
from funnel.domain.impact import (
    Change,
    Crowd,
    Group,
    StepEffect,
    next_after,
    step_effects,
    who_still_gets,
)
from funnel.domain.impact_words import (
    Named,
    exits_sentence,
    move_sentence,
    rule_sentences,
    step_sentences,
    words_sentence,
)
from funnel.domain.sequence import Fact, Sequence, Step
from funnel.services import stands, texts
from funnel.services.impact_times import Times
from funnel.services.reports.titles import newest_subjects, plain_subject

MOST_NAMES = 3


@dataclass(frozen=True)
class Choice:
    """A step that those past it may be sent too: its mail key, title, and how many they are."""

    key: str
    title: str
    many: int


@dataclass(frozen=True)
class Impact:
    """What a publish would change: plain sentences in order, and what may be asked for beside."""

    sentences: tuple[str, ...]
    choices: tuple[Choice, ...]


def impact(
    session: Session,
    wanted: Collection[ShippedText],
    drafts: Mapping[str, Sequence],
    *,
    now: datetime,
) -> Impact:
    """What publishing these texts, already found good, would change; `drafts` are the sequences
    among them, by key."""
    known = texts.sequences(session)
    after = known | {key: texts.draft_with_history(session, each) for key, each in drafts.items()}
    subjects = newest_subjects(session) | _subjects(wanted)
    sentences: list[str] = []
    choices: list[Choice] = []
    for key in drafts:
        preview = _Preview(session, known.get(key), after[key], subjects, now)
        sentences += preview.sentences()
        choices += preview.choices()
    for text in wanted:
        if text.kind == "mail" and not _is_newest(session, text):
            sentences += _words(session, text.key, after, subjects)
    return Impact(tuple(sentences), tuple(choices))


def _subjects(wanted: Collection[ShippedText]) -> dict[str, str]:
    return {
        text.key: plain_subject(parse_mail(text.source, text.where))
        for text in wanted
        if text.kind == "mail"
    }


def _is_newest(session: Session, text: ShippedText) -> bool:
    newest = texts.latest(session, text.kind, text.key)
    return newest is not None and newest.source == text.source


class _Preview:
    """The preview of one sequence."""

    def __init__(
        self,
        session: Session,
        old: Sequence | None,
        new: Sequence,
        subjects: Mapping[str, str],
        now: datetime,
    ) -> None:
        self._session = session
        self._old = old
        self._new = new
        self._subjects = subjects
        self._now = now
        self._crowd = stands.crowd(session, self._new)
        self._effects = () if old is None else step_effects(old, self._new, self._crowd)

    def sentences(self) -> Iterator[str]:
        """One or more sentences for each change."""
        if self._old is None:
            yield f"“{self._new.title}” is a new sequence. Nobody is in it yet."
            return
        for effect in self._effects:
            yield from step_sentences(
                effect,
                title=self._title(effect.step),
                misses=self._named(effect.misses),
                waiting=self._named(effect.waiting),
                goes_on_with=self._next_of(effect),
                is_for_some=_is_for_some(self._new, effect.step),
            )
        yield from self._moves(self._old)
        yield from self._exits(self._old)
        yield from rule_sentences(self._old, self._new, many=self._inside())

    def choices(self) -> Iterator[Choice]:
        """The steps that somebody is past without having had them."""
        for effect in self._effects:
            if effect.change is not Change.DELETED and effect.misses.many:
                key = f"{self._new.key}/{effect.step}"
                yield Choice(key, self._title(effect.step), effect.misses.many)

    def _title(self, step: str) -> str:
        return self._subjects.get(f"{self._new.key}/{step}", step)

    def _inside(self) -> int:
        return sum(many for stand, many in self._crowd.people.items() if not stand.is_over)

    def _named(self, group: Group) -> Named:
        return Named(group.many, names(self._session, self._new, group) if group.many else ())

    def _next_of(self, effect: StepEffect) -> tuple[str, ...]:
        """The titles of what those go on with who stood before a step; none at the end."""
        return tuple(
            self._title(step.key)
            for step in self._new.steps
            if self._goes_anyone_on_with(step, effect.waiting)
        )

    def _goes_anyone_on_with(self, step: Step, group: Group) -> bool:
        past = next_after(self._new, step, self._crowd, group.stands)
        if not past:
            return False
        them = stands.at_having(past, lacks={step.key, group.step})
        query = stands.people_in(self._new).where(them).limit(1)
        return self._session.scalars(query).first() is not None

    def _moves(self, old: Sequence) -> Iterator[str]:
        """Whose next mail falls due at another time, for each step whose time was changed."""
        times = Times(old, self._new, self._crowd, self._now)
        for step in self._new.steps:
            if times.are_changed(step):
                before = times.standing_before(self._session, step)
                yield move_sentence(self._title(step.key), before.moves, standing=before.many)

    def _exits(self, old: Sequence) -> Iterator[str]:
        for fact in sorted(self._new.exits_on - old.exits_on):
            query = _members(self._new).where(stands.reached_one_of({fact}))
            yield exits_sentence(Fact(fact), self._session.scalars(_count(query)).one())


def _is_for_some(sequence: Sequence, key: str) -> bool:
    """Whether conditions decide who gets a step: its own, or those of a way past it."""
    step = sequence.step(key)
    if step is None:
        return False
    keys = [each.key for each in sequence.steps]
    at = keys.index(key)
    ways = (way for fork in sequence.steps[:at] for way in fork.ways)
    is_passed = any(keys.index(way.onto) > at for way in ways)
    return is_passed or bool(step.only_if or step.skip_if or step.wait_for or step.ways)


def _members(sequence: Sequence) -> Select[int]:
    return select(Enrolment.id).where(
        Enrolment.sequence_key == sequence.key, Enrolment.state.in_(LIVE)
    )


def _count(query: Select[int]) -> Select[int]:
    return select(func.count()).select_from(query.subquery())


def names(session: Session, sequence: Sequence, group: Group) -> tuple[str, ...]:
    """The first few of a group, by the name they gave or else their address."""
    query = (
        stands.people_in(sequence)
        .join(Subscriber, Subscriber.id == Enrolment.subscriber_id)
        .where(stands.at(group.stands, group.step))
        .order_by(Enrolment.id)
        .limit(MOST_NAMES)
        .with_only_columns(Subscriber.first_name, Subscriber.email)
    )
    return tuple(name or email for name, email in session.execute(query))


def _words(
    session: Session, mail_key: str, known: Mapping[str, Sequence], subjects: Mapping[str, str]
) -> Iterator[str]:
    """How many will read new words, and how many have read the old ones."""
    if texts.latest(session, "mail", mail_key) is None:
        return
    had = _many(session, mail_key, Message.state.in_(stands.HAD))
    waiting = _waiting_fresh(session, mail_key)
    key, _, name = mail_key.partition("/")
    step, _, arm = name.partition(".")
    sequence = known.get(key)
    coming = 0
    if sequence is not None and sequence.step(step) is not None:
        coming = _still_to_come(sequence, step, stands.crowd(session, sequence))
    yield words_sentence(
        subjects[mail_key], gets=coming + waiting, had=had, is_service=sequence is None, arm=arm
    )


def _still_to_come(sequence: Sequence, step: str, crowd: Crowd) -> int:
    group = who_still_gets(sequence, step, crowd)
    # Those whose mail waits to leave are counted by the mail itself.
    return crowd.without((each for each in group.stands if each.open_step != step), step)


def _many(session: Session, mail_key: str, condition: ColumnElement[bool]) -> int:
    query = select(func.count(Message.subscriber_id.distinct()))
    return session.scalars(query.where(Message.mail_key == mail_key, condition)).one()


def _waiting_fresh(session: Session, mail_key: str) -> int:
    is_waiting = Message.state.in_(NOT_STARTED)
    fresh = Message.payload_sha256.is_(None) & Message.is_resent.is_(False)
    return _many(session, mail_key, is_waiting & fresh)
