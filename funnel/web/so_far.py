"""The self-check so far: the screen she is on and what she answered, sealed into the page itself.

No cookie, URL or row holds it: the page hands it back with the next answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pydantic import TypeAdapter, ValidationError

from funnel.domain.errors import LinkExpired
from funnel.domain.self_check import SelfCheck
from funnel.links import Links

LIFE_SECONDS = 2 * 60 * 60
URGENT, SOON, RESULT = "#urgent", "#soon", "#result"  # no question's key begins like this


@dataclass(frozen=True)
class SoFar:
    """A place in the self-check. `answers` is question key to answer key; `carried` is where the
    visit came from."""

    at: str
    answers: dict[str, str]
    carried: dict[str, str]


_FORM = TypeAdapter(SoFar)


def seal(links: Links, so_far: SoFar) -> str:
    """The value of the hidden field."""
    return links.seal(_FORM.dump_json(so_far).decode())


def unseal(links: Links, sealed: str, check: SelfCheck) -> SoFar | None:
    """What was sealed at most two hours ago; None for anything else.

    Questions and answers that the self-check no longer has are left out.
    """
    try:
        so_far = _FORM.validate_json(links.unseal(sealed, LIFE_SECONDS))
    except (LinkExpired, ValidationError):
        return None
    kept = replace(so_far, answers=_known(check, so_far.answers))
    return kept if kept.at in _screens(check) else replace(kept, at=_open_screen(check, kept))


def answered(check: SelfCheck, so_far: SoFar, answer: str) -> SoFar | None:
    """With this answer to the question she is on; None when the question has no such answer."""
    answers = _known(check, {so_far.at: answer})
    return replace(so_far, answers={**so_far.answers, **answers}) if answers else None


def on(check: SelfCheck, so_far: SoFar) -> SoFar:
    """One screen on. The result comes only when every question has its answer."""
    screens = _screens(check)
    at = screens[min(screens.index(so_far.at) + 1, len(screens) - 1)]
    return replace(so_far, at=_open_screen(check, so_far) if at == RESULT else at)


def back(check: SelfCheck, so_far: SoFar) -> SoFar:
    """One screen back, with every answer kept."""
    screens = _screens(check)
    return replace(so_far, at=screens[max(screens.index(so_far.at) - 1, 0)])


def _screens(check: SelfCheck) -> tuple[str, ...]:
    return (URGENT, SOON, *(question.key for question in check.questions), RESULT)


def _open_screen(check: SelfCheck, so_far: SoFar) -> str:
    """The first question without an answer, or else the result."""
    open_keys = (q.key for q in check.questions if q.key not in so_far.answers)
    return next(open_keys, RESULT)


def _known(check: SelfCheck, answers: Mapping[str, str]) -> dict[str, str]:
    known = {q.key: {answer.key for answer in q.answers} for q in check.questions}
    return {key: answer for key, answer in answers.items() if answer in known.get(key, ())}
