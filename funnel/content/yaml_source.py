"""Reads YAML that people write: safe, small, without anchors, and every value with its line."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from funnel.content.findings import Findings

MAX_CHARACTERS = 256 * 1024
MAX_DEPTH = 12
MAX_NODES = 5_000

_PLAIN_TAGS = frozenset({None, "!"})
_TAG = "tag:yaml.org,2002:"
Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """Plain values (mappings, lists, text, whole numbers, yes or no, nothing) and their lines."""

    value: object
    lines: Mapping[Place, int]

    def line(self, place: Place) -> int:
        """The line of that place, or of the nearest place around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def at(self, *place: str | int) -> object:
        """The value at a place of mappings; None when there is none."""
        value = self.value
        for step in place:
            value = value.get(step) if isinstance(value, dict) else None
        return value


class _Refused(yaml.MarkedYAMLError):
    """A YAML feature that our files do without."""


class _Loader(yaml.SafeLoader):
    """Knows no dates, no sixties and no yes/no words; refuses anchors, tags and bombs."""

    # Empty, so that only the words added below mean anything but text.
    yaml_implicit_resolvers = {}  # noqa: RUF012 - the base class declares it for instances

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self._depth = 0
        self._count = 0

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]  # stub lacks it
        self._count += 1
        self._depth += 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise _refuse(event, "anchors and aliases (& and *) are not used here: write it out")
        if getattr(event, "tag", None) not in _PLAIN_TAGS:
            raise _refuse(event, "type tags (!) are not used here: remove it")
        if self._depth > MAX_DEPTH or self._count > MAX_NODES:
            raise _refuse(event, "this is nested too deeply or too long: make it simpler")
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


_Loader.add_implicit_resolver(f"{_TAG}bool", re.compile(r"^(?:true|false)$"), ["t", "f"])
_Loader.add_implicit_resolver(f"{_TAG}null", re.compile(r"^(?:~|null|)$"), ["~", "n", ""])
_Loader.add_implicit_resolver(
    f"{_TAG}int", re.compile(r"^-?(?:0|[1-9][0-9]{0,11})$"), list("-0123456789")
)


def _refuse(event: yaml.Event, problem: str) -> _Refused:
    return _Refused(problem=problem, problem_mark=cast("yaml.Mark", event.start_mark))


def read_yaml(source: str, found: Findings, first_line: int = 1) -> Document | None:
    """The document in `source`; None when it cannot be read. Problems go into `found`."""
    if len(source) > MAX_CHARACTERS:
        found.add(first_line, f"the text is over {MAX_CHARACTERS // 1024} KB: make it shorter")
        return None
    loader = None
    try:
        loader = _Loader(source)
        root = loader.get_single_node()
    except yaml.YAMLError as error:
        _tell(error, found, first_line)
        return None
    finally:
        if loader is not None:
            loader.dispose()
    return _Walk(found, first_line).document(root)


# What YAML's own words most often mean in a file of sentences.
_HINTS = {
    "mapping values are not allowed": ". A colon inside a sentence needs quotes round the sentence",
    "expected <block end>": ". Look at the spaces at the start of this line and of the one above",
    "'\\t'": ". Use spaces, not tabs",
}


def _tell(error: yaml.YAMLError, found: Findings, first_line: int) -> None:
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        line = (mark.line if mark else 0) + first_line
        problem = str(error.problem or error.context)
        hint = next((hint for part, hint in _HINTS.items() if part in problem), "")
        found.add(line, f"this is not readable YAML: {problem}{hint}")
    else:
        found.add(
            first_line,
            "this is not readable YAML: it holds a character that may not stand in a text file",
        )


class _Walk:
    """Turns a tree of nodes into plain values and notes the line of each."""

    def __init__(self, found: Findings, first_line: int) -> None:
        self._found = found
        self._first = first_line
        self._lines: dict[Place, int] = {}

    def document(self, root: Node | None) -> Document:
        value = None if root is None else self._value(root, ())
        return Document(value, self._lines)

    def _line(self, node: Node) -> int:
        return int(node.start_mark.line) + self._first

    def _value(self, node: Node, place: Place) -> object:
        self._lines.setdefault(place, self._line(node))
        if isinstance(node, MappingNode):
            return self._mapping(node, place)
        if isinstance(node, SequenceNode):
            return [self._value(item, (*place, at)) for at, item in enumerate(node.value)]
        return _scalar(node)

    def _mapping(self, node: MappingNode, place: Place) -> dict[str, object]:
        values: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value) if isinstance(key_node, ScalarNode) else "?"
            if key in values:
                self._found.add(self._line(key_node), f"'{key}' is here twice: keep one of them")
                continue
            self._lines[(*place, key)] = self._line(key_node)
            values[key] = self._value(value_node, (*place, key))
        return values


def _scalar(node: Node) -> object:
    text = str(node.value)
    match node.tag.removeprefix(_TAG):
        case "null":
            return None
        case "bool":
            return text == "true"
        case "int":
            return int(text)
        case _:
            return text
