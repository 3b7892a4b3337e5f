"""Reads the self-check: its questions, the patterns they lead to, and whether each is reached."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from types import MappingProxyType
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field
from pydantic.dataclasses import dataclass as checked

from funnel.content.findings import Findings
from funnel.content.models import STRICT, check
from funnel.content.yaml_source import Place, read_yaml
from funnel.domain.self_check import (
    TECHNIQUES,
    Answer,
    Pattern,
    Question,
    SelfCheck,
    reachable,
)

MAX_KEEP_DAYS = 730
T = TypeVar("T")


def _counted(least: int, most: int, what: str) -> Callable[[tuple[T, ...]], tuple[T, ...]]:
    def counted(items: tuple[T, ...]) -> tuple[T, ...]:
        if not least <= len(items) <= most:
            raise ValueError(f"there are {len(items)} {what}: make it {least} to {most}")
        return items

    return counted


def _five_techniques(order: tuple[str, ...]) -> tuple[str, ...]:
    if sorted(order) != sorted(TECHNIQUES):
        raise ValueError(f"name each of the five techniques once: {', '.join(TECHNIQUES)}")
    return order


def _for_techniques(doses: dict[str, str]) -> dict[str, str]:
    unknown = ", ".join(key[:40] for key in doses if key not in TECHNIQUES)
    if unknown:
        raise ValueError(f"there is no technique {unknown}: use {', '.join(TECHNIQUES)}")
    return doses


def _plain(text: str) -> str:
    if len(text.splitlines()) > 1:
        raise ValueError("keep this in one paragraph, without empty lines")
    if any(unicodedata.category(letter).startswith("C") for letter in text):
        raise ValueError("this holds a character that cannot be seen: type it again")
    return text


def _at_most(most: int) -> AfterValidator:
    def at_most(text: str) -> str:
        if len(text) > most:
            raise ValueError(f"this has {len(text)} characters: keep it to {most}")
        return text

    return AfterValidator(at_most)


# As many characters as its place on a phone and on the guide's page holds.
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Text = Annotated[str, Field(min_length=1), AfterValidator(_plain)]
Title = Annotated[Text, _at_most(90)]
AnswerText = Annotated[Text, _at_most(60)]
Told = Annotated[Text, _at_most(110)]
Aside = Annotated[Text, _at_most(160)]
Name = Annotated[Text, _at_most(30)]
Headline = Annotated[Text, _at_most(60)]
Lead = Annotated[Text, _at_most(240)]
Paragraph = Annotated[Text, _at_most(440)]
Note = Annotated[Text, _at_most(280)]
Dose = Annotated[Text, _at_most(50)]
Points = Annotated[int, Field(strict=True, ge=1, le=5)]


@checked(frozen=True, config=STRICT, kw_only=True)
class _AnswerLines:
    """One answer as it stands in the file."""

    key: Key
    text: AnswerText
    points: dict[str, Points] = Field(default_factory=dict)
    told: Told | None = None
    decides: str | None = None

    def __post_init__(self) -> None:
        if self.decides is not None and self.points:
            raise ValueError("an answer that decides needs no points: keep one of the two")

    @property
    def is_neutral(self) -> bool:
        return not self.points and self.decides is None


def _with_way_out(answers: tuple[_AnswerLines, ...]) -> tuple[_AnswerLines, ...]:
    if not any(answer.is_neutral for answer in answers):
        raise ValueError("no answer is neutral: add one without points, such as 'I am not sure'")
    return answers


@checked(frozen=True, config=STRICT, kw_only=True)
class _QuestionLines:
    """One question as it stands in the file."""

    key: Key
    title: Title
    answers: Annotated[
        tuple[_AnswerLines, ...],
        AfterValidator(_counted(2, 6, "answers")),
        AfterValidator(_with_way_out),
    ]
    aside: Aside | None = None
    figure: str | None = None


@checked(frozen=True, config=STRICT, kw_only=True)
class _PatternLines:
    """One pattern as it stands in the file."""

    key: Key
    name: Name
    headline: Headline
    lead: Lead
    explanation: Annotated[tuple[Paragraph, ...], AfterValidator(_counted(1, 2, "paragraphs"))]
    not_this: Note
    figure: str
    order: Annotated[tuple[str, ...], AfterValidator(_five_techniques)]
    order_note: Note
    doses: Annotated[dict[str, Dose], AfterValidator(_for_techniques)] = Field(default_factory=dict)


@checked(frozen=True, config=STRICT, kw_only=True)
class _SelfCheckLines:
    """The self-check as it stands in the file."""

    version: Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
    keep_days: Annotated[int, Field(strict=True, ge=1, le=MAX_KEEP_DAYS)]
    questions: Annotated[tuple[_QuestionLines, ...], AfterValidator(_counted(6, 9, "questions"))]
    patterns: Annotated[tuple[_PatternLines, ...], AfterValidator(_counted(4, 6, "patterns"))]
    fallback: str


def read_self_check(source: str, found: Findings, figures: Iterable[str]) -> SelfCheck | None:
    """The self-check in a YAML source; None when there are problems, which go into `found`.

    `figures` are the names of the drawings there are.
    """
    document = read_yaml(source, found)
    lines = None if document is None else check(_SelfCheckLines, document, found)
    if document is None or lines is None:
        return None
    whole = _self_check(lines)
    for place, problem in _problems(whole, frozenset(figures)):
        found.add(document.line(place), problem)
    return None if found.items else whole


def _self_check(lines: _SelfCheckLines) -> SelfCheck:
    return SelfCheck(
        version=lines.version,
        keep_days=lines.keep_days,
        questions=tuple(_question(each) for each in lines.questions),
        patterns=tuple(_pattern(each) for each in lines.patterns),
        fallback=lines.fallback,
    )


def _question(lines: _QuestionLines) -> Question:
    answers = tuple(
        Answer(each.key, each.text, MappingProxyType(each.points), each.told, each.decides)
        for each in lines.answers
    )
    return Question(lines.key, lines.title, answers, lines.aside, lines.figure)


def _pattern(lines: _PatternLines) -> Pattern:
    return Pattern(
        key=lines.key,
        name=lines.name,
        headline=lines.headline,
        lead=lines.lead,
        explanation=lines.explanation,
        not_this=lines.not_this,
        figure=lines.figure,
        order=lines.order,
        order_note=lines.order_note,
        doses=MappingProxyType(lines.doses),
    )


Problem = tuple[Place, str]  # where in the file, and what to mend there


def _problems(whole: SelfCheck, figures: frozenset[str]) -> Iterator[Problem]:
    """What only shows when the parts are seen together."""
    yield from _twice(whole)
    yield from _unknown_patterns(whole)
    yield from _unknown_figures(whole, figures)
    yield from _unreached(whole)


def _twice(whole: SelfCheck) -> Iterator[Problem]:
    yield from _same_keys([each.key for each in whole.questions], ("questions",))
    yield from _same_keys([each.key for each in whole.patterns], ("patterns",))
    for number, question in enumerate(whole.questions):
        keys = [each.key for each in question.answers]
        yield from _same_keys(keys, ("questions", number, "answers"))


def _same_keys(keys: list[str], place: Place) -> Iterator[Problem]:
    for number, key in enumerate(keys):
        if key in keys[:number]:
            yield (*place, number, "key"), f"the key '{key}' is here twice: give each its own"


def _unknown_patterns(whole: SelfCheck) -> Iterator[Problem]:
    keys = [each.key for each in whole.patterns]
    for place, key in _pattern_names(whole):
        if key not in keys:
            yield place, f"there is no pattern {key[:40]!r}: use one of {', '.join(keys)}"


def _pattern_names(whole: SelfCheck) -> Iterator[tuple[Place, str]]:
    yield ("fallback",), whole.fallback
    for at, question in enumerate(whole.questions):
        for number, answer in enumerate(question.answers):
            place = ("questions", at, "answers", number)
            yield from (((*place, "points", key), key) for key in answer.points)
            if answer.decides is not None:
                yield (*place, "decides"), answer.decides


def _unknown_figures(whole: SelfCheck, figures: frozenset[str]) -> Iterator[Problem]:
    named: list[tuple[Place, str | None]] = [
        *((("questions", at, "figure"), each.figure) for at, each in enumerate(whole.questions)),
        *((("patterns", at, "figure"), each.figure) for at, each in enumerate(whole.patterns)),
    ]
    for place, name in named:
        if name is not None and name not in figures:
            known = ", ".join(sorted(figures))
            yield place, f"there is no figure {name[:40]!r}: use one of {known}"


def _unreached(whole: SelfCheck) -> Iterator[Problem]:
    reached = reachable(whole)
    for number, pattern in enumerate(whole.patterns):
        if pattern.key not in reached:
            yield (
                ("patterns", number, "key"),
                f"no answers lead to '{pattern.key}': give it more points somewhere, or remove it",
            )
