"""Turns the words of a mail into its two parts once, with places left open for each person."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import mrml
from jinja2 import Template
from markdown_it.tree import SyntaxTreeNode

from funnel.content.catalog import Catalog
from funnel.content.findings import Findings
from funnel.content.mails import Cta, MailText
from funnel.content.markdown import HtmlWriter, link_targets, panels, read_markdown
from funnel.content.merge import Slot, Slotted, link_place, to_slots
from funnel.content.names import FOOTER_LINKS, MARKETING_LINKS, link_name, link_problem
from funnel.content.text_part import TextBlock, TextWriter, link_blocks
from funnel.domain.errors import ContentInvalid

GROUNDS = {"card": "#fffdf9", "aside": "#e9f2f0", "alert": "#fdf3ef"}
_PREHEADER = re.compile(r'<div style="display:none;[^"]*">')
# Words that are white or a pixel high look like a trick to spam filters; not every program reads
# the first of these, and Outlook only the second.
_HIDDEN = (
    '<div style="display:none;mso-hide:all;max-height:0;max-width:0;opacity:0;overflow:hidden">'
)


@dataclass(frozen=True)
class Part:
    """A piece of a panel: finished HTML, or the words of a button and where it leads."""

    html: str | None = None
    button: str | None = None
    href: str | None = None


@dataclass(frozen=True)
class ShownPanel:
    """A panel as the layout takes it."""

    kind: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class CompiledMail:
    """A mail ready to be filled: each piece cut at its open places. `links` are names needed."""

    subject: Slotted
    preheader: Slotted
    kicker: Slotted
    heading: Slotted
    html: Slotted
    body: tuple[TextBlock, ...]
    links: frozenset[str]


class _Words:
    """The checked words of one mail, with slots in place of merge fields."""

    def __init__(self, mail: MailText, catalog: Catalog) -> None:
        found = Findings("mail")
        hosts = frozenset(catalog.brand.link_hosts)
        self.subject = to_slots(mail.subject, found, 1)
        self.preheader = to_slots(mail.preheader, found, 1)
        self.kicker = to_slots(mail.kicker or "", found, 1)
        self.heading = to_slots(mail.heading or "", found, 1)
        root = read_markdown(to_slots(mail.body, found, 1), found, 1)
        self.targets = list(link_targets(root)) if root else []
        if mail.cta is not None:
            self.targets.append(f"link:{mail.cta.link}")
        for target in self.targets:
            problem = link_problem(target, hosts)
            if problem:
                found.add(1, problem)
        if root is None or found.items:
            raise ContentInvalid(found.items)
        self.root = root


class Compiler:
    """Makes compiled mails from one layout and one catalog."""

    def __init__(self, layout: Template, catalog: Catalog) -> None:
        self._layout = layout
        self._catalog = catalog
        shown = catalog.brand.shown
        brand_links = {"booking": catalog.brand.booking_url, "website": catalog.brand.website}
        placeholders = {"booking": shown.booking_url, "website": shown.website}
        self._absent = {name: placeholders[name] for name, url in brand_links.items() if not url}

    def compile(self, mail: MailText, *, is_marketing: bool) -> CompiledMail:
        """Both parts of a mail; raises ContentInvalid when its words may not stand."""
        words = _Words(mail, self._catalog)
        names = {link_name(target) for target in words.targets} - {None} - self._absent.keys()
        footer = FOOTER_LINKS | (MARKETING_LINKS if is_marketing else frozenset())
        return CompiledMail(
            subject=Slotted.cut(words.subject),
            preheader=Slotted.cut(words.preheader),
            kicker=Slotted.cut(words.kicker),
            heading=Slotted.cut(words.heading),
            html=Slotted.cut(self._page(mail, words, is_marketing)),
            body=self._text_body(mail, words.root),
            links=frozenset(str(name) for name in names) | footer,
        )

    def _page(self, mail: MailText, words: _Words, is_marketing: bool) -> str:
        source = self._layout.render(
            subject=str(Slot("said", "subject")),
            preheader=str(Slot("said", "preheader")),
            kicker=words.kicker,
            heading=words.heading,
            panels=self._panels(mail, words.root),
            grounds=GROUNDS,
            because=str(Slot("said", "because")),
            is_marketing=is_marketing,
            brand=self._catalog.brand.shown,
            safety=self._catalog.safety,
            **_link_slots(),
        )
        # Without `fonts={}` a common font name makes the mail fetch from a third party.
        page: str = mrml.to_html(source, render_options=mrml.RenderOptions(fonts={})).content
        return _PREHEADER.sub(_HIDDEN, page, count=1)

    def _panels(self, mail: MailText, root: SyntaxTreeNode) -> tuple[ShownPanel, ...]:
        shown = [ShownPanel(panel.kind, self._parts(panel.nodes, mail))
                 for panel in panels(root)]  # fmt: skip
        if mail.cta is not None and not _has_place(root):
            shown = _with_button(shown, self._button(mail.cta, mail.mark))
        if mail.red_flags:
            shown.append(ShownPanel("alert", (Part(html=self._alert()),)))
        return tuple(shown)

    def _parts(self, nodes: tuple[SyntaxTreeNode, ...], mail: MailText) -> tuple[Part, ...]:
        writer = HtmlWriter(self._absent, mail.mark)
        parts: list[Part] = []
        html = ""
        for node in nodes:
            if node.type == "hr" and mail.cta is not None:
                parts += [Part(html=html), self._button(mail.cta, mail.mark)]
                html = ""
            else:
                html += writer.write(node)
        return tuple(part for part in (*parts, Part(html=html)) if part.html or part.button)

    def _button(self, cta: Cta, mark: str) -> Part:
        if cta.link in self._absent:
            words = escape(f"{cta.label} {self._absent[cta.link]}")
            return Part(html=f'<p class="body">{words}</p>')
        return Part(button=cta.label, href=link_place(cta.link, mark))

    def _alert(self) -> str:
        safety = self._catalog.safety
        lines = "".join(f"<li>{escape(line)}</li>" for line in safety.urgent)
        return (
            f'<h2 class="heading heading--small">{escape(safety.urgent_title)}</h2>'
            f'<ul class="steps">{lines}</ul><p class="body">{escape(safety.urgent_note)}</p>'
        )

    def _text_body(self, mail: MailText, root: SyntaxTreeNode) -> tuple[TextBlock, ...]:
        writer = TextWriter(self._absent, mail.mark)
        blocks: list[TextBlock] = []
        for node in (each for panel in panels(root) for each in panel.nodes):
            if node.type == "hr" and mail.cta is not None:
                blocks += self._text_button(mail.cta, mail.mark)
            blocks += writer.write(node)
        if mail.cta is not None and not _has_place(root):
            blocks += self._text_button(mail.cta, mail.mark)
        if mail.red_flags:
            blocks += self._text_alert()
        return tuple(blocks)

    def _text_button(self, cta: Cta, mark: str) -> tuple[TextBlock, ...]:
        if cta.link in self._absent:
            return (TextBlock(Slotted.cut(f"{cta.label} {self._absent[cta.link]}")),)
        return link_blocks(cta.label, link_place(cta.link, mark))

    def _text_alert(self) -> list[TextBlock]:
        safety = self._catalog.safety
        title = TextBlock(Slotted.cut(safety.urgent_title.upper()))
        lines = [TextBlock(Slotted.cut(line), "  - ", "    ", is_tight=at > 0)
                 for at, line in enumerate(safety.urgent)]  # fmt: skip
        return [title, *lines, TextBlock(Slotted.cut(safety.urgent_note))]


def _with_button(shown: list[ShownPanel], button: Part) -> list[ShownPanel]:
    """The panels with the button below the last plain one, or in one of its own."""
    if shown and shown[-1].kind == "card":
        return [*shown[:-1], ShownPanel("card", (*shown[-1].parts, button))]
    return [*shown, ShownPanel("card", (button,))]


def _has_place(root: SyntaxTreeNode) -> bool:
    return any(node.type == "hr" for node in root.children)


def _link_slots() -> Mapping[str, Any]:
    names = FOOTER_LINKS | MARKETING_LINKS
    return {f"link_{name}": str(Slot("link", name)) for name in names}
