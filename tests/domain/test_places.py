"""The places a person may choose a time zone by."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, available_timezones

from funnel.domain.places import PLACES, place_name, places_with
from funnel.domain.schedule import DEFAULT_ZONE

WINTER = datetime(2027, 1, 15, tzinfo=UTC)


def test_every_place_is_a_zone_of_its_own_and_the_uk_is_first() -> None:
    zones = [zone for zone, _ in PLACES]
    assert zones[0] == DEFAULT_ZONE
    assert set(zones) <= available_timezones()
    assert len(set(zones)) == len(zones)
    assert len({name for _, name in PLACES}) == len(PLACES)


def test_hardly_anybody_lives_by_a_clock_that_is_not_offered() -> None:
    offered = {WINTER.astimezone(ZoneInfo(zone)).utcoffset() for zone, _ in PLACES}
    lived = {"Europe/Minsk", "Africa/Cairo", "Asia/Seoul", "America/Bogota", "Asia/Jakarta"}
    assert {WINTER.astimezone(ZoneInfo(zone)).utcoffset() for zone in lived} <= offered


def test_a_zone_that_is_not_offered_stays_a_choice_of_its_owner() -> None:
    assert places_with("Europe/London") == PLACES
    assert places_with("Australia/Lord_Howe")[0] == ("Australia/Lord_Howe", "Lord Howe")
    assert place_name("America/Argentina/Buenos_Aires") == "Argentina"
    assert place_name("UTC") == "UTC"
