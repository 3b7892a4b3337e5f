"""SPF as a receiver reads it: one record, at most ten questions, nothing that leads nowhere."""

import pytest

from funnel.domain.names import RecordKind
from funnel.domain.spf import MOST_LOOKUPS, merged, read_spf
from tests.support.zones import Zone, names

TXT = RecordKind.TXT


def chain(length: int) -> Zone:
    """A record that includes another, and so on."""
    zone: dict[tuple[str, str], tuple[str, ...] | None] = {
        (f"d{n}", TXT): (f"v=spf1 include:d{n + 1} ~all",) for n in range(length)
    }
    return zone | {(f"d{length}", TXT): ("v=spf1 ip4:192.0.2.1 -all",)}


@pytest.mark.parametrize(
    ("record", "lookups"),
    [
        ("v=spf1 -all", 0),
        ("v=spf1", 0),
        ("v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 ~all", 0),
        ("v=spf1 a mx ~all", 2),
        ("v=spf1 a:mail.example.org/24 mx:example.net +a/16 ?all", 3),
        ("V=SPF1 A MX PTR exists:%{i}.x.example ~ALL", 4),
        ("v=spf1 redirect=d1", 1),
        ("v=spf1 redirect=d1 -all", 0),
        ("v=spf1 include:%{d}.example ~all", 1),
        ("v=spf1 exp=why.example.org -all", 0),
        ("v=spf1 nonsense : = ~all", 0),
    ],
)
def test_a_record_asks_so_many_questions(record: str, lookups: int) -> None:
    zone: Zone = {("example.org", TXT): (record,), ("d1", TXT): ("v=spf1 -all",)}
    assert read_spf("example.org", names(zone)).lookups == lookups


@pytest.mark.parametrize(("length", "is_too_long"), [(MOST_LOOKUPS, False), (11, True)])
def test_ten_questions_are_allowed_and_no_more(length: int, *, is_too_long: bool) -> None:
    found = read_spf("d0", names(chain(length)))
    assert (found.lookups, found.is_too_long) == (length, is_too_long)


def test_a_circle_comes_to_an_end() -> None:
    found = read_spf("a", names({("a", TXT): ("v=spf1 include:a include:a ~all",)}))
    assert found.is_too_long


def test_every_name_it_includes_however_deep_is_known() -> None:
    assert read_spf("d0", names(chain(3))).names == {"d1", "d2", "d3"}


@pytest.mark.parametrize("there", [(), ("no spf",), ("v=spf1 ~all", "v=spf1 -all")])
def test_an_include_that_leads_to_no_record_breaks_all(there: tuple[str, ...]) -> None:
    zone: Zone = {("a", TXT): ("v=spf1 include:gone ~all",), ("gone", TXT): there}
    assert read_spf("a", names(zone)).dead == ("gone",)


def test_an_include_that_could_not_be_asked_is_not_dead() -> None:
    found = read_spf("a", names({("a", TXT): ("v=spf1 include:b ~all",), ("b", TXT): None}))
    assert (found.is_known, found.dead) == (False, ())


@pytest.mark.parametrize("text", ["v=spf10 ~all", "v=spf2.0/pra", "spf1", "xv=spf1 ~all", ""])
def test_what_only_looks_like_spf_is_none(text: str) -> None:
    assert read_spf("a", names({("a", TXT): (text,)})).records == ()


def test_two_records_are_told_and_none_is_followed() -> None:
    found = read_spf("a", names({("a", TXT): ("v=spf1 a ~all", "v=spf1 mx -all")}))
    assert (len(found.records), found.lookups) == (2, 0)


@pytest.mark.parametrize(
    ("records", "more", "one"),
    [
        (("v=spf1 a ~all", "v=spf1 mx -all"), None, "v=spf1 a mx ~all"),
        (("v=spf1 a ~all", "v=spf1 a ?all"), "include:x", "v=spf1 a include:x ~all"),
        (("v=spf1 redirect=y",), "include:x", "v=spf1 include:y include:x ~all"),
        (("v=spf1 a redirect=y -all",), "include:x", "v=spf1 a include:x ~all"),
        ((), "include:x", "v=spf1 include:x ~all"),
    ],
)
def test_one_record_says_what_several_said(
    records: tuple[str, ...], more: str | None, one: str
) -> None:
    assert merged(records, more) == one
