"""A second way to make a mail: everything rendered anew for one reader, nothing cut or kept."""

import textwrap
from collections.abc import Callable
from functools import cache
from html import escape

from jinja2 import FileSystemLoader, StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from funnel.content.catalog import load_catalog
from funnel.content.compiled import CompiledMail, Compiler
from funnel.content.mails import MailText
from funnel.content.merge import Slot
from funnel.content.render import MailFields, shown_name
from tests.content.samples import TEMPLATES

CATALOG = load_catalog(TEMPLATES)


def whole_render(mail: MailText, fields: MailFields) -> tuple[str, str, str]:
    """Subject, html and text for one reader."""
    compiled, text_layout = _compiled(mail, fields.is_marketing)
    said = {"because": " ".join(fields.because.split())}
    plain = _values(fields, said)
    subject = " ".join(compiled.subject.fill(plain).split())
    said |= {"subject": subject, "preheader": " ".join(compiled.preheader.fill(plain).split())}
    html = compiled.html.fill(lambda slot: escape(plain(slot)))
    text = text_layout.render(
        kicker=_wrapped(compiled.kicker.fill(plain).upper()),
        heading=_wrapped(compiled.heading.fill(plain)),
        body=_body(compiled, plain),
        because=_wrapped(said["because"]),
        is_marketing=fields.is_marketing,
        brand=CATALOG.brand.shown,
        safety=CATALOG.safety,
        **{f"link_{name}": url for name, url in fields.links.items()},
    )
    return subject, html, text


@cache
def _compiled(mail: MailText, is_marketing: bool) -> tuple[CompiledMail, Template]:
    shelf = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(TEMPLATES / "email"),
        undefined=StrictUndefined,
        autoescape=lambda name: str(name).endswith(".mjml"),
        keep_trailing_newline=True,
    )
    shelf.filters["wrap"] = _wrapped
    compiler = Compiler(shelf.get_template("layout.mjml"), CATALOG)
    return compiler.compile(mail, is_marketing=is_marketing), shelf.get_template("layout.txt")


def _values(fields: MailFields, said: dict[str, str]) -> Callable[[Slot], str]:
    brand = CATALOG.brand
    links = {"booking": brand.booking_url, "website": brand.website} | dict(fields.links)

    def plain(slot: Slot) -> str:
        match slot.kind:
            case "name":
                return shown_name(fields.first_name) or slot.value
            case "link":
                return links[slot.value] or ""
            case "brand":
                return str(getattr(brand.shown, slot.value))
            case _:
                return said[slot.value]

    return plain


def _body(compiled: CompiledMail, plain: Callable[[Slot], str]) -> str:
    body = ""
    for block in compiled.body:
        words = block.text.fill(plain)
        lines = (
            block.first + words if block.is_address else _wrapped(words, block.first, block.rest)
        )
        body += ("" if not body else "\n" if block.is_tight else "\n\n") + lines
    return body


def _wrapped(text: str, first: str = "", rest: str = "") -> str:
    return "\n".join(
        textwrap.fill(
            line, 72, initial_indent=rest if at else first, subsequent_indent=rest,
            break_long_words=False, break_on_hyphens=False,
        )
        for at, line in enumerate(text.split("\n"))
    )  # fmt: skip
