"""Checks that no warning sign has been dropped, from the safety text or from the self-check."""

from collections.abc import Iterator

from funnel.content.catalog import Safety
from funnel.domain.self_check import Pattern, SelfCheck

_URGENT = {
    "both legs": "numbness or weakness in both legs",
    "genitals": "numbness around the genitals",
    "pee": "trouble peeing",
    "poo": "trouble pooing",
    "sex": "loss of feeling during sex",
    "chest pain": "chest pain",
    "accident": "a serious accident or fall",
    "sepsis": "signs of sepsis",
}
_SOON = {
    "high temperature": "a high temperature",
    "losing weight": "losing weight without trying",
    "lump": "a lump, swelling or change of shape",
    "at night": "pain that is worse at night",
    "sneeze": "pain worse on sneezing, coughing or pooing",
    "shoulder blades": "pain high between the shoulder blades",
    "osteoporosis": "a minor knock with weak bones",
    "unsteady": "unsteady walking",
    "one leg": "new numbness or weakness in one leg",
    "cancer": "a history of cancer",
    "under 20": "a first episode under 20 or over 55",
}


def lint_safety(safety: Safety, where: str) -> Iterator[str]:
    """One finding for each warning sign that is no longer there."""
    for lines, required in ((safety.urgent, _URGENT), (safety.soon, _SOON)):
        text = " ".join(lines).lower()
        for word, sign in required.items():
            if word not in text:
                yield f"{where}:1: the warning sign '{sign}' has gone: put it back"
    if "999" not in safety.urgent_title or "999" not in safety.one_line:
        yield f"{where}:1: the urgent lines must say to call 999: put it back"
    if "111" not in safety.soon_title:
        yield f"{where}:1: the second list must say to call 111: put it back"


_LEG_QUESTION = ("numbness", "weakness", "both legs", "safety page")
_LEG_LEAD = ("numbness", "weakness", "warning signs")
_LEG_WORDS = ("peeing", "pooing", "999", "gp", "physio")


def lint_self_check(check: SelfCheck, where: str) -> Iterator[str]:
    """One finding for each pattern that sounds like a diagnosis and each leg warning that went."""
    for pattern in check.patterns:
        place = f"the lead of '{pattern.key}'"
        yield from _missing((pattern.lead,), ("not a diagnosis",), where, place)
    decided: set[str] = set()
    for question in check.questions:
        deciding = {answer.decides for answer in question.answers if answer.decides}
        if deciding:
            aside = question.aside or ""
            yield from _missing((aside,), _LEG_QUESTION, where, f"the question '{question.key}'")
        decided |= deciding
    for key in sorted(decided):
        yield from _lint_leg_pattern(check.pattern(key), where)


def _lint_leg_pattern(pattern: Pattern, where: str) -> Iterator[str]:
    place = f"'{pattern.key}'"
    yield from _missing((pattern.lead,), _LEG_LEAD, where, f"the lead of {place}")
    words = (*pattern.explanation, pattern.not_this)
    yield from _missing(words, _LEG_WORDS, where, place)
    yield from _missing((pattern.order_note,), ("stop",), where, f"the order of {place}")


def _missing(
    texts: tuple[str, ...], required: tuple[str, ...], where: str, place: str
) -> Iterator[str]:
    said = " ".join(texts).lower()
    for word in required:
        if word not in said:
            yield f"{where}:1: {place} no longer says '{word}': put it back"
