"""What is kept of a visitor's network address."""

from ipaddress import IPv6Address, ip_address

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from funnel.domain.evidence import limit_key, looks_like_machine, truncate_ip


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("192.0.2.77", "192.0.2.0"),
        ("255.255.255.255", "255.255.255.0"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
        ("::1", "::"),
        ("::ffff:192.0.2.77", "192.0.2.0"),
        ("2001:DB8:1::", "2001:db8:1::"),
        ("", "unknown"),
        ("not an address", "unknown"),
        ("192.0.2.77, 10.0.0.1", "unknown"),
        ("192.0.2.77:443", "unknown"),
        ("192.0.2.077", "unknown"),
        ("192.0.2.77/24", "unknown"),
        ("[::1]", "unknown"),
    ],
)
def test_only_the_network_of_an_address_is_kept(raw: str, kept: str) -> None:
    assert truncate_ip(raw) == kept


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("192.0.2.77", "192.0.2.77", True),
        ("192.0.2.77", "192.0.2.78", False),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:ffff::1", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.77", "192.0.2.77", True),
        ("::ffff:192.0.2.77", "::ffff:192.0.2.78", False),
        ("garbage", "other garbage", True),
    ],
)
def test_limits_count_a_v4_address_and_a_v6_network(one: str, other: str, is_same: bool) -> None:
    assert (limit_key(one) == limit_key(other)) is is_same


@given(st.ip_addresses(v=4))
def test_the_last_byte_is_never_kept(address: object) -> None:
    assert truncate_ip(str(address)).endswith(".0")


@given(st.ip_addresses(v=6))
def test_the_last_eighty_bits_are_never_kept(address: IPv6Address) -> None:
    assume(address.ipv4_mapped is None)
    kept = truncate_ip(str(address))
    assert int.from_bytes(ip_address(kept).packed) % (1 << 80) == 0


@given(st.text())
def test_no_text_breaks_it(raw: str) -> None:
    assert truncate_ip(raw)
    assert limit_key(raw)


@pytest.mark.parametrize(
    ("seconds", "is_hasty"),
    [(None, False), (0.0, True), (0.999, True), (1.0, False), (12.5, False), (-3.0, True)],
)
def test_a_button_pressed_within_a_second_was_perhaps_a_machines(
    seconds: float | None, is_hasty: bool
) -> None:
    assert looks_like_machine(seconds) == is_hasty
