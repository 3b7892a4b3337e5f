"""The self-check: questions, what each answer points to, and the pattern they add up to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

# The five techniques of the guide by key. Each pattern puts them into an order of its own.
TECHNIQUES = {
    "hip-flexor": "Half-kneeling hip flexor stretch",
    "figure-four": "Lying figure-4 stretch",
    "bridge": "Glute bridge",
    "clamshell": "Clamshell",
    "squat": "Squat to chair",
}

MIN_POINTS = 3  # fewer say too little to name a pattern

Lead = tuple[int, ...]  # how far ahead one pattern is: of the least it needs, and of each other


@dataclass(frozen=True)
class Answer:
    """One thing to pick. `points` are by pattern and empty for "not sure"; `told` is the answer in
    our words; `decides` names the pattern that this answer settles alone."""

    key: str
    text: str
    points: Mapping[str, int]
    told: str | None = None
    decides: str | None = None


@dataclass(frozen=True)
class Question:
    """One screen: what is asked, a line of help, and the name of a figure."""

    key: str
    title: str
    answers: tuple[Answer, ...]
    aside: str | None = None
    figure: str | None = None


@dataclass(frozen=True)
class Pattern:
    """What the answers may lean towards: its words, its order of techniques, its first doses.

    `order` and `doses` name techniques by key; `doses` may leave some out.
    """

    key: str
    name: str
    headline: str
    lead: str
    explanation: tuple[str, ...]
    not_this: str
    figure: str
    order: tuple[str, ...]
    order_note: str
    doses: Mapping[str, str]


@dataclass(frozen=True)
class SelfCheck:
    """The whole self-check. `fallback` is the pattern of mixed or few signs; `keep_days` is how
    long answers are kept by those who agreed to it."""

    version: int
    keep_days: int
    questions: tuple[Question, ...]
    patterns: tuple[Pattern, ...]
    fallback: str

    def pattern(self, key: str) -> Pattern:
        """The pattern of that key; raises KeyError when there is none."""
        return {pattern.key: pattern for pattern in self.patterns}[key]


def pattern_for(check: SelfCheck, answers: Mapping[str, str]) -> Pattern:
    """The pattern that answers (question key to answer key) lean towards.

    The first answer that decides wins; otherwise the pattern with strictly the most points. A tie,
    or fewer than MIN_POINTS, gives the fallback. What the self-check does not know is ignored.
    """
    picked = tuple(_picked(check, answers))
    decided = [answer.decides for answer in picked if answer.decides]
    return check.pattern(decided[0] if decided else _leader(check, picked))


def told(check: SelfCheck, answers: Mapping[str, str]) -> tuple[str, ...]:
    """What she told us, in our words, in the order of the questions."""
    return tuple(answer.told for answer in _picked(check, answers) if answer.told)


def _picked(check: SelfCheck, answers: Mapping[str, str]) -> Iterator[Answer]:
    for question in check.questions:
        key = answers.get(question.key)
        yield from (answer for answer in question.answers if answer.key == key)


def _leader(check: SelfCheck, picked: tuple[Answer, ...]) -> str:
    points = {
        pattern.key: sum(answer.points.get(pattern.key, 0) for answer in picked)
        for pattern in check.patterns
    }
    most = max(points.values())
    first = [key for key, sum_ in points.items() if sum_ == most]
    return first[0] if len(first) == 1 and most >= MIN_POINTS else check.fallback


def reachable(check: SelfCheck) -> frozenset[str]:
    """The keys of the patterns that some set of answers leads to; any question may be left out."""
    decided = {
        answer.decides
        for question in check.questions
        for answer in question.answers
        if answer.decides
    }
    won = {pattern.key for pattern in check.patterns if _can_win(check, pattern.key)}
    return frozenset({check.fallback} | decided | won)


def _can_win(check: SelfCheck, key: str) -> bool:
    """Whether points alone can make this pattern the strict first.

    Question by question it keeps each distinct lead once, drops those past hope and counts no
    lead beyond what can still be lost: quick, where trying every combination would take hours.
    """
    rivals = [pattern.key for pattern in check.patterns if pattern.key != key]
    moves = [_moves(question, key, rivals) for question in check.questions]
    leads = {(1 - MIN_POINTS, *(0 for _ in rivals))}
    for place, choices in enumerate(moves):
        leads = {_add(lead, move) for lead in leads for move in choices}
        if any(min(lead) > 0 for lead in leads):
            return True
        to_win, to_lose = _still_to_come(moves[place + 1 :], len(rivals) + 1)
        enough = tuple(1 - loss for loss in to_lose)
        leads = {tuple(map(min, lead, enough)) for lead in leads if min(_add(lead, to_win)) > 0}
    return False


def _moves(question: Question, key: str, rivals: list[str]) -> list[Lead]:
    """What each choice does for a lead, without the choices that another beats in every part."""
    every = {(0,) * (len(rivals) + 1)} | {
        (gain, *(gain - answer.points.get(rival, 0) for rival in rivals))
        for answer in question.answers
        if not answer.decides and (gain := answer.points.get(key, 0))
    }
    return [move for move in every if not any(_beats(other, move) for other in every)]


def _beats(other: Lead, move: Lead) -> bool:
    return other != move and all(a >= b for a, b in zip(other, move, strict=True))


def _still_to_come(moves: list[list[Lead]], width: int) -> tuple[Lead, Lead]:
    """The most and the least that these questions can do to each part of a lead."""
    parts = [[[move[part] for move in each] for each in moves] for part in range(width)]
    return (
        tuple(sum(map(max, part)) for part in parts),
        tuple(sum(map(min, part)) for part in parts),
    )


def _add(lead: Lead, move: Lead) -> Lead:
    return tuple(a + b for a, b in zip(lead, move, strict=True))
