"""What is wrong with a sequence as a whole: ways back, steps nobody reaches, waits in vain.

It looks at the values as they were written, so that a slip elsewhere in the file hides nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import TypeVar

from funnel.content.findings import Findings
from funnel.content.spans import read_clock, read_delay, read_window
from funnel.content.yaml_source import Document
from funnel.content.yaml_source import Place as Spot
from funnel.domain.schedule import DAYTIME, Delay
from funnel.domain.sequence import Sequence

T = TypeVar("T")
Raw = Mapping[str, object]
Steps = list[tuple[int, Raw]]  # with its place in the file
_OF_A_MAIL = frozenset(
    {"at", "weekdays", "window", "only_if", "skip_if", "wait_for", "expires_after", "variants"}
)
_FIXED_BY_WAIT = ("at", "weekdays")


def check_whole(document: Document, found: Findings) -> None:
    """Check how the sequence starts and ends, beside each other."""
    starts, ends = _names(document.at("starts_on")), _names(document.at("exits_on"))
    follows = document.at("follows")
    if not starts and not follows:
        found.add(1, "nobody would ever get these mails: say starts_on or follows")
    if follows is not None and follows == document.at("key"):
        found.add(document.line(("follows",)), "a sequence cannot follow itself: name another")
    if starts & ends:
        line = document.line(("exits_on",))
        found.add(line, "what starts a sequence cannot also end it: choose one")


def check_steps(document: Document, found: Findings, patterns: AbstractSet[str] | None) -> None:
    """Check the steps beside each other, whether or not each of them fits."""
    steps: Steps = [
        (number, step) for number, step in enumerate(_items(document.at("steps")))
        if isinstance(step, dict)
    ]  # fmt: skip
    for spot, problem in (
        *_same_keys(steps),
        *_outside_window(steps, document),
        *_forks(steps),
        *_waits(steps, document),
        *_expiries(steps),
        *_arms(steps),
        *_conditions(steps, patterns),
        *_unreached(steps),
    ):
        found.add(document.line(("steps", *spot)), problem)


Problems = Iterator[tuple[Spot, str]]


def _same_keys(steps: Steps) -> Problems:
    seen: set[str] = set()
    for number, step in steps:
        key = str(step.get("key"))
        if key in seen:
            yield (number, "key"), f"the step key '{key}' is here twice: give each its own"
        seen.add(key)


def _outside_window(steps: Steps, document: Document) -> Problems:
    whole = _read_or_none(read_window, document.at("window")) or DAYTIME
    for number, step in steps:
        window = _read_or_none(read_window, step.get("window")) or whole
        at = _read_or_none(read_clock, step.get("at"))
        if at is not None and not window.holds(at):
            yield (number, "at"), f"{at:%H:%M} is outside the window: move it inside"


def _forks(steps: Steps) -> Problems:
    keys = [str(step.get("key")) for _, step in steps]
    for place, (number, step) in enumerate(steps):
        if "ways" not in step:
            continue
        if not _items(step["ways"]):
            yield (number, "ways"), "a fork needs a way: add one, or remove 'ways'"
        for name in sorted(_OF_A_MAIL & set(step)):
            yield (number, name), f"a fork sends no mail, so '{name}' means nothing: remove it"
        for spot, way in _ways(number, step):
            problem = _wrong_way(way.get("go_to"), keys, place)
            if problem:
                yield (*spot, "go_to"), problem
        yield from _ways_not_taken(number, step)


def _wrong_way(onto: object, keys: list[str], place: int) -> str | None:
    if onto is None:
        return None
    if onto not in keys:
        return f"there is no step '{onto}': correct the name"
    if keys.index(str(onto)) <= place:
        return f"'{onto}' is not after this fork: a way leads on, never back"
    return None


def _ways_not_taken(number: int, step: Raw) -> Problems:
    ways = list(_ways(number, step))
    for spot, way in ways[:-1]:
        if _is_for_all(way):
            yield spot, "everybody takes this way, so none after it is ever taken: put it last"


def _is_for_all(way: Raw) -> bool:
    return not way.get("if")


def _waits(steps: Steps, document: Document) -> Problems:
    known = _names(document.at("starts_on")) | _names(document.at("exits_on"))
    for number, step in steps:
        wait = step.get("wait_for")
        if not isinstance(wait, dict):
            continue
        for fact in sorted(_names(wait.get("any")) & known):
            yield (
                (number, "wait_for", "any"),
                (
                    f"'{fact}' starts or ends the sequence, so there is nothing to wait for: "
                    "name another"
                ),
            )
        for name in _FIXED_BY_WAIT:
            if name in step:
                yield (
                    (number, name),
                    (
                        f"a mail that waits goes as soon as it may, so '{name}' means nothing: "
                        "remove it"
                    ),
                )
        yield from _short_wait(number, step, wait)


def _short_wait(number: int, step: Raw, wait: Raw) -> Problems:
    after = _read_or_none(read_delay, step.get("after"))
    most = _read_or_none(read_delay, wait.get("at_most"))
    if after and most and _minutes(most) <= _minutes(after):
        yield (
            (number, "wait_for", "at_most"),
            ("both count from the step before: make at_most longer than after"),
        )


def _minutes(delay: Delay) -> int:
    return delay.days * 24 * 60 + delay.minutes


def _expiries(steps: Steps) -> Problems:
    for number, step in steps:
        lives = _read_or_none(read_delay, step.get("expires_after"))
        if lives is not None and not (lives.days or lives.minutes):
            yield (number, "expires_after"), "it would expire at once: give it some time"


def _arms(steps: Steps) -> Problems:
    for number, step in steps:
        arms = step.get("variants")
        if isinstance(arms, dict) and len(arms) < 2:
            yield (number, "variants"), "a test needs two arms at least: add one"


def _conditions(steps: Steps, patterns: AbstractSet[str] | None) -> Problems:
    for spot, condition in _each_condition(steps):
        if _names(condition.get("has")) & _names(condition.get("lacks")):
            yield (*spot, "lacks"), "nobody can both have and lack the same: remove one of them"
        strange = _names(condition.get("pattern")) - patterns if patterns is not None else ()
        for pattern in sorted(strange):
            yield (*spot, "pattern"), f"the self-check has no pattern '{pattern}': correct the name"


def _each_condition(steps: Steps) -> Iterator[tuple[Spot, Raw]]:
    for number, step in steps:
        only_if = step.get("only_if")
        if isinstance(only_if, dict):
            yield (number, "only_if"), only_if
        for spot, way in _ways(number, step):
            when = way.get("if")
            if isinstance(when, dict):
                yield (*spot, "if"), when


def _unreached(steps: Steps) -> Problems:
    """Steps that no way leads to: they stand behind a fork that everybody leaves another way."""
    reached = {str(steps[0][1].get("key"))} if steps else set()
    for place, (number, step) in enumerate(steps):
        if str(step.get("key")) not in reached:
            yield (number, "key"), "no way leads to this step: add one, or remove the step"
            continue
        ways = [way for _, way in _ways(number, step)]
        reached |= {str(way.get("go_to")) for way in ways}
        if not any(map(_is_for_all, ways)) and place + 1 < len(steps):
            reached.add(str(steps[place + 1][1].get("key")))


def _ways(number: int, step: Raw) -> Iterator[tuple[Spot, Raw]]:
    for at, way in enumerate(_items(step.get("ways"))):
        if isinstance(way, dict):
            yield (number, "ways", at), way


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _names(value: object) -> frozenset[str]:
    return frozenset(name for name in _items(value) if isinstance(name, str))


def _read_or_none(read: Callable[[object], T], value: object) -> T | None:
    try:
        return read(value)
    except ValueError:
        return None


def check_together(sequences: Mapping[str, Sequence]) -> Iterator[tuple[str, str]]:
    """What is wrong between sequences, as (key, problem): whom they follow, and circles."""
    for key, sequence in sequences.items():
        if sequence.follows is not None and sequence.follows not in sequences:
            yield key, f"it follows '{sequence.follows}', which does not exist: correct the name"
        circle = _circle(key, sequences)
        if circle and key == min(circle):
            told = ", ".join(f"'{each}'" for each in circle)
            yield key, f"these follow each other in a circle: {told}. Let one of them follow none"


def _circle(key: str, sequences: Mapping[str, Sequence]) -> list[str]:
    """The sequences from `key` round to itself; empty when it is in no circle."""
    chain: list[str] = []
    at: str | None = key
    while at is not None and at in sequences and at not in chain:
        chain.append(at)
        at = sequences[at].follows
    return chain if at == key and len(chain) > 1 else []
