"""The Markdown of a mail: the few forms allowed, cut into panels, and its HTML."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from itertools import islice

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from funnel.content.findings import Findings
from funnel.content.merge import link_place
from funnel.content.names import link_name, link_problem

MAX_DEPTH = 12
MAX_PROBLEMS = 50
_BREAKS = frozenset({"softbreak", "hardbreak"})
_RULES = ["heading", "list", "blockquote", "emphasis", "link", "escape", "newline", "hr"]
_RAW_HTML = re.compile(r"<[A-Za-z/!?]")
_BARE_URL = re.compile(r"\b(?:https?://|www\.)", re.IGNORECASE)
_UNWANTED = (
    (_RAW_HTML, "HTML is not used here: write Markdown, or put a space after '<'"),
    (re.compile(r"!\["), "pictures are not used in mails: remove it"),
)


@dataclass(frozen=True)
class Panel:
    """A stretch of a mail on one ground: plain, or set aside (a block quote)."""

    kind: str
    nodes: tuple[SyntaxTreeNode, ...]


def _parser() -> MarkdownIt:
    parser = MarkdownIt("zero").enable(_RULES)
    # Targets are judged by our own rules, with a finding for each, instead of dropped in silence.
    parser.validateLink = _is_judged_later  # type: ignore[method-assign, assignment]  # its own way
    parser.normalizeLink = str  # type: ignore[method-assign, assignment]  # its own way
    return parser


def _is_judged_later(_url: str) -> bool:
    return True


_PARSER = _parser()


def panels(root: SyntaxTreeNode) -> tuple[Panel, ...]:
    """The mail from top to bottom, plain stretches and asides in turn."""
    made: list[Panel] = []
    for node in root.children:
        if node.type == "blockquote":
            made.append(Panel("aside", tuple(node.children)))
        elif made and made[-1].kind == "card":
            made[-1] = Panel("card", (*made[-1].nodes, node))
        else:
            made.append(Panel("card", (node,)))
    return tuple(made)


def link_targets(root: SyntaxTreeNode) -> Iterator[str]:
    """Where every link leads."""
    for node in root.walk():
        if node.type == "link":
            yield str(node.attrs.get("href", ""))


def _line_of(node: SyntaxTreeNode) -> int:
    """The line a node begins on, counted from 0: its block's line and the breaks before it."""
    place, breaks = node, 0
    while place.type != "root":
        lines = place.map
        if lines:
            return lines[0] + breaks
        breaks += sum(each.type in _BREAKS for each in _before(place))
        if place.parent is None:
            break
        place = place.parent
    return breaks


def _before(node: SyntaxTreeNode) -> Iterator[SyntaxTreeNode]:
    for sibling in node.siblings:
        if sibling is node:
            return
        yield sibling


def read_markdown(text: str, found: Findings, line: int) -> SyntaxTreeNode | None:
    """The tree of a mail's text, with findings for what a mail may not hold; None when it is too
    knotted to read. `line` is where the text begins in its file."""
    for number, content in enumerate(text.split("\n"), start=line):
        for pattern, problem in _UNWANTED:
            if pattern.search(content):
                found.add(number, problem)
    tokens = _PARSER.parse(text)
    if any(_depth(token) > MAX_DEPTH for token in tokens):
        found.add(line, "the text is nested too deeply: write it more simply")
        return None
    root = SyntaxTreeNode(tokens)
    if not root.children:
        found.add(line, "the mail says nothing: write its text below the second line of dashes")
    for node, problem in islice(_problems(root), MAX_PROBLEMS):
        found.add(line + _line_of(node), problem)
    return root


def _depth(token: Token) -> int:
    return token.level + max((child.level for child in token.children or ()), default=0)


def _problems(root: SyntaxTreeNode) -> Iterator[tuple[SyntaxTreeNode, str]]:
    for node in root.walk():
        problem = _link_problem(node) if node.type == "link" else _shape_problem(node)
        if problem:
            yield node, problem
    for node in [each for each in root.children if each.type == "hr"][1:]:
        yield node, "the line of dashes shows where the button goes: keep only one"


def _link_problem(link: SyntaxTreeNode) -> str | None:
    if not "".join(node.content for node in link.walk()).strip():
        return "a link needs words: write [words](link:guide)"
    return link_problem(str(link.attrs.get("href", "")))


def _shape_problem(node: SyntaxTreeNode) -> str | None:
    match node.type:
        case "text" if _BARE_URL.search(node.content):
            return "a bare address is not used here: write [words](https://...)"
        case "heading" if node.tag == "h1":
            return "the mail's own heading stands in its front matter: begin with ## here"
        case "blockquote" if node.parent is not None and node.parent.type != "root":
            return "a block quote may not stand inside something else: move it out"
        case _:
            return None


class HtmlWriter:
    """Writes nodes as mail HTML; `absent` holds the placeholder of each link without a target,
    `mark` stands behind the counted ones."""

    def __init__(self, absent: Mapping[str, str], mark: str = "") -> None:
        self._absent = absent
        self._mark = mark
        self._writers: dict[str, Callable[[SyntaxTreeNode], str]] = {
            "text": lambda node: escape(node.content, quote=False),
            "softbreak": lambda _: "\n",
            "hardbreak": lambda _: "<br />",
            "strong": lambda node: f"<strong>{self.write_all(node)}</strong>",
            "em": lambda node: f"<em>{self.write_all(node)}</em>",
            "link": self._link,
            "paragraph": self._paragraph,
            "heading": self._heading,
            "bullet_list": lambda node: self._list(node, "ul"),
            "ordered_list": lambda node: self._list(node, "ol"),
            "list_item": lambda node: f"<li>{self.write_all(node)}</li>",
        }

    def write(self, node: SyntaxTreeNode) -> str:
        writer = self._writers.get(node.type, self.write_all)
        return writer(node)

    def write_all(self, node: SyntaxTreeNode) -> str:
        return "".join(self.write(child) for child in node.children)

    def _paragraph(self, node: SyntaxTreeNode) -> str:
        inside = self.write_all(node)
        return inside if node.hidden else f'<p class="body">{inside}</p>'

    def _heading(self, node: SyntaxTreeNode) -> str:
        inside = self.write_all(node)
        return f'<h2 class="heading heading--small">{inside}</h2>'

    def _list(self, node: SyntaxTreeNode, tag: str) -> str:
        inside = self.write_all(node)
        return f'<{tag} class="steps">{inside}</{tag}>'

    def _link(self, node: SyntaxTreeNode) -> str:
        target = str(node.attrs["href"])
        name = link_name(target)
        words = self.write_all(node)
        if name is not None and name in self._absent:
            return f"{words} {escape(self._absent[name])}"
        href = link_place(name, self._mark) if name else escape(target)
        return f'<a class="link" href="{href}">{words}</a>'
