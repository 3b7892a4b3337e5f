"""What a mail is made of, for ears as for eyes: language, title, headings, tables, footer."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise

from funnel.content.catalog import Catalog
from tests.mails.post import SITE, Mail

LONGEST_LINE = 76
_WHY = {True: r"You get this because", False: r"You get this because|This is a one-off message"}


class _Outline(HTMLParser):
    """The title, the headings, the tables that say what they are for, and all that is read."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.lang = ""
        self.title = ""
        self.headings: list[int] = []
        self.tables: list[str] = []
        self.words: list[str] = []
        self._inside = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        if tag == "html":
            self.lang = dict(attrs).get("lang") or ""
        if tag == "table":
            self.tables.append(dict(attrs).get("role") or "")
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))

    def handle_data(self, data: str) -> None:
        if self._inside == "title":
            self.title += data
        elif self._inside != "style":
            self.words.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == self._inside:
            self._inside = ""

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def problems(mail: Mail, catalog: Catalog) -> tuple[str, ...]:
    """What is wrong with its outline, its footer or the lines of its text part."""
    outline = _Outline(mail.arrived.html)
    plain = " ".join(mail.arrived.text.split())
    return (
        *_in_outline(outline, mail.arrived.subject),
        *_in_text(mail.arrived.text),
        *(f"HTML: {each}" for each in _in_footer(mail, outline.text, catalog)),
        *(f"HTML: {each}" for each in _ways_to_leave(mail, mail.arrived.html)),
        *(f"text: {each}" for each in _in_footer(mail, plain, catalog)),
        *(f"text: {each}" for each in _ways_to_leave(mail, mail.arrived.text)),
    )


def _in_outline(outline: _Outline, subject: str) -> Iterator[str]:
    if outline.lang != "en-GB":
        yield f"its language is '{outline.lang}'"
    if outline.title != subject:
        yield f"its title is '{outline.title}'"
    if outline.headings[:1] != [1] or outline.headings.count(1) != 1:
        yield "it has not just one first heading"
    if any(below - above > 1 for above, below in pairwise(outline.headings)):
        yield "its headings skip a level"
    if set(outline.tables) != {"presentation"}:
        yield "a table is read out as one"


def _in_text(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        if len(line) > LONGEST_LINE and "://" not in line:
            yield f"the text has a long line: {line[:40]}"
        if "://" in line and not re.fullmatch(r"\s*https?://\S+", line):
            yield f"an address shares its line: {line[:40]}"
    if re.search(r"<[a-z/]|&[a-z]+;|\{\{", text):
        yield "the text holds markup"


def _in_footer(mail: Mail, words: str, catalog: Catalog) -> Iterator[str]:
    """Who writes, why, and when to get help at once."""
    brand, safety = catalog.brand.shown, catalog.safety
    told = (brand.trading_name, brand.postal_address, safety.disclaimer, safety.one_line)
    yield from (f"'{each[:40]}' is missing" for each in told if each not in words)
    if not re.search(_WHY[mail.is_series], words):
        yield "nothing says why it comes"


def _ways_to_leave(mail: Mail, part: str) -> Iterator[str]:
    for name in ("unsubscribe", "preferences"):
        if mail.is_series and f"{SITE}/{name}/" not in part:
            yield f"the link '{name}' is missing"
    if not mail.is_series and f"{SITE}/unsubscribe/" in part:
        yield "the link 'unsubscribe' is out of place"
