"""Reads one mail: front matter, merge fields and Markdown, with every problem named by line."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass as checked

from funnel.content.brand import Line
from funnel.content.findings import Findings
from funnel.content.markdown import read_markdown
from funnel.content.merge import to_slots
from funnel.content.models import STRICT, check
from funnel.content.names import link_problem
from funnel.content.yaml_source import Document, read_yaml
from funnel.domain.errors import ContentInvalid

MAX_CHARACTERS = 32 * 1024
_FRONT = re.compile(r"\A---[ \t]*\n(?P<front>.*?)^---[ \t]*\n(?P<body>.*)\Z", re.DOTALL | re.M)
_FORM = "a mail begins with its subject and preheader between two lines of three dashes (---)"


@dataclass(frozen=True)
class Cta:
    """The one button: its words and the name of the page behind it."""

    label: str
    link: str


@dataclass(frozen=True)
class MailText:
    """The words of one mail, merge fields still open. `red_flags` adds the safety list;
    `asked_for` names the pages the reader asked for, which a service mail may hold; `mark` is put
    behind the links whose visitors are counted."""

    subject: str
    preheader: str
    body: str
    kicker: str | None = None
    heading: str | None = None
    cta: Cta | None = None
    red_flags: bool = False
    asked_for: tuple[str, ...] = ()
    mark: str = ""


@checked(frozen=True, config=STRICT, kw_only=True)
class _CtaLines:
    """The button as it stands in the front matter."""

    label: Annotated[Line, Field(max_length=60)]
    link: Line


@checked(frozen=True, config=STRICT, kw_only=True)
class _FrontMatter:
    """What stands between the two lines of three dashes."""

    subject: Annotated[Line, Field(max_length=150)]
    preheader: Annotated[Line, Field(max_length=200)]
    kicker: Annotated[Line, Field(max_length=80)] | None = None
    heading: Annotated[Line, Field(max_length=120)] | None = None
    cta: _CtaLines | None = None
    red_flags: bool = False
    asked_for: tuple[Line, ...] = ()


def parse_mail(source: str, where: str) -> MailText:
    """The mail in a source text; raises ContentInvalid with every problem at once."""
    found = Findings(where)
    mail = _read(_plain(source, found), found)
    if mail is None or found.items:
        raise ContentInvalid(found.items)
    return mail


def _plain(source: str, found: Findings) -> str:
    """The source with plain line ends; empty with a finding when it is too long or not text."""
    if len(source) > MAX_CHARACTERS:
        found.add(1, f"the mail is over {MAX_CHARACTERS // 1024} KB: make it shorter")
        return ""
    text = source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    for number, line in enumerate(text.split("\n"), start=1):
        if any(unicodedata.category(char) in {"Cc", "Co", "Cs"} and char != "\t" for char in line):
            found.add(number, "this line holds a control character: remove it")
    return text


def _read(text: str, found: Findings) -> MailText | None:
    cut = _FRONT.match(text)
    if cut is None:
        if not found.items:
            found.add(1, f"{_FORM}: add them")
        return None
    front, body = cut["front"], cut["body"]
    body_line = front.count("\n") + 3
    read_markdown(to_slots(body, found, body_line), found, body_line)
    document = read_yaml(front, found, first_line=2)
    if document is None:
        return None
    head = check(_FrontMatter, document, found)
    _check_words(document, found)
    return None if head is None else _mail(head, body)


def _check_words(document: Document, found: Findings) -> None:
    """Check merge fields and links, whether or not the rest fits, so that all is told at once."""
    for name in ("subject", "preheader", "kicker", "heading"):
        to_slots(_text(document, name), found, document.line((name,)))
    label, target = _text(document, "cta", "label"), _text(document, "cta", "link")
    if "{" in label:
        found.add(document.line(("cta", "label")), "keep merge fields out of the button")
    _check_link(target, found, document.line(("cta", "link")))
    asked_for = document.at("asked_for")
    for name in asked_for if isinstance(asked_for, list) else []:
        _check_link(str(name), found, document.line(("asked_for",)))


def _text(document: Document, *place: str | int) -> str:
    value = document.at(*place)
    return value if isinstance(value, str) else ""


def _check_link(name: str, found: Findings, line: int) -> None:
    problem = link_problem(f"link:{name}") if name else None
    if problem:
        found.add(line, problem)


def _mail(head: _FrontMatter, body: str) -> MailText:
    return MailText(
        subject=head.subject,
        preheader=head.preheader,
        body=body.strip("\n") + "\n",
        kicker=head.kicker,
        heading=head.heading,
        cta=None if head.cta is None else Cta(head.cta.label, head.cta.link),
        red_flags=head.red_flags,
        asked_for=head.asked_for,
    )
