"""Whether an installation may start: findings about its settings, its words and what is missing."""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from funnel.adapters.press import refusal_of
from funnel.adapters.sendgrid_url import read_sendgrid_url
from funnel.adapters.smtp_server import read_smtp_url
from funnel.content.catalog import Catalog, load_catalog
from funnel.content.claims import health_in, label_of
from funnel.content.documents import Documents, Installation
from funnel.content.guide_document import guide_document, pattern_part
from funnel.content.lint import lint_all
from funnel.content.privacy import PRIVACY_FIELDS
from funnel.content.shipped import shipped_texts
from funnel.domain.errors import ContentInvalid, SettingInvalid
from funnel.domain.ports import Document
from funnel.settings import Finding, Settings

# Without these no marketing mail may lawfully leave.
NEEDED_TO_SEND = frozenset({"from_address", "postal_address"})


def refuse_errors(settings: Settings) -> None:
    """Raise SettingInvalid, naming each error, when this installation must not start."""
    errors = [str(finding) for finding in findings_of(settings) if finding.is_error]
    if errors:
        raise SettingInvalid("not started.\n" + "\n".join(errors))


def findings_of(settings: Settings) -> tuple[Finding, ...]:
    """All findings of an installation: settings first, then words, then what is missing.

    Takes a third of a second, most of it to read every mail.
    """
    words = _words(settings) + _keys(settings)
    return check_settings(settings) + words + _of_catalog(settings)


def check_settings(settings: Settings) -> tuple[Finding, ...]:
    """The settings' own findings, and what only those who connect can tell of an address."""
    found = (_check_database(settings), _check_smtp(settings), _check_sendgrid(settings))
    return settings.check() + tuple(finding for finding in found if finding)


def _check_database(settings: Settings) -> Finding | None:
    mend = "Use sqlite:///... or postgresql://user:password@host:5432/name"
    try:
        kind = make_url(settings.database_url).get_backend_name()
    except (ArgumentError, ValueError):
        return Finding("S04", "DATABASE_URL cannot be read.", mend)
    if kind in {"sqlite", "postgresql"}:
        return None
    return Finding("S04", "DATABASE_URL is neither SQLite nor Postgres.", mend)


def _check_smtp(settings: Settings) -> Finding | None:
    if not settings.mail_url.startswith(("smtp:", "smtps:")):
        return None
    try:
        read_smtp_url(settings.mail_url)
    except SettingInvalid as problem:
        return Finding("S12", str(problem), "Use smtp://user:password@host:587?starttls=1")
    return None


def _check_sendgrid(settings: Settings) -> Finding | None:
    if not settings.mail_url.startswith("sendgrid:"):
        return None
    try:
        read_sendgrid_url(settings.mail_url)
    except SettingInvalid as problem:
        return Finding("S14", str(problem), "Use sendgrid://KEY or sendgrid://KEY?region=eu")
    return None


def _words(settings: Settings) -> tuple[Finding, ...]:
    problems = lint_all(Path(settings.templates_path))
    return tuple(Finding("W01", problem, "") for problem in problems)


def _keys(settings: Settings) -> tuple[Finding, ...]:
    """Keys of mails that tell of health: a provider would know a mail by them."""
    try:
        texts = shipped_texts(Path(settings.templates_path))
    except ContentInvalid:
        return ()
    return tuple(
        Finding(
            "W03",
            f"{text.where}: '{word}' in the name tells of health.",
            f"SendGrid counts it as '{label_of(text.key)}' only. If nobody has had it yet, give "
            "it a neutral name; else leave it, for renamed it would go once more.",
            is_error=False,
        )
        for text in texts
        if text.kind == "mail" and (word := health_in(text.key)) is not None
    )


def _of_catalog(settings: Settings) -> tuple[Finding, ...]:
    """What only words that can be read tell; those that cannot are findings already."""
    try:
        catalog = load_catalog(Path(settings.templates_path))
    except ContentInvalid:
        return ()
    return _guides(catalog) + _missing(settings, catalog) + _documents_left(settings, catalog)


def _guides(catalog: Catalog) -> tuple[Finding, ...]:
    """What the guide would refuse of the words, found before a reader waits for it in vain."""
    refusals = [refusal_of(document) for document in _documents(catalog)]
    return tuple(
        Finding("W02", f"No guide can be printed: {each}.", "Mend it in templates/.")
        for each in dict.fromkeys(refusals)
        if each
    )


def documents_of(settings: Settings, catalog: Catalog) -> Documents:
    """The documents about data protection of this installation."""
    scheme = settings.mail_url.partition("://")[0].removesuffix("s")
    installation = Installation(
        site=settings.base_url,
        mail="mailbox" if scheme == "mailbox" else "sendgrid" if scheme == "sendgrid" else "smtp",
        database="SQLite" if settings.database_url.startswith("sqlite") else "Postgres",
    )
    return Documents(Path(settings.templates_path), catalog, installation)


def _documents(catalog: Catalog) -> Iterator[Document]:
    """Guides that together hold every word of the catalog that a guide may show."""
    anyone = {"made_on": "2026-01-01", "challenge_url": "https://example.org"}
    house = {**guide_document(catalog), **anyone}
    yield house
    for pattern in catalog.self_check.patterns:
        yield {**house, "pattern": pattern_part(pattern)}
    for question in catalog.self_check.questions:
        for answer in question.answers:
            yield {**house, "told": [answer.told] if answer.told else []}


def _documents_left(settings: Settings, catalog: Catalog) -> tuple[Finding, ...]:
    """What the documents about data protection still wait for, and any that cannot be written."""
    try:
        missing = documents_of(settings, catalog).missing
    except ContentInvalid as error:
        return tuple(Finding("W03", problem, "") for problem in error.findings)
    return tuple(
        Finding(
            "P01",
            f"{name} in templates/privacy.yaml is not filled in.",
            "Your privacy notice and records wait for it.",
            is_error=False,
        )
        for name in missing
        if name in PRIVACY_FIELDS
    )


def _missing(settings: Settings, catalog: Catalog) -> tuple[Finding, ...]:
    missing = [
        Finding(
            "B01",
            f"{name} in templates/brand.yaml is not filled in.",
            "Only you can give it.",
            is_error=settings.is_production and name in NEEDED_TO_SEND,
        )
        for name in catalog.brand.missing()
    ]
    if catalog.safety.reviewed_on is None:
        missing.append(
            Finding(
                "B02",
                "Nobody has reviewed the safety text.",
                "Read templates/safety.yaml, then fill in reviewed_on and reviewed_by.",
                is_error=False,
            )
        )
    return tuple(missing)
