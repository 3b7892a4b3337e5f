"""Reads the rules over all series mail, and makes them the house's rules for this year and next."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Literal

from holidays import country_holidays
from pydantic import AfterValidator, Field
from pydantic.dataclasses import dataclass as checked

from funnel.content.models import STRICT
from funnel.content.spans import SpanText
from funnel.domain.schedule import zone_of
from funnel.domain.sequence import Absence, House

Nation = Literal["england-and-wales", "scotland", "northern-ireland", "none"]
MAX_SPREAD = timedelta(hours=6)
REMIND_AFTER = (timedelta(hours=12), timedelta(days=5))  # the link lives seven days
_SUBDIVISIONS = {"england-and-wales": "ENG", "scotland": "SCT", "northern-ireland": "NIR"}


def _short(value: timedelta) -> timedelta:
    if value > MAX_SPREAD:
        raise ValueError("mails that were held are spread over 6 hours at most")
    return value


def _in_good_time(value: timedelta) -> timedelta:
    if not REMIND_AFTER[0] <= value <= REMIND_AFTER[1]:
        raise ValueError("remind after 12 hours at the earliest and 5 days at the latest")
    return value


@checked(frozen=True, config=STRICT, kw_only=True)
class HouseRules:
    """The rules as they stand in sending.yaml."""

    weekly_cap: Annotated[int, Field(ge=1, le=50)] = 7
    bank_holidays: Nation = "england-and-wales"
    spread: Annotated[SpanText, AfterValidator(_short)] = timedelta(minutes=30)
    confirm_reminder: Annotated[SpanText, AfterValidator(_in_good_time)] | None = None


def house(
    rules: HouseRules, *, zone: str, now: datetime, absences: Iterable[Absence] = ()
) -> House:
    """The house's rules for a practice in `zone`; its bank holidays reach to the end of next year.

    `absences` are the days the practice is away.
    """
    nation = rules.bank_holidays
    year = now.astimezone(zone_of(zone)).year
    return House(
        weekly_cap=rules.weekly_cap,
        closed=bank_holidays(nation, year) | bank_holidays(nation, year + 1),
        absences=tuple(absences),
        spread=rules.spread,
        zone=zone,
    )


@lru_cache(maxsize=64)
def bank_holidays(nation: Nation, year: int) -> frozenset[date]:
    """The days off of a part of the United Kingdom in a year, with those moved from a weekend."""
    if nation == "none":
        return frozenset()
    return frozenset(country_holidays("GB", subdiv=_SUBDIVISIONS[nation], years=year))
