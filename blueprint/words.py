"""The texts that every copy of the guide shares, read once from YAML."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

DOCUMENT = Path(__file__).parent / "document"


@dataclass(frozen=True)
class Plate:
    """One picture of a technique with its label and caption."""

    name: str
    label: str
    caption: str


@dataclass(frozen=True)
class FirstMove:
    """A technique as the first thing to do: one picture, three short steps, who may want less."""

    figure: str
    steps: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class Technique:
    """One of the five techniques; `step` is its place in the method, 2 to 4."""

    key: str
    name: str
    short: str
    phrase: str
    cue: str
    first: FirstMove
    step: int
    layout: str
    lede: str
    figures: tuple[Plate, ...]
    dose: str
    dose_note: str
    steps: tuple[str, ...]
    feel: str
    stop: str
    easier: str
    harder: str
    why: str
    source: str | None = None


@dataclass(frozen=True)
class Source:
    """A numbered source of the guide."""

    key: str
    number: int
    text: str


@dataclass(frozen=True)
class Sketch:
    """A pattern in a line, for a reader who looks for her own; `figure` where the page has one.

    `caution` leads to the warning signs; `harder` stands in place of every harder way.
    """

    key: str
    name: str
    sounds: str
    start: str
    dose: str | None = None
    caution: str | None = None
    harder: str | None = None
    figure: str | None = None


@dataclass(frozen=True)
class Stage:
    """A stretch of the two-week plan; its text may name the techniques as {first} to {fifth}."""

    days: str
    title: str
    text: str


@dataclass(frozen=True)
class PlanWords:
    """The two weeks for any order: on which days the techniques begin, and which day is a walk."""

    days: int
    starts: tuple[int, ...]
    walk: int
    stages: tuple[Stage, ...]


@dataclass(frozen=True)
class Words:
    techniques: tuple[Technique, ...]
    patterns: tuple[Sketch, ...]
    captions: dict[str, str]
    sources: tuple[Source, ...]
    plan: PlanWords

    @property
    def order(self) -> tuple[str, ...]:
        """The keys of the techniques in the order of a guide without a pattern."""
        return tuple(technique.key for technique in self.techniques)

    def technique(self, key: str) -> Technique:
        """Raises KeyError for a technique that is not in the list."""
        for technique in self.techniques:
            if technique.key == key:
                return technique
        raise KeyError(key)

    def sketch(self, key: str) -> Sketch | None:
        """The pattern in a line; None for one that this guide has no words of its own for."""
        return next((sketch for sketch in self.patterns if sketch.key == key), None)

    def source(self, key: str) -> Source:
        """Raises KeyError for a source that is not in the list."""
        for source in self.sources:
            if source.key == key:
                return source
        raise KeyError(key)


@cache
def load() -> Words:
    """The shared texts. Raises TypeError when a text lacks a field or has one too many."""
    return Words(
        techniques=tuple(_technique(item) for item in _read("techniques")),
        patterns=tuple(Sketch(**item) for item in _read("patterns")),
        captions=_read("captions"),
        sources=tuple(Source(number=i, **item) for i, item in enumerate(_read("sources"), 1)),
        plan=_plan(_read("plan")),
    )


def _read(name: str) -> Any:
    text = (DOCUMENT / "words" / f"{name}.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)


def _technique(item: dict[str, Any]) -> Technique:
    plates = tuple(Plate(**plate) for plate in item["figures"])
    first = FirstMove(**item["first"] | {"steps": tuple(item["first"]["steps"])})
    steps = tuple(item["steps"])
    return Technique(**item | {"figures": plates, "first": first, "steps": steps})


def _plan(item: dict[str, Any]) -> PlanWords:
    stages = tuple(Stage(**stage) for stage in item["stages"])
    return PlanWords(**item | {"starts": tuple(item["starts"]), "stages": stages})
