"""The rules over all series mail: how they are read, and the days off they lead to."""

from datetime import UTC, date, datetime, timedelta

import pytest

from funnel.content.catalog import Catalog
from funnel.content.findings import Findings
from funnel.content.house_rules import HouseRules, Nation, bank_holidays, house
from funnel.content.models import read_model
from funnel.domain.sequence import Absence

NEW_YEARS_EVE = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)


def read(source: str) -> tuple[HouseRules | None, tuple[str, ...]]:
    found = Findings("sending.yaml")
    return read_model(HouseRules, source, found), found.items


def test_the_shipped_rules_are_kind(catalog: Catalog) -> None:
    half_an_hour = timedelta(minutes=30)
    assert catalog.house_rules == HouseRules(
        weekly_cap=7, bank_holidays="england-and-wales", spread=half_an_hour
    )


@pytest.mark.parametrize(
    ("source", "line", "problem"),
    [
        ("weekly_cap: 0\n", 1, "'weekly_cap' does not fit"),
        ("weekly_cap: lots\n", 1, "'weekly_cap' does not fit"),
        ("weekly_cap: 3\nbank_holidays: france\n", 2, "'bank_holidays' must be one of"),
        ("spread: a while\n", 1, "write a length of time"),
        ("spread: 7 hours\n", 1, "over 6 hours at most"),
        ("min_gap: 1 day\n", 1, "'min_gap' is not known here"),
    ],
)
def test_a_mistake_is_told_with_its_line(source: str, line: int, problem: str) -> None:
    rules, found = read(source)
    assert rules is None
    assert any(each.startswith(f"sending.yaml:{line}: ") and problem in each for each in found)


@pytest.mark.parametrize(
    ("nation", "day", "is_off"),
    [
        ("england-and-wales", date(2026, 12, 25), True),
        ("england-and-wales", date(2026, 12, 28), True),  # Boxing Day fell on a Saturday
        ("england-and-wales", date(2026, 4, 6), True),  # Easter Monday
        ("england-and-wales", date(2026, 8, 31), True),
        ("england-and-wales", date(2026, 8, 3), False),
        ("scotland", date(2026, 8, 3), True),
        ("scotland", date(2026, 4, 6), False),
        ("northern-ireland", date(2026, 3, 17), True),
        ("none", date(2026, 12, 25), False),
    ],
)
def test_bank_holidays_are_those_of_the_nation(nation: Nation, day: date, is_off: bool) -> None:
    assert (day in bank_holidays(nation, day.year)) is is_off


def test_the_house_knows_the_days_off_of_this_year_and_the_next() -> None:
    away = Absence(date(2027, 8, 1), date(2027, 8, 14))
    made = house(HouseRules(), zone="Europe/London", now=NEW_YEARS_EVE, absences=[away])
    assert date(2026, 12, 25) in made.closed
    assert date(2027, 1, 1) in made.closed
    assert {day.year for day in made.closed} == {2026, 2027}
    assert made.absences == (away,)
    assert (made.weekly_cap, made.spread) == (7, timedelta(minutes=30))


def test_the_year_is_that_of_the_practice() -> None:
    made = house(HouseRules(), zone="Asia/Tokyo", now=NEW_YEARS_EVE)
    assert {day.year for day in made.closed} == {2027, 2028}
    assert made.zone == "Asia/Tokyo"
