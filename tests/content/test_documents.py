"""The documents about data protection are written from what is said elsewhere (C32, C40, C41)."""

import re
import shutil
from dataclasses import fields, replace
from datetime import date
from pathlib import Path

import pytest
from jinja2 import Environment, meta

from funnel.content.brand import BRAND_FIELDS
from funnel.content.catalog import Catalog, load_catalog
from funnel.content.documents import TITLES, Documents, Installation, html_of
from funnel.content.privacy import PLACEHOLDERS, PRIVACY_FIELDS
from funnel.content.retention import RETENTION_FIELDS
from funnel.domain.errors import ContentInvalid

HERE = Installation("https://mk.example", "smtp", "SQLite")
KNOWN = (
    BRAND_FIELDS
    | PRIVACY_FIELDS
    | RETENTION_FIELDS
    | {field.name for field in fields(Installation)}
    | {"self_check_days"}
)


@pytest.fixture(scope="module")
def catalog(templates: Path) -> Catalog:
    return load_catalog(templates)


def filled(catalog: Catalog) -> Catalog:
    """A practice that has answered everything."""
    given: dict[str, object] = {name: f"the {name.replace('_', ' ')}" for name in PLACEHOLDERS}
    given |= {"backup_days": 30, "ico_answer": "registered"}
    given |= {"reviewed_on": date(2027, 1, 31), "next_review_on": date(2028, 1, 31)}
    brand = {name: f"the {name}" for name in catalog.brand.missing()}
    brand |= dict.fromkeys(("website", "booking_url"), "https://mk.example")
    brand |= dict.fromkeys(("from_address", "reply_to_address"), "me@mk.example")
    return replace(
        catalog,
        privacy=replace(catalog.privacy, **given),  # type: ignore[arg-type]
        brand=replace(catalog.brand, **brand),  # type: ignore[arg-type]
    )


def test_whatever_a_document_quotes_has_a_field(templates: Path) -> None:
    for key in TITLES:
        source = (templates / "documents" / f"{key}.md").read_text("utf-8")
        quoted = meta.find_undeclared_variables(Environment(autoescape=True).parse(source))
        assert quoted <= KNOWN, f"{key} quotes what nobody can fill in"


def test_every_file_of_documents_is_one_of_them(templates: Path) -> None:
    assert {path.stem for path in (templates / "documents").iterdir()} == set(TITLES)


def test_every_number_of_the_timers_is_told_in_a_document(templates: Path) -> None:
    sources = "".join(path.read_text("utf-8") for path in (templates / "documents").iterdir())
    assert {name for name in RETENTION_FIELDS if f"{{{{ {name} }}}}" not in sources} == set()
    assert {name for name in PRIVACY_FIELDS if name not in sources} == set()


def test_an_installation_that_said_nothing_shows_open_places_and_names_them(
    templates: Path, catalog: Catalog
) -> None:
    documents = Documents(templates, catalog, HERE)
    assert set(PLACEHOLDERS) <= set(documents.missing)
    notice = documents.all["privacy-notice"]
    assert "[your hosting company]" in notice.source
    assert "hosting_company" in notice.missing
    assert '<span class="fill">[your hosting company]</span>' in html_of(notice.source)


@pytest.mark.parametrize("mail", ["sendgrid", "smtp", "mailbox"])
def test_one_that_has_answered_everything_shows_none(
    templates: Path, catalog: Catalog, mail: str
) -> None:
    here = replace(HERE, mail=mail)  # type: ignore[arg-type]
    documents = Documents(templates, filled(catalog), here)
    assert documents.missing == ()
    for document in documents.all.values():
        assert not re.search(r"\[[^\]]*\](?!\()", document.source), document.key
        assert "{" not in document.source
        assert 'class="fill"' not in html_of(document.source)
        assert "31 January 2027" in documents.all["dpia"].source


def test_the_notice_says_the_numbers_that_the_timers_go_by(
    templates: Path, catalog: Catalog
) -> None:
    kept = replace(catalog.retention, unconfirmed_days=9, evidence_months=18)
    changed = replace(filled(catalog), retention=kept)
    told = Documents(templates, changed, HERE).all["privacy-notice"].source
    assert "never confirmed: 9 days" in told
    assert "18 months after you stop us" in told
    assert f"{catalog.self_check.keep_days} days at most" in told
    assert "30 days" in told


def test_the_notice_names_what_the_law_asks_for(templates: Path, catalog: Catalog) -> None:
    told = Documents(templates, filled(catalog), HERE).all["privacy-notice"].source
    for needed in (
        "Information Commissioner",
        "explicit consent",
        "legitimate interest",
        "have it deleted",
        "take it with you",
        "https://mk.example/your-data",
        "ico.org.uk",
        "the email safeguard",
        "the hosting country",
        "Data protection officer",
    ):
        assert needed in told, needed


def test_who_is_exempt_names_no_number(templates: Path, catalog: Catalog) -> None:
    everything = filled(catalog)
    exempt = replace(everything, privacy=replace(everything.privacy, ico_answer="exempt"))
    told = Documents(templates, exempt, HERE).all["privacy-notice"].source
    assert "registration with the Information Commissioner" not in told


def test_sendgrid_is_named_where_it_carries_the_mail(templates: Path, catalog: Catalog) -> None:
    for mail, is_named in (("sendgrid", True), ("smtp", False)):
        here = replace(HERE, mail=mail)  # type: ignore[arg-type]
        for key in ("privacy-notice", "processors", "processing-record"):
            told = Documents(templates, filled(catalog), here).all[key].source
            assert ("SendGrid" in told) is is_named, key


@pytest.mark.parametrize(
    "nasty",
    [
        "<script>alert(1)</script>",
        "[click](javascript:alert(1))",
        "*stars* and _lines_ and `code`",
        "a | b",
        "back\\slash",
        "[square]",
    ],
)
def test_what_a_fact_holds_is_only_words(templates: Path, catalog: Catalog, nasty: str) -> None:
    everything = filled(catalog)
    facts = replace(everything.privacy, hosting_company=nasty)
    told = Documents(templates, replace(everything, privacy=facts), HERE).all
    for key in ("privacy-notice", "processors"):
        page = html_of(told[key].source)
        assert "<script" not in page
        assert 'href="javascript' not in page
        assert "<em>stars" not in page
        shown = re.sub(r"<[^>]+>", "", page).replace("&lt;", "<").replace("&gt;", ">")
        assert nasty in shown, key


def test_a_document_that_asks_for_what_has_no_field_is_a_finding(
    templates: Path, catalog: Catalog, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(templates, tmp_path / "templates"))
    (root / "documents" / "dpia.md").write_text("Our lawyer is {{ lawyer }}.", "utf-8")
    with pytest.raises(ContentInvalid, match=r"documents/dpia\.md: 'lawyer' is undefined"):
        _ = Documents(root, catalog, HERE).all


@pytest.mark.parametrize(
    ("name", "line", "finding"),
    [
        ("retention.yaml", "unconfirmed_days: 6", "'unconfirmed_days' does not fit"),
        ("retention.yaml", "audit_months: never", "'audit_months' does not fit"),
        ("privacy.yaml", "ico_answer: perhaps", "must be one of 'registered' or 'exempt'"),
        ("privacy.yaml", "backup_days: 0", "'backup_days' does not fit"),
        ("privacy.yaml", "lawyer: me", "'lawyer' is not known here"),
    ],
)
def test_a_mistake_in_the_files_is_told_with_its_line(
    templates: Path, tmp_path: Path, name: str, line: str, finding: str
) -> None:
    root = Path(shutil.copytree(templates, tmp_path / "templates"))
    key = line.partition(":")[0]
    source = (root / name).read_text("utf-8")
    changed = re.sub(rf"(?m)^{key}:.*$", line, source)
    (root / name).write_text(changed if changed != source else f"{source}{line}\n", "utf-8")
    with pytest.raises(ContentInvalid) as problem:
        load_catalog(root)
    assert finding in str(problem.value)
    assert re.search(rf"templates/{name}:\d+: ", str(problem.value))
