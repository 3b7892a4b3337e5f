"""The documents about data protection, written from what the words and the installation say."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markdown_it import MarkdownIt

from funnel.content import brand, privacy
from funnel.content.catalog import Catalog
from funnel.content.retention import RETENTION_FIELDS
from funnel.domain.errors import ContentInvalid

NOTICE = "privacy-notice"
TITLES = {
    NOTICE: "Privacy notice",
    "processing-record": "Record of processing",
    "dpia": "Impact assessment",
    "processors": "Companies that help",
    "breach-runbook": "If something goes wrong",
}
_WORDS = brand.PLACEHOLDERS | privacy.PLACEHOLDERS
_RULES = ["heading", "list", "emphasis", "link", "escape", "newline", "table", "backticks"]
_SPECIAL = re.compile(r"([\\`*_\[\]<>|])")
_OPEN_PLACE = re.compile(r"\[([^\[\]<>]{1,120})\]")


@dataclass(frozen=True)
class Installation:
    """What documents quote of the settings: the address of the site, who carries mail, and where
    rows lie."""

    site: str
    mail: Literal["sendgrid", "smtp", "mailbox"]
    database: Literal["Postgres", "SQLite"]


@dataclass(frozen=True)
class Document:
    """One document in Markdown; `missing` names the facts it still shows as placeholders."""

    key: str
    title: str
    source: str
    missing: tuple[str, ...]


class _Placeholder(str):
    """Stands in for a fact; the only value whose brackets are meant."""

    __slots__ = ()


class Documents:
    """Writes documents. One that asks for a fact that has no field raises ContentInvalid."""

    def __init__(self, root: Path, catalog: Catalog, installation: Installation) -> None:
        self._environment = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(root / "documents"),
            undefined=StrictUndefined,
            finalize=_in_markdown,
            keep_trailing_newline=True,
        )
        self._facts = _facts(catalog, installation)

    @cached_property
    def all(self) -> Mapping[str, Document]:
        """Every document by its key, in the order to read them."""
        return {key: self._write(key) for key in TITLES}

    @property
    def missing(self) -> tuple[str, ...]:
        """Every fact that some document still waits for."""
        return tuple(dict.fromkeys(name for each in self.all.values() for name in each.missing))

    def _write(self, key: str) -> Document:
        try:
            source = self._environment.get_template(f"{key}.md").render(self._facts)
        except TemplateError as error:
            raise ContentInvalid((f"templates/documents/{key}.md: {error}",)) from error
        absent = (name for name in _WORDS if isinstance(self._facts[name], _Placeholder))
        missing = tuple(name for name in absent if str(self._facts[name]) in source)
        return Document(key, TITLES[key], source, missing)


def _facts(catalog: Catalog, installation: Installation) -> dict[str, object]:
    """Everything a document may quote, by name; what is not given yet as its placeholder."""
    facts: dict[str, object] = {
        name: getattr(catalog.brand.shown, name) for name in brand.BRAND_FIELDS
    }
    facts |= {name: getattr(catalog.privacy, name) for name in privacy.PRIVACY_FIELDS}
    facts |= {name: getattr(catalog.retention, name) for name in RETENTION_FIELDS}
    facts |= {field.name: getattr(installation, field.name) for field in fields(installation)}
    facts["self_check_days"] = catalog.self_check.keep_days
    absent = catalog.brand.missing() + catalog.privacy.missing()
    return facts | {name: _Placeholder(_WORDS[name]) for name in absent}


def _in_markdown(value: object) -> object:
    """A value as plain words: what it holds of Markdown means nothing."""
    if isinstance(value, date):
        return f"{value.day} {value:%B %Y}"
    if not isinstance(value, str) or isinstance(value, _Placeholder):
        return value
    return _SPECIAL.sub(r"\\\1", value)


_PARSER = MarkdownIt("zero").enable(_RULES)


@lru_cache(maxsize=32)
def html_of(source: str) -> str:
    """A document as HTML: everything in it is escaped, and open places stand out."""
    return _OPEN_PLACE.sub(r'<span class="fill">[\1]</span>', _PARSER.render(source))
