"""The sequences as the desk shows them: what they send, who stands where, and what was left out."""

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from funnel.content.sequences import mail_keys
from funnel.db.mail import Enrolment, Message, StepSkip
from funnel.domain import step_words
from funnel.domain.enrolment import LIVE
from funnel.domain.errors import NotFound
from funnel.domain.impact import Crowd, next_index
from funnel.domain.sequence import Sequence
from funnel.services import sequence_pause, stands, texts
from funnel.services.reports.titles import newest_subjects
from funnel.services.sequence_pause import Pause

MOST_REASONS = 6


@dataclass(frozen=True)
class SequenceLine:
    """One sequence in the list. `inside` counts the people under way."""

    key: str
    title: str
    entry: str
    steps: int
    inside: int
    pause: Pause | None


@dataclass(frozen=True)
class Mail:
    """A mail of a step: the arm it belongs to (empty without a test) and its subject."""

    key: str
    name: str
    arm: str
    subject: str


@dataclass(frozen=True)
class StepLine:
    """One step: its rules in words, who stands before it, who had it, and who not and why."""

    key: str
    title: str
    timing: str
    rules: tuple[str, ...]
    mails: tuple[Mail, ...]
    before: int
    had: int
    skips: tuple[tuple[str, int], ...]

    @property
    def skipped(self) -> int:
        """For how many it was passed over, by the reasons shown."""
        return sum(many for _, many in self.skips)


@dataclass(frozen=True)
class SequenceView:
    """One sequence with its steps in order."""

    key: str
    title: str
    entry: str
    exits: str
    inside: int
    over: int
    pause: Pause | None
    steps: tuple[StepLine, ...]


def sequences(session: Session) -> list[SequenceLine]:
    """Every sequence, by key."""
    known = texts.sequences(session)
    titles = {key: each.title for key, each in known.items()}
    paused = sequence_pause.paused(session)
    query = select(Enrolment.sequence_key, func.count()).where(Enrolment.state.in_(LIVE))
    rows = session.execute(query.group_by(Enrolment.sequence_key))
    inside = {row[0]: row[1] for row in rows}
    return [
        SequenceLine(
            key=key,
            title=each.title,
            entry=step_words.entry(each, titles),
            steps=sum(1 for step in each.steps if not step.ways),
            inside=inside.get(key, 0),
            pause=paused.get(key),
        )
        for key, each in sorted(known.items())
    ]


def sequence(session: Session, key: str) -> SequenceView:
    """One sequence; raises NotFound."""
    known = texts.sequences(session)
    found = known.get(key)
    if found is None:
        raise NotFound
    crowd = stands.crowd(session, found)
    return SequenceView(
        key=key,
        title=found.title,
        entry=step_words.entry(found, {name: each.title for name, each in known.items()}),
        exits=step_words.exits(found),
        inside=sum(many for stand, many in crowd.people.items() if not stand.is_over),
        over=sum(many for stand, many in crowd.people.items() if stand.is_over),
        pause=sequence_pause.paused(session).get(key),
        steps=_steps(session, found, crowd),
    )


def _steps(session: Session, found: Sequence, crowd: Crowd) -> tuple[StepLine, ...]:
    subjects = newest_subjects(session)
    before, had, skips = _before(found, crowd), _had(session, found), _skips(session, found)
    lines = []
    for place, step in enumerate(found.steps):
        mails = _mails(found, step.key, subjects)
        lines.append(
            StepLine(
                key=step.key,
                title=mails[0].subject if mails else "The ways part",
                timing=step_words.timing(step, is_first=place == 0),
                rules=step_words.rules(step),
                mails=mails,
                before=before[step.key],
                had=had.get(step.key, 0),
                skips=tuple(skips[step.key][:MOST_REASONS]),
            )
        )
    return tuple(lines)


def _mails(found: Sequence, step: str, subjects: dict[str, str]) -> tuple[Mail, ...]:
    names = sorted(name for name in mail_keys(found) if name.partition(".")[0] == step)
    return tuple(
        Mail(f"{found.key}/{name}", name, name.partition(".")[2],
             subjects.get(f"{found.key}/{name}", name))
        for name in names
    )  # fmt: skip


def _before(found: Sequence, crowd: Crowd) -> dict[str, int]:
    """How many have each step next, or its mail on its way."""
    before: dict[str, int] = defaultdict(int)
    for stand, many in crowd.people.items():
        place = next_index(found, stand)
        if stand.open_step is not None:
            before[stand.open_step] += many
        elif not stand.is_over and place < len(found.steps):
            before[found.steps[place].key] += many
    return before


def _had(session: Session, found: Sequence) -> dict[str | None, int]:
    query = (
        select(Message.step_key, func.count())
        .join(Enrolment, Enrolment.id == Message.enrolment_id)
        .where(Enrolment.sequence_key == found.key, Message.state.in_(stands.HAD))
        .group_by(Message.step_key)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def _skips(session: Session, found: Sequence) -> dict[str, list[tuple[str, int]]]:
    many = func.count()
    query = (
        select(StepSkip.step_key, StepSkip.why, many)
        .join(Enrolment, Enrolment.id == StepSkip.enrolment_id)
        .where(Enrolment.sequence_key == found.key)
        .group_by(StepSkip.step_key, StepSkip.why)
        .order_by(many.desc(), StepSkip.why)
    )
    reasons: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for step, why, count in session.execute(query):
        reasons[step].append((why, count))
    return reasons


def step_titles(session: Session) -> dict[str, tuple[tuple[str, str], ...]]:
    """The key and title of every step that sends a mail, in order, by sequence."""
    subjects = newest_subjects(session)
    return {
        key: tuple(
            (step.key, _mails(found, step.key, subjects)[0].subject)
            for step in found.steps
            if not step.ways
        )
        for key, found in texts.sequences(session).items()
    }
