"""What publishing a sequence changes for the people in it, told before it happens."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum

from funnel.domain.decision import upcoming
from funnel.domain.sequence import Place, Sequence, Step

_ANY_TIME = datetime(2026, 1, 1, tzinfo=UTC)  # where a place is, no clock decides


@dataclass(frozen=True)
class Stand:
    """A place in a sequence; all who stand there are treated alike.

    `open_step` is the step whose mail is on its way, `is_started` once it may have left;
    `is_over` when the sequence ran to its end for them.
    """

    last_step: str | None = None
    onto: str | None = None
    open_step: str | None = None
    is_started: bool = False
    is_over: bool = False


@dataclass(frozen=True)
class Crowd:
    """How many people are at each stand, and how many of them had the mail of a step."""

    people: Mapping[Stand, int]
    had: Mapping[tuple[Stand, str], int]

    @property
    def free(self) -> frozenset[Stand]:
        """The stands of those under way who have no mail on its way."""
        return frozenset(
            each for each in self.people if each.open_step is None and not each.is_over
        )

    def without(self, stands: Iterable[Stand], step: str) -> int:
        """How many of these stands have not had the mail of this step."""
        return sum(self.people[each] - self.had.get((each, step), 0) for each in stands)


@dataclass(frozen=True)
class Group:
    """Those at some stands who have not had the mail of `step`, and how many they are."""

    step: str
    stands: frozenset[Stand] = frozenset()
    many: int = 0


class Change(StrEnum):
    """What happened to a step."""

    INSERTED = "inserted"
    DELETED = "deleted"
    MOVED = "moved"
    CHANGED = "changed"


@dataclass(frozen=True)
class StepEffect:
    """What a change of one step means: who gets it, and who will not.

    `gets` come to it by the new version; `misses` are past it and have not had it, or had it to
    come by the old version and have it no more. `waiting` stood right before it. `parts` names
    what was changed in it.
    """

    change: Change
    step: str
    gets: Group
    misses: Group
    waiting: Group
    parts: frozenset[str] = frozenset()


def next_index(sequence: Sequence, stand: Stand) -> int:
    """The index of the step that comes next at a stand; the number of steps at the end."""
    if stand.is_over:
        return len(sequence.steps)
    here = Place(_ANY_TIME, stand.last_step, frozenset(), onto=stand.onto)
    place = _index_of(sequence, upcoming(sequence, here))
    is_cancelled = sequence.step(stand.open_step) is None and not stand.is_started
    if stand.open_step is None or is_cancelled:
        return place
    after_mail = _index_of(sequence, sequence.after(stand.open_step))
    # A mail that was owed moves nobody back.
    return after_mail if stand.onto is not None else max(after_mail, place)


def next_after(
    sequence: Sequence, step: Step, crowd: Crowd, stands: Iterable[Stand]
) -> dict[Stand, frozenset[str]]:
    """From which of these stands a step may come next, and which mails one must have had for that.

    A mail that one had is passed over at once, so whoever had all up to a step has it next.
    """
    index = sequence.steps.index(step)
    found: dict[Stand, frozenset[str]] = {}
    for stand in stands:
        first = next_index(sequence, stand)
        past = frozenset(each.key for each in sequence.steps[first:index])
        if first <= index and all(crowd.had.get((stand, key)) for key in past):
            found[stand] = past
    return found


def _index_of(sequence: Sequence, step: Step | None) -> int:
    return len(sequence.steps) if step is None else sequence.steps.index(step)


def step_effects(old: Sequence, new: Sequence, crowd: Crowd) -> tuple[StepEffect, ...]:
    """One effect for each step that the new version puts in, takes out, moves or changes."""
    before, after = _steps(old), _steps(new)
    compare = _Comparison(old, new, crowd)
    lost = [compare.deleted(key) for key in before if key not in after]
    rest = [
        compare.kept(key, before[key], step) if key in before else compare.inserted(key)
        for key, step in after.items()
    ]
    return tuple(effect for effect in lost + rest if effect is not None)


def _steps(sequence: Sequence) -> dict[str, Step]:
    return {step.key: step for step in sequence.steps}


@dataclass(frozen=True)
class _Comparison:
    old: Sequence
    new: Sequence
    crowd: Crowd

    def inserted(self, key: str) -> StepEffect:
        return StepEffect(
            Change.INSERTED,
            key,
            gets=self._group(key, lambda stand: _comes(self.new, key, stand)),
            misses=self._group(key, lambda stand: not _comes(self.new, key, stand)),
            waiting=self._group(key, lambda stand: _is_next(self.new, key, stand)),
        )

    def deleted(self, key: str) -> StepEffect:
        return StepEffect(
            Change.DELETED,
            key,
            gets=Group(key),
            misses=self._group(key, lambda stand: _still_gets(self.old, key, stand)),
            waiting=self._group(
                key, lambda stand: _is_next(self.old, key, stand) or _waits_to_leave(key, stand)
            ),
        )

    def kept(self, key: str, before: Step, after: Step) -> StepEffect | None:
        parts = changed_parts(before, after)
        gains = self._group(
            key, lambda stand: _comes(self.new, key, stand) and not _comes(self.old, key, stand)
        )
        misses = self._group(
            key, lambda stand: _comes(self.old, key, stand) and not _comes(self.new, key, stand)
        )
        is_moved = key in moved_steps(self.old, self.new) or gains.many or misses.many
        if not is_moved and not parts:
            return None
        return StepEffect(
            Change.MOVED if is_moved else Change.CHANGED,
            key,
            gets=gains if is_moved else who_still_gets(self.new, key, self.crowd),
            misses=misses,
            waiting=self._group(key, lambda stand: _is_next(self.new, key, stand)),
            parts=parts,
        )

    def _group(self, key: str, holds: Callable[[Stand], bool]) -> Group:
        return _group(self.crowd, key, holds)


def who_still_gets(sequence: Sequence, key: str, crowd: Crowd) -> Group:
    """Those to whom the mail of a step still comes, or waits to leave."""
    return _group(crowd, key, lambda stand: _still_gets(sequence, key, stand))


def _group(crowd: Crowd, key: str, holds: Callable[[Stand], bool]) -> Group:
    stands = frozenset(stand for stand in crowd.people if holds(stand))
    return Group(key, stands, crowd.without(stands, key))


def _comes(sequence: Sequence, key: str, stand: Stand) -> bool:
    return _index(sequence, key) >= next_index(sequence, stand) and not stand.is_over


def _is_next(sequence: Sequence, key: str, stand: Stand) -> bool:
    return (
        stand.open_step is None
        and not stand.is_over
        and _index(sequence, key) == next_index(sequence, stand)
    )


def _waits_to_leave(key: str, stand: Stand) -> bool:
    return stand.open_step == key and not stand.is_started


def _still_gets(sequence: Sequence, key: str, stand: Stand) -> bool:
    return _comes(sequence, key, stand) or _waits_to_leave(key, stand)


def _index(sequence: Sequence, key: str) -> int:
    return [step.key for step in sequence.steps].index(key)


def changed_parts(before: Step, after: Step) -> frozenset[str]:
    """The names of what differs between two versions of a step."""
    return frozenset(
        each.name
        for each in fields(Step)
        if getattr(before, each.name) != getattr(after, each.name)
    )


def moved_steps(old: Sequence, new: Sequence) -> frozenset[str]:
    """The fewest steps one would have to take out and put in elsewhere to get the new order."""
    places = {step.key: place for place, step in enumerate(old.steps)}
    keys = [step.key for step in new.steps if step.key in places]
    longest: list[list[str]] = []
    for key in keys:
        fitting = [run for run in longest if places[run[-1]] < places[key]]
        longest.append([*_longest(fitting), key])
    return frozenset(keys) - frozenset(_longest(longest))


def _longest(runs: list[list[str]]) -> list[str]:
    return max(runs, key=len, default=[])
