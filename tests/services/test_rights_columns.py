"""Every column is classified once, and what the classes promise is so in the schema."""

from collections import Counter

import pytest
from sqlalchemy import Table

from funnel.db.tables import Base
from funnel.services.rights.columns import BY_HASH, BY_KEY, TABLES, Fate, Kind
from funnel.services.rights.rotation import sealed_columns
from tests.support.repo import ROOT

SCHEMA = Base.metadata.tables
HERS = [name for name, table in TABLES.items() if table.owner not in {"", BY_HASH, BY_KEY}]


def test_every_column_of_every_table_is_classified_once_and_none_that_is_gone() -> None:
    declared = {name: sorted(table.c.keys()) for name, table in SCHEMA.items()}
    classified = {name: sorted(key for key, _ in table.columns) for name, table in TABLES.items()}
    assert classified == declared
    named = Counter((name, key) for name, table in TABLES.items() for key, _ in table.columns)
    assert [each for each, times in named.items() if times > 1] == []


def leads_to_a_person(table: Table) -> bool:
    parents = {key.column.table for key in table.foreign_keys}
    return any(parent.name == "subscriber" or leads_to_a_person(parent) for parent in parents)


def test_every_table_that_leads_to_a_person_says_how() -> None:
    leading = {name for name, table in SCHEMA.items() if leads_to_a_person(table)}
    assert leading | {"subscriber"} == set(HERS)


@pytest.mark.parametrize("name", [name for name in HERS if name != "subscriber"])
def test_the_way_to_a_person_is_a_foreign_key(name: str) -> None:
    column, parent = TABLES[name].way
    (key,) = SCHEMA[name].c[column].foreign_keys
    assert key.column.table.name == parent


@pytest.mark.parametrize("name", HERS)
def test_what_goes_with_a_person_goes_by_the_database_itself(name: str) -> None:
    """But for events of a provider, which may have no mail any more: these are deleted by name."""
    table = TABLES[name]
    if name in {"subscriber", "mail_event"} or table.fate is not Fate.GOES:
        return
    column, _ = table.way
    (key,) = SCHEMA[name].c[column].foreign_keys
    assert key.ondelete == "CASCADE"


@pytest.mark.parametrize("name", [name for name, table in TABLES.items() if table.emptied])
def test_a_row_that_stays_loses_whatever_could_tell_whose_it_was(name: str) -> None:
    table = TABLES[name]
    assert table.fate is Fate.BARE
    assert set(table.emptied.split()) <= {key for key, _ in table.columns}
    assert table.way[0] in table.emptied.split()
    assert SCHEMA[name].c[table.way[0]].nullable


def test_whatever_stays_says_why() -> None:
    stays = {name for name, t in TABLES.items() if t.fate in {Fate.BARE, Fate.STAYS}}
    assert {name for name in stays if not TABLES[name].why} == set()


def test_what_is_exported_has_a_title_and_what_has_none_is_not() -> None:
    assert [n for n, t in TABLES.items() if bool(t.exported) != bool(t.title)] == []


def test_nothing_that_opens_or_recognises_a_thing_is_exported() -> None:
    telling = ("hash", "token", "sealed", "password", "public_id", "key_sha")
    found = [
        f"{name}.{key}"
        for name, table in TABLES.items()
        for key in table.exported
        if any(word in key for word in telling)
    ]
    assert found == []


def test_every_column_of_bytes_is_known_to_be_sealed() -> None:
    raw = {
        (name, column.name)
        for name, table in SCHEMA.items()
        for column in table.c
        if column.type.python_type is bytes
    }
    assert raw == {(table.name, column.name) for table, column in sealed_columns()}
    sealed = [k for t in TABLES.values() for k, kind in t.columns if kind is Kind.SEALED]
    assert len(sealed) == len(raw) >= 3


def test_the_names_of_an_export_are_told_to_those_who_read_it() -> None:
    told = (ROOT / "docs" / "your-data.md").read_text("utf-8")
    missing = [
        f"{name}: {key}"
        for name, table in TABLES.items()
        if table.exported
        for key in (name, *table.exported)
        if f"`{key}`" not in told
    ]
    assert missing == []
