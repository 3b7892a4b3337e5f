"""Makes a finished mail for one person: compiled once for its words, filled for each person."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TypeVar

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from funnel.content.catalog import Catalog
from funnel.content.compiled import CompiledMail, Compiler
from funnel.content.forms import FilledBy, FormCutter, one_line
from funnel.content.mails import MailText
from funnel.content.merge import Slot
from funnel.content.names import FOOTER_LINKS, MARKETING_LINKS, SERVICE_LINKS
from funnel.content.text_part import wrap
from funnel.domain.errors import InvalidInput, MailRefused
from funnel.domain.people import parse_name
from funnel.domain.ports import MailForm

KEPT_COMPILED = 256
HOUSE_LINKS = tuple(sorted(FOOTER_LINKS | {"booking", "website"}))  # the same for every reader
Key = TypeVar("Key")
Value = TypeVar("Value")
_FormKey = tuple[MailText, bool, tuple[tuple[str, str], ...], bool]
_ADDRESS = re.compile(r"^https?://[A-Za-z0-9._~:/?#@!$&()*+,;=%\[\]-]+\Z")
# Mail programs make links of such words by themselves, so a name like that is not shown.
_LINKISH = re.compile(r"[/\\@:<>{}\[\]]|[.。．｡][^\W\d_]{2}|\bwww\b|\d{4}", re.IGNORECASE)


@dataclass(frozen=True)
class MailFields:
    """What one person's mail needs. `links` maps names to absolute URLs: every mail needs
    privacy and safety, a marketing mail also preferences and unsubscribe, and each mail the
    names it links to (see `Renderer.links_of`). `because` says why they get this."""

    first_name: str | None
    links: Mapping[str, str]
    is_marketing: bool
    because: str


@dataclass(frozen=True)
class RenderedMail:
    """One finished mail; no line breaks in subject and preheader. Filling `form` with `values`
    gives the same subject, html and text."""

    subject: str
    preheader: str
    html: str
    text: str
    form: MailForm | None = None
    values: tuple[str, ...] = ()


class Renderer:
    """Renders mails with the shipped layout and one catalog. Safe to share between threads."""

    def __init__(self, root: Path, catalog: Catalog) -> None:
        environment = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(root / "email"),
            undefined=StrictUndefined,
            autoescape=lambda name: str(name).endswith(".mjml"),
            trim_blocks=False,
            keep_trailing_newline=True,
        )
        environment.filters["wrap"] = wrap
        self._catalog = catalog
        self._compiler = Compiler(environment.get_template("layout.mjml"), catalog)
        self._text_layout = environment.get_template("layout.txt")
        brand = catalog.brand
        brand_links = {"booking": brand.booking_url, "website": brand.website}
        self._brand_links = {name: url for name, url in brand_links.items() if url}
        self._compiled: dict[tuple[MailText, bool], CompiledMail] = {}
        self._forms: dict[_FormKey, FilledBy] = {}

    def links_of(self, mail: MailText, *, is_marketing: bool) -> frozenset[str]:
        """The names of the links that a mail and its footer need."""
        return self._compile(mail, is_marketing).links

    def render(self, mail: MailText, fields: MailFields) -> RenderedMail:
        """The mail for one person.

        Raises MailRefused when a link it needs is absent or unfit, as for a marketing mail
        without a way to unsubscribe; raises ContentInvalid when its words may not stand.
        """
        compiled = self._compile(mail, fields.is_marketing)
        filling = _Filling(fields, self._links(compiled, fields), self._catalog)
        filled_by = self._form(mail, compiled, fields.is_marketing, filling.links)
        form, values = filled_by.form, filled_by.values(filling.plain)
        return RenderedMail(
            subject=form.fill(form.subject, values),
            preheader=one_line(compiled.preheader.fill(filling.plain)),
            html=form.fill(form.html, values),
            text=form.fill(form.text, values),
            form=form,
            values=values,
        )

    def _compile(self, mail: MailText, is_marketing: bool) -> CompiledMail:
        key = (mail, is_marketing)
        compiled = self._compiled.get(key)
        if compiled is None:
            compiled = self._compiler.compile(mail, is_marketing=is_marketing)
            _keep(self._compiled, key, compiled)
        return compiled

    def _form(
        self, mail: MailText, compiled: CompiledMail, is_marketing: bool, links: Mapping[str, str]
    ) -> FilledBy:
        same = tuple((name, links[name]) for name in HOUSE_LINKS if name in links)
        is_plain = all(escape(url) == url for url in links.values())
        key = (mail, is_marketing, same, is_plain)
        form = self._forms.get(key)
        if form is None:
            cutter = FormCutter(self._catalog, dict(same), is_plain=is_plain)
            form = cutter.cut(compiled, self._text_layout, is_marketing=is_marketing)
            _keep(self._forms, key, form)
        return form

    def _links(self, compiled: CompiledMail, fields: MailFields) -> dict[str, str]:
        if fields.is_marketing and compiled.links & SERVICE_LINKS:
            raise MailRefused("A marketing mail may not hold a link of a service mail.")
        known = self._brand_links | dict(fields.links)
        absent = sorted(compiled.links - known.keys())
        if absent:
            raise MailRefused(_why_refused(absent))
        unfit = sorted(name for name in compiled.links if not _ADDRESS.match(known[name]))
        if unfit:
            raise MailRefused(f"The address behind {', '.join(unfit)} is not a web address.")
        return {name: known[name] for name in compiled.links}


class _Filling:
    """The values of one person for every open place."""

    def __init__(self, fields: MailFields, links: dict[str, str], catalog: Catalog) -> None:
        self.links = links
        self._because = one_line(fields.because)
        self._name = shown_name(fields.first_name)
        self._brand = catalog.brand.shown

    def plain(self, slot: Slot) -> str:
        match slot.kind:
            case "name":
                return self._name or slot.value
            case "link":
                return self.links[slot.value]
            case "brand":
                return str(getattr(self._brand, slot.value))
            case _:
                return self._because


def _keep(kept: dict[Key, Value], key: Key, value: Value) -> None:
    """Keep it for the next reader; a store that is full starts anew."""
    if len(kept) >= KEPT_COMPILED:
        kept.clear()
    kept[key] = value


def shown_name(raw: str | None) -> str | None:
    """A first name fit to be shown in a mail; None when there is none, or when mail programs
    would make a link of it."""
    try:
        name = parse_name(raw or "")
    except InvalidInput:
        return None
    return None if name is None or _LINKISH.search(name) else name


def _why_refused(absent: list[str]) -> str:
    if not MARKETING_LINKS.isdisjoint(absent):
        return "A marketing mail needs a link to unsubscribe and one to the preferences."
    return f"The mail links to {', '.join(absent)}, but no address was given."
