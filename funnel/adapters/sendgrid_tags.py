"""Splits the values of many readers into what is alike, which everyone's words may hold, and tags.

A link differs only in its last part, a sentence only in its date: so a reader costs less.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from funnel.domain.ports import MailForm

TAG_OPENS = "[%"
TAG_CHARACTERS = 8  # at most, for each place

_clear: WeakKeyDictionary[MailForm, bool] = WeakKeyDictionary()


@dataclass(frozen=True)
class Cuts:
    """For each place what stands in the shared words, tag included; for each reader the value of
    each tag. Putting the values in the tags' place gives back the whole values."""

    shared: tuple[str, ...]
    own: tuple[dict[str, str], ...]


def takes_tags(form: MailForm, values: Sequence[str]) -> bool:
    """Whether nothing but the tags can look like one, at any moment of putting values in: the
    values hold no bracket, and in the form none is followed by what opens a tag."""
    return _is_clear(form) and not any("[" in value for value in values)


def _is_clear(form: MailForm) -> bool:
    if form not in _clear:
        pieces = [piece for part in (form.subject, form.text, form.html) for piece in part]
        literals = [piece for piece in pieces if isinstance(piece, str)]
        _clear[form] = not any(TAG_OPENS in each or each.endswith("[") for each in literals)
    return _clear[form]


def cut_alike(readers: Sequence[tuple[str, ...]]) -> Cuts:
    """Cut the values of each place; places that differ in the same way share a tag."""
    tags: dict[tuple[str, ...], str] = {}
    shared = tuple([_cut_place(values, tags) for values in zip(*readers, strict=True)])
    columns = [(tag, values) for values, tag in tags.items()]
    own = tuple([{tag: values[at] for tag, values in columns} for at in range(len(readers))])
    return Cuts(shared, own)


def _cut_place(values: tuple[str, ...], tags: dict[tuple[str, ...], str]) -> str:
    opens = _common_start(values)
    rests = tuple([value[len(opens) :] for value in values])
    closes = _common_start(tuple([rest[::-1] for rest in rests]))[::-1]
    middles = tuple([rest[: len(rest) - len(closes)] for rest in rests])
    if not any(middles):
        return opens + closes
    return opens + tags.setdefault(middles, f"{TAG_OPENS}{len(tags)}%]") + closes


def _common_start(values: tuple[str, ...]) -> str:
    low, high = min(values), max(values)  # all others stand between them
    same = 0
    for one, other in zip(low, high, strict=False):
        if one != other:
            break
        same += 1
    return low[:same]
