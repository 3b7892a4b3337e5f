"""The text part of a mail, made by hand from the same Markdown: short lines, links on their own."""

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from markdown_it.tree import SyntaxTreeNode

from funnel.content.merge import Slot, Slotted, link_place
from funnel.content.names import link_name

WIDTH = 72


@dataclass(frozen=True)
class TextBlock:
    """A piece of text with the indent of its first and its other lines."""

    text: Slotted
    first: str = ""
    rest: str = ""
    is_address: bool = False
    is_tight: bool = False
    is_upper: bool = False

    def lines(self, value_of: Callable[[Slot], str]) -> str:
        """The block with its indents, in lines of at most 72 columns."""
        filled = self.text.fill(value_of)
        if self.is_address:
            return self.first + filled
        return wrap(filled.upper() if self.is_upper else filled, self.first, self.rest)


def wrap(text: str, first: str = "", rest: str = "") -> str:
    """The text in lines of at most 72 columns; a longer word stays whole."""
    if text and len(first + text) <= WIDTH and text.isprintable() and text[-1] != " ":
        return first + text  # what the long way comes to, much sooner
    return _wrap_long(text, first, rest)


@lru_cache(maxsize=1024)
def _wrap_long(text: str, first: str, rest: str) -> str:
    return "\n".join(
        textwrap.fill(
            line, WIDTH, initial_indent=first if at == 0 else rest, subsequent_indent=rest,
            break_long_words=False, break_on_hyphens=False,
        )
        for at, line in enumerate(text.split("\n"))
    )  # fmt: skip


def join_blocks(blocks: tuple[TextBlock, ...], lines_of: Callable[[TextBlock], str]) -> str:
    """Blocks with an empty line between them, except before a tight one."""
    text = ""
    for block in blocks:
        gap = "" if not text else "\n" if block.is_tight else "\n\n"
        text += gap + lines_of(block)
    return text


def link_blocks(label: str, address: str, indent: str = "") -> tuple[TextBlock, TextBlock]:
    """A link: its words, then its address on a line of its own."""
    heading = label[:1].upper() + label[1:].rstrip(".:")
    words = TextBlock(Slotted.cut(f"{heading}:"), indent, indent)
    return words, TextBlock(Slotted.cut(address), indent, indent, is_address=True, is_tight=True)


class TextWriter:
    """Writes nodes as text blocks; `absent` holds the placeholder of links without a target,
    `mark` stands behind the counted ones."""

    def __init__(self, absent: Mapping[str, str], mark: str = "") -> None:
        self._absent = absent
        self._mark = mark

    def write(self, node: SyntaxTreeNode, indent: str = "") -> tuple[TextBlock, ...]:
        match node.type:
            case "paragraph" | "heading":
                return self._words(node, indent, indent)
            case "bullet_list" | "ordered_list":
                return self._list(node, indent)
            case _:
                return ()

    def _words(self, node: SyntaxTreeNode, first: str, rest: str) -> tuple[TextBlock, ...]:
        block = TextBlock(Slotted.cut(self._inline(node)), first, rest)
        return (block, *self._addresses(node, rest))

    def _list(self, node: SyntaxTreeNode, indent: str) -> tuple[TextBlock, ...]:
        blocks: list[TextBlock] = []
        start = int(node.attrs.get("start", 1))
        for number, item in enumerate(node.children, start=start):
            mark = f"{indent}  {number}. " if node.type == "ordered_list" else f"{indent}  - "
            blocks += self._item(item, mark, is_first=number == start)
        return tuple(blocks)

    def _item(self, item: SyntaxTreeNode, mark: str, *, is_first: bool) -> list[TextBlock]:
        rest = " " * len(mark)
        blocks: list[TextBlock] = []
        for child in item.children:
            blocks += (
                self.write(child, rest) if blocks or child.type != "paragraph"
                else self._words(child, mark, rest)
            )  # fmt: skip
        if blocks and not is_first:
            head = blocks[0]
            blocks[0] = TextBlock(head.text, head.first, head.rest, is_tight=True)
        return blocks

    def _inline(self, node: SyntaxTreeNode) -> str:
        match node.type:
            case "text":
                return node.content
            case "softbreak":
                return " "
            case "hardbreak":
                return "\n"
            case _:
                inside = "".join(self._inline(child) for child in node.children)
                return inside + self._placeholder(node)

    def _placeholder(self, node: SyntaxTreeNode) -> str:
        name = link_name(str(node.attrs.get("href", ""))) if node.type == "link" else None
        return f" {self._absent[name]}" if name is not None and name in self._absent else ""

    def _addresses(self, node: SyntaxTreeNode, indent: str) -> tuple[TextBlock, ...]:
        blocks: list[TextBlock] = []
        for link in (each for each in node.walk() if each.type == "link"):
            target = str(link.attrs["href"])
            name = link_name(target)
            if name not in self._absent:
                address = link_place(name, self._mark) if name else target
                blocks += link_blocks(self._inline(link), address, indent)
        return tuple(blocks)
