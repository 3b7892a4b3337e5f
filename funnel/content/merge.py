"""Merge fields: which may stand in a text, and the places they leave open for a person's values."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from jinja2 import StrictUndefined, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from funnel.content.brand import BRAND_FIELDS
from funnel.content.findings import Findings
from funnel.content.names import COUNTED_LINKS

MAX_EXPRESSION = 80
MARK_FIELD = "m"
NAME_FIELD = '{{ first_name or "there" }}'
_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined, autoescape=True, keep_trailing_newline=True
)
# A mark no author can know, so that no text, however written, can pose as an open place.
_MARK = secrets.token_hex(8)
_SLOT = re.compile(rf"\{{\{{{_MARK}([a-z]+):([^{{}}]*)\}}\}}")
_FALLBACK = re.compile(r"^[A-Za-z][A-Za-z -]{0,29}$")
_LONG_EXPRESSION = re.compile(rf"\{{\{{(?!.{{0,{MAX_EXPRESSION}}}?\}}\}})", re.DOTALL)
_STATEMENT = re.compile(r"\{[%#]")


@dataclass(frozen=True)
class Slot:
    """An open place: `name` with its fall-back, `brand` with its field, `link` with its name."""

    kind: str
    value: str

    def __str__(self) -> str:
        return f"{{{{{_MARK}{self.kind}:{self.value}}}}}"


@dataclass(frozen=True)
class Slotted:
    """A text cut at its open places: text, slot, text, slot, ... text."""

    parts: tuple[str | Slot, ...]

    @classmethod
    def cut(cls, text: str) -> "Slotted":
        pieces = _SLOT.split(text)
        parts: list[str | Slot] = [pieces[0]]
        for at in range(1, len(pieces), 3):
            parts += [Slot(pieces[at], pieces[at + 1]), pieces[at + 2]]
        return cls(tuple(parts))

    @cached_property
    def slots(self) -> frozenset[Slot]:
        return frozenset(part for part in self.parts if isinstance(part, Slot))

    def fill(self, value_of: Callable[[Slot], str]) -> str:
        """The whole text; values are put in once and never read again."""
        values = {slot: value_of(slot) for slot in self.slots}
        return "".join(part if isinstance(part, str) else values[part] for part in self.parts)


def link_place(name: str, mark: str) -> str:
    """Where a named link goes; behind one whose visitors are counted stands the mail's mark."""
    place = str(Slot("link", name))
    return f"{place}?{MARK_FIELD}={mark}" if mark and name in COUNTED_LINKS else place


def to_slots(text: str, found: Findings, line: int) -> str:
    """The text with each merge field as a slot; unchanged, with a finding, when one is broken.
    `line` is where the text begins in its file."""
    statement = _STATEMENT.search(text)
    long = _LONG_EXPRESSION.search(text)
    if statement or long:
        at = min(match.start() for match in (statement, long) if match)
        found.add(line + text.count("\n", 0, at), _only_allowed())
        return text
    try:
        tree = _ENVIRONMENT.parse(text)
    except TemplateError as error:
        found.add(line + getattr(error, "lineno", 1) - 1, _only_allowed())
        return text
    return "".join(_piece(node, found, line) for node in _pieces(tree))


def _pieces(tree: nodes.Template) -> list[nodes.Node]:
    pieces: list[nodes.Node] = []
    for statement in tree.body:
        pieces += statement.nodes if isinstance(statement, nodes.Output) else [statement]
    return pieces


def _piece(node: nodes.Node, found: Findings, line: int) -> str:
    if isinstance(node, nodes.TemplateData):
        return node.data
    slot = _slot(node)
    if slot is None:
        found.add(line + node.lineno - 1, _only_allowed())
        return ""
    return str(slot)


def _slot(node: nodes.Node) -> Slot | None:
    match node:
        case nodes.Or(
            left=nodes.Name(name="first_name"), right=nodes.Const(value=str() as fallback)
        ) if _FALLBACK.match(fallback):
            return Slot("name", fallback)
        case nodes.Getattr(node=nodes.Name(name="brand"), attr=str() as field) if (
            field in BRAND_FIELDS
        ):
            return Slot("brand", field)
        case _:
            return None


def _only_allowed() -> str:
    return (
        f"only {NAME_FIELD}, always with its fall-back word, and the practice's own facts such as "
        "{{ brand.therapist_name }} may stand in double braces: write it like that or remove it"
    )
