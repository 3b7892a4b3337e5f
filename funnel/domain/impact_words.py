"""The impact of a publish in plain sentences."""

from collections.abc import Iterator
from collections.abc import Sequence as Many
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from funnel.domain.impact import Change, StepEffect
from funnel.domain.schedule import DEFAULT_ZONE, zone_of
from funnel.domain.sequence import FACT_WORDS, Fact, Sequence

_PARTS = {
    "only_if": "whom it is for",
    "skip_if": "whom it passes over",
    "wait_for": "what it waits for",
    "ways": "its ways",
    "variants": "its arms",
    "expires_after": "how long it stays good",
}
_RULES = {
    "starts_on": "Who enters from now on is another matter; nobody is put in or taken out for it.",
    "follows": "It now follows another sequence; that holds for those who end it from now on.",
    "again_after": "When someone may go through it again was changed.",
    "min_gap": "The least time between two mails was changed, for {people}.",
    "priority": "Which sequence goes first was changed, for {people}.",
    "keeps_clinic_days": "Whether it rests on days off was changed, for {people}.",
    "purpose": "The consent it needs was changed: whoever of {people} has not given it, leaves.",
}


@dataclass(frozen=True)
class Named:
    """So many people, and the names of the first few."""

    many: int
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.names:
            return ""
        more = self.many - len(self.names)
        return ": " + ", ".join(self.names) + (f" and {more:,} more" if more else "")


class Move(NamedTuple):
    """When somebody's next mail falls due before and after."""

    before: datetime
    after: datetime


def step_sentences(
    effect: StepEffect,
    *,
    title: str,
    misses: Named,
    waiting: Named,
    goes_on_with: Many[str],
    is_for_some: bool,
) -> Iterator[str]:
    """What the change of one step means."""
    match effect.change:
        case Change.INSERTED:
            verb = "come to it, and its conditions decide" if is_for_some else "get it"
            yield (
                f"“{title}” is new: {people(effect.gets.many)} not there yet {verb}, "
                f"{misses.many:,} past it will not{misses}."
            )
        case Change.DELETED:
            yield _deleted(title, misses, waiting, goes_on_with)
        case Change.MOVED:
            yield f"“{title}” stands in another place{_moved(effect, misses)}."
    parts = [words for part, words in _PARTS.items() if part in effect.parts]
    if parts:
        still = "those who have not come to it yet"
        yield f"“{title}”: {' and '.join(parts)} was changed, for {still}."


def _deleted(title: str, misses: Named, waiting: Named, goes_on_with: Many[str]) -> str:
    if not misses.many:
        return f"“{title}” is taken out; nobody had it still to come."
    said = f"“{title}” is taken out: {people(misses.many)} who had it to come will not get it"
    if not waiting.many:
        return f"{said}."
    were = f"{waiting.many:,} of them stood right before it{waiting}"
    onward = " or ".join(f"“{each}”" for each in goes_on_with)
    then = f"they go on with {onward}" if onward else "they come to the end"
    return f"{said}. {were}; {then}."


def _moved(effect: StepEffect, misses: Named) -> str:
    told = []
    if misses.many:
        told.append(f"{people(misses.many)} who had it to come will not get it{misses}")
    if effect.gets.many:
        told.append(f"{people(effect.gets.many)} who were past it without it get it")
    return ": " + "; ".join(told) if told else ", and all who had it to come still get it"


def words_sentence(title: str, *, gets: int, had: int, is_service: bool, arm: str) -> str:
    """Whom new words of a mail reach."""
    old = f"{had:,} had the old" if had else "nobody had the old"
    if is_service:
        takes = f"{gets:,} that wait to leave take them" if gets else "none waits to leave"
        return f"“{title}” has new words: {takes}; {old}."
    if not gets:
        meant = f" in arm {arm}" if arm else ""
        still = f"nobody in the sequence{meant} has it still to come"
        return f"“{title}” has new words: {still}; {old}."
    is_one = gets == 1
    whom = f" and {'is' if is_one else 'are'} in arm {arm}" if arm else ""
    get = f"{'has' if is_one else 'have'} not had it{whom} {'gets' if is_one else 'get'} them"
    return f"“{title}” has new words: {people(gets)} who {get}; {old}."


def move_sentence(title: str, moves: Many[Move], *, standing: int) -> str:
    """Whose next mail falls due at another time, of so many who stand right before it."""
    if not moves:
        return f"“{title}” has another time. {_none_moves(standing)}"
    first = moves[0]
    before, after = _day(first.before, first.after), _day(first.after, first.before)
    whose = (
        "One person’s next mail moves:"
        if len(moves) == 1
        else (f"{len(moves):,} people’s next mail moves: the first")
    )
    return f"“{title}” has another time. {whose} from {before} to {after}."


def _none_moves(standing: int) -> str:
    if not standing:
        return "Nobody stands right before it, so no mail moves yet."
    if standing == 1:
        return "One person stands right before it; their mail does not move."
    return f"{standing:,} people stand right before it; their mail does not move."


def _day(when: datetime, other: datetime) -> str:
    """The day in the practice's zone; with the hour where both are on one day."""
    zone = zone_of(DEFAULT_ZONE)
    local = when.astimezone(zone)
    hour = f", {local:%H:%M}" if local.date() == other.astimezone(zone).date() else ""
    return f"{local.day} {local:%B}{hour}"


def exits_sentence(fact: Fact, many: int) -> str:
    """Whom a new goal ends the sequence for at once."""
    return f"It now ends for whoever {FACT_WORDS[fact]}: for {people(many)} at once."


def rule_sentences(old: Sequence, new: Sequence, *, many: int) -> Iterator[str]:
    """What the changed rules of a whole sequence mean."""
    for fact in sorted(old.exits_on - new.exits_on):
        yield f"It no longer ends for whoever {FACT_WORDS[fact]}; nobody who left comes back."
    for part, words in _RULES.items():
        if getattr(old, part) != getattr(new, part):
            yield words.format(people=people(many))
    if old.title != new.title:
        yield f"It is called “{new.title}” from now on."


def people(many: int) -> str:
    """So many people, with the right word."""
    return f"{many:,} {'person' if many == 1 else 'people'}"
