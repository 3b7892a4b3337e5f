"""SPF (RFC 7208): which servers a domain lets send in its name, and whether that can be read."""

import re
from dataclasses import dataclass

from funnel.domain.names import LookUp, Lookup, RecordKind

MOST_LOOKUPS = 10  # a receiver gives up beyond that, and the mail fails
_STOP_COUNTING = 2 * MOST_LOOKUPS
_VERSION = re.compile(r"v=spf1(?: |$)", re.IGNORECASE)
_TERM = re.compile(r"[+~?-]?([a-z]+)(?:[:=](\S*)|(/\S*))?", re.IGNORECASE)
_REDIRECT = "redirect="
_ASKING = frozenset({"include", "a", "mx", "ptr", "exists", "redirect"})


@dataclass(frozen=True)
class Spf:
    """The SPF records of a domain, and where the first of them leads.

    `lookups` are the questions it makes a receiver ask; `names` all that it includes, however
    deep; `dead` those of them that lead to no record.
    """

    records: tuple[str, ...] = ()
    lookups: int = 0
    names: frozenset[str] = frozenset()
    dead: tuple[str, ...] = ()
    is_known: bool = True

    @property
    def is_too_long(self) -> bool:
        """True when a receiver would give up."""
        return self.lookups > MOST_LOOKUPS


def read_spf(domain: str, look_up: LookUp) -> Spf:
    """Read a domain's SPF and follow every include and redirect in it."""
    found = look_up(domain, RecordKind.TXT)
    records = _records(found)
    walk = _Walk(look_up)
    if len(records) == 1:
        walk.follow(records[0])
    return Spf(
        records,
        walk.lookups,
        frozenset(walk.names),
        tuple(dict.fromkeys(walk.dead)),
        found.is_known and walk.is_known,
    )


def merged(records: tuple[str, ...], more: str | None = None) -> str:
    """One record that says what these said apart, and lets `more` send too."""
    terms = [term for record in records for term in _allowed(record)]
    return " ".join(["v=spf1", *dict.fromkeys([*terms, *([more] if more else [])]), "~all"])


def _allowed(record: str) -> list[str]:
    """Whom a record lets send. It is no longer the end, so where it led on, it includes."""
    terms = record.split()[1:]
    rest = [term for term in terms if term.lstrip("+~?-").lower() != "all"]
    is_closed = len(rest) < len(terms)
    led_on = [term for term in rest if term.lower().startswith(_REDIRECT)]
    kept = [term for term in rest if term not in led_on]
    return kept if is_closed else kept + [f"include:{term[len(_REDIRECT) :]}" for term in led_on]


def _records(found: Lookup) -> tuple[str, ...]:
    return tuple(value for value in found.values if _VERSION.match(value))


class _Walk:
    """One walk through a record and what it includes."""

    def __init__(self, look_up: LookUp) -> None:
        self._look_up = look_up
        self.lookups = 0
        self.names: set[str] = set()
        self.dead: list[str] = []
        self.is_known = True

    def follow(self, record: str) -> None:
        terms = [match for word in record.split()[1:] if (match := _TERM.fullmatch(word))]
        is_closed = any(term[1].lower() == "all" for term in terms)
        for term in terms:
            name = term[1].lower()
            if name not in _ASKING or (name == "redirect" and is_closed):
                continue
            self.lookups += 1
            if name in {"include", "redirect"}:
                self._enter((term[2] or "").lower().rstrip("."))

    def _enter(self, name: str) -> None:
        if not name or "%" in name or self.lookups > _STOP_COUNTING:
            return  # a name made for each mail, or long too much already
        self.names.add(name)
        found = self._look_up(name, RecordKind.TXT)
        records = _records(found)
        if not found.is_known:
            self.is_known = False
        elif len(records) == 1:
            self.follow(records[0])
        else:
            self.dead.append(name)
