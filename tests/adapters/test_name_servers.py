"""Asking a real name server on loopback that answers rightly, wrongly, late or not at all."""

import time
from collections.abc import Iterator

import pytest

from funnel.adapters.absent import NoNameServers
from funnel.adapters.name_servers import DnsResolver
from funnel.domain.errors import SettingInvalid
from funnel.domain.names import UNANSWERED, Lookup, RecordKind
from funnel.domain.ports import NameServers
from tests.support.fake_dns import FakeDns, Manner

TXT, CNAME, MX = RecordKind.TXT, RecordKind.CNAME, RecordKind.MX
LONG = "v=DKIM1; k=rsa; p=" + "A" * 700


@pytest.fixture(scope="module")
def dns() -> Iterator[FakeDns]:
    with FakeDns() as fake:
        fake.text("example.org", "v=spf1 ~all", "something else", "", 'with "quotes" and é')
        fake.add("example.org", "MX", "10 Mail.Example.ORG.", "20 other.example.net.")
        fake.add("example.org", "A", "192.0.2.1")
        fake.add("example.org", "AAAA", "2001:db8::1")
        fake.add("no-mail.example.org", "MX", "0 .")
        fake.text("long.example.org", LONG)
        fake.add("one.example.org", "CNAME", "two.example.org.")
        fake.add("two.example.org", "CNAME", "Three.Example.net.")
        fake.text("three.example.net", "found at last")
        fake.add("loop.example.org", "CNAME", "loop.example.org.")
        fake.add("nowhere.example.org", "CNAME", "gone.example.org.")
        for manner in (Manner.SILENT, Manner.SERVFAIL, Manner.LAME, Manner.GARBAGE):
            fake.manners[f"{manner.name.lower()}.example.org"] = manner
        fake.text("truncated.example.org", LONG)
        fake.manners["truncated.example.org"] = Manner.TRUNCATED
        yield fake


@pytest.fixture
def resolver(dns: FakeDns) -> NameServers:
    return DnsResolver(dns.server, seconds=0.3)


@pytest.mark.parametrize(
    ("name", "kind", "values"),
    [
        (
            "example.org",
            TXT,
            {"v=spf1 ~all", "something else", "", 'with "quotes" and é'},
        ),
        ("EXAMPLE.org.", MX, {"10 mail.example.org", "20 other.example.net"}),
        ("example.org", RecordKind.A, {"192.0.2.1"}),
        ("example.org", RecordKind.AAAA, {"2001:db8::1"}),
        ("no-mail.example.org", MX, {"0 ."}),
        ("one.example.org", CNAME, {"two.example.org"}),
        ("one.example.org", TXT, {"found at last"}),
        ("long.example.org", TXT, {LONG}),
        ("truncated.example.org", TXT, {LONG}),
        ("example.org", CNAME, set()),
        ("unknown.example.org", TXT, set()),
        ("nowhere.example.org", TXT, set()),
    ],
)
def test_what_is_there_and_what_is_not(
    resolver: NameServers, name: str, kind: RecordKind, values: set[str]
) -> None:
    found = resolver.look_up(name, kind)
    assert found.is_known
    assert set(found.values) == values


def test_an_answer_too_long_for_udp_is_asked_for_again_over_tcp(
    dns: FakeDns, resolver: NameServers
) -> None:
    dns.asked.clear()
    resolver.look_up("truncated.example.org", TXT)
    assert [way for _, _, way in dns.asked] == ["udp", "tcp"]


@pytest.mark.parametrize(
    "name",
    [
        "silent.example.org", "servfail.example.org", "lame.example.org", "garbage.example.org",
        "loop.example.org", f"{'x' * 64}.example.org", "a..b", "x." * 200,
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_never_taken_for_nothing(resolver: NameServers, name: str) -> None:
    found = resolver.look_up(name, TXT)
    assert not found.values
    assert not found.is_known


def test_a_server_that_says_nothing_is_not_waited_for(resolver: NameServers) -> None:
    began = time.monotonic()
    assert resolver.look_up("silent.example.org", TXT) == UNANSWERED
    assert time.monotonic() - began < 2


def test_a_server_that_is_not_there_is_an_unknown_answer() -> None:
    assert DnsResolver("127.0.0.1:9", seconds=0.2).look_up("example.org", TXT) == UNANSWERED


def test_no_servers_at_all_are_an_unknown_answer() -> None:
    servers: NameServers = NoNameServers()
    assert servers.look_up("example.org", TXT) == Lookup(is_known=False)


@pytest.mark.parametrize("server", ["9.9.9.9", "127.0.0.1:5353", "::1", "[::1]", "[::1]:5353"])
def test_a_server_may_be_given_with_a_port_or_without(server: str) -> None:
    DnsResolver(server)


@pytest.mark.parametrize("server", ["nonsense", "127.0.0.1:dns", "http://127.0.0.1", "[::1"])
def test_what_cannot_be_a_server_is_refused(server: str) -> None:
    with pytest.raises(SettingInvalid, match="DNS_SERVER"):
        DnsResolver(server)
