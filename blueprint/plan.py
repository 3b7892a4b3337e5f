"""The two weeks for one order of the techniques: what is done on which day."""

from __future__ import annotations

from dataclasses import dataclass, replace

from blueprint.words import PlanWords, Stage, Technique

PLACES = ("first", "second", "third", "fourth", "fifth")


@dataclass(frozen=True)
class Row:
    """One technique over the two weeks; days count from 1."""

    technique: Technique
    begins: int
    days: frozenset[int]


@dataclass(frozen=True)
class TwoWeeks:
    """A row for each technique, in order; the day of the walk; the stages with names in them."""

    days: range
    rows: tuple[Row, ...]
    walk: int
    stages: tuple[Stage, ...]

    def begins(self, key: str) -> int:
        """The day on which a technique is done for the first time."""
        return {row.technique.key: row.begins for row in self.rows}[key]


def two_weeks(words: PlanWords, order: tuple[Technique, ...]) -> TwoWeeks:
    """The plan for that order: each technique is done from the day it begins, but for the walk."""
    days = range(1, words.days + 1)
    rows = tuple(
        Row(technique, begins, frozenset(days[begins - 1 :]) - {words.walk})
        for technique, begins in zip(order, words.starts, strict=True)
    )
    names = dict(zip(PLACES, (technique.phrase for technique in order), strict=True))
    stages = tuple(replace(stage, text=stage.text.format(**names)) for stage in words.stages)
    return TwoWeeks(days, rows, words.walk, stages)
