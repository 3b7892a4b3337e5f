"""Which features of HTML and CSS a mail uses, by the names that caniemail.com gives them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

from tests.mails.caniemail_data import CLIENTS
from tests.mails.css_features import Use, in_address, in_declarations, in_sheet

NOWHERE: frozenset[str] = frozenset()
# Any client shows these, and nobody tests them.
PLAIN_TAGS = frozenset({"html", "head", "title", "meta", "a", "br", "em", "b", "i"})
PLAIN_ATTRIBUTES = frozenset(
    {
        *("class", "id", "style", "href", "src", "alt", "title", "name", "content", "media"),
        *("type", "border", "bgcolor", "http-equiv", "start"),
        *("xmlns", "xmlns:v", "xmlns:o"),  # for Word, which makes Outlook's pages
        "aria-roledescription",  # a kinder word for screen readers; silence where it is dropped
        "vertical-align",  # the compiler's slip for valign, which it writes beside it
    }
)
_TAGS = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "html-h1-h6"),
    **dict.fromkeys(("ul", "ol", "li", "dl", "dt", "dd"), "html-lists"),
    **dict.fromkeys(("tbody", "thead", "tfoot", "tr", "td", "th", "caption"), "html-table"),
    **dict.fromkeys(("map", "area"), "html-image-maps"),
    **dict.fromkeys(
        ("article", "aside", "details", "figure", "figcaption", "footer", "header", "main",
         "nav", "section", "summary", "time", "mark"), "html-semantics",
    ),
    **{f"input-{kind}": f"html-input-{kind}" for kind in ("checkbox", "radio", "text", "submit")},
}  # fmt: skip
_ATTRIBUTES = {"loading": "html-loading-attribute", "inert": "css-inert-attribute"}
_MARKUP_FOR_WORD = re.compile(r"\[if ([^\]]*)\]>(.*)<!\[endif\]", re.DOTALL)
_ONLY_WORD_KNOWS = frozenset({"xml", "noscript"})
WORD = "outlook/windows"


@dataclass(frozen=True)
class Shown:
    """A feature, those it stands inside, and the clients that get to see that part."""

    feature: str
    within: frozenset[str]
    clients: tuple[str, ...] = CLIENTS


def features_of(html: str) -> frozenset[Shown]:
    """Every feature of a mail; one that caniemail.com does not know keeps its plain name."""
    return frozenset(_shown(html, CLIENTS))


def _shown(html: str, clients: tuple[str, ...]) -> Iterator[Shown]:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    for feature, within in reader.uses:
        yield Shown(feature, within, clients)
    for inside in reader.for_word:
        yield from _shown(inside, (WORD,))


class _Reader(HTMLParser):
    """Collects what is used, and what only Outlook on Windows gets to see."""

    def __init__(self) -> None:
        super().__init__()
        self.uses: list[Use] = []
        self.for_word: list[str] = []
        self._is_style = False
        self._in_body = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        if ":" in tag or tag in _ONLY_WORD_KNOWS:
            return
        self._in_body = self._in_body or tag == "body"
        self._is_style = tag == "style"
        if self._is_style and self._in_body:
            self._use_all(["a style sheet in the body"])  # Gmail reads it in the head only
        self._use_all(_in_tag(tag, known))
        self._use_all(_in_attributes(known))
        self.uses += in_declarations(known.get("style", ""), NOWHERE)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self._is_style = False

    def handle_endtag(self, tag: str) -> None:
        self._is_style = self._is_style and tag != "style"

    def handle_data(self, data: str) -> None:
        if self._is_style:
            self.uses += in_sheet(data, frozenset({"html-style"}))

    def handle_decl(self, decl: str) -> None:
        self._use_all([f"html-{decl.split(maxsplit=1)[0].lower()}"])

    def handle_comment(self, data: str) -> None:
        self._use_all(["html-comments"])
        hidden = _MARKUP_FOR_WORD.fullmatch(data)
        if hidden:
            self.for_word.append(hidden[2])

    def _use_all(self, features: Iterable[str]) -> None:
        self.uses += [(feature, NOWHERE) for feature in features]


def _in_tag(tag: str, attributes: dict[str, str]) -> Iterator[str]:
    if tag == "meta" and attributes.get("name") == "color-scheme":
        yield "html-meta-color-scheme"
    elif tag in {"input", "button"}:
        yield f"html-{tag}-{attributes.get('type', 'text')}"
    elif tag not in PLAIN_TAGS:
        yield _TAGS.get(tag, f"html-{tag}")


def _in_attributes(attributes: dict[str, str]) -> Iterator[str]:
    for name in attributes.keys() - PLAIN_ATTRIBUTES:
        yield _ATTRIBUTES.get(name, f"html-{name}")
    for name in ("src", "background"):
        if attributes.get(name):
            yield in_address(attributes[name]) or "a picture of no known kind"
    href = attributes.get("href", "")
    if href.startswith("mailto:"):
        yield "html-mailto-links"
    if href.startswith("#"):
        yield "html-anchor-links"
