"""DKIM keys as they are published: long enough, withdrawn, damaged."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel.domain.dkim import DkimKey, read_key
from tests.support.zones import bare_dkim_key, dkim_key


@pytest.mark.parametrize("bits", [1024, 1536, 2048])
def test_the_length_of_a_real_key_is_read(bits: int) -> None:
    assert read_key(dkim_key(bits)) == DkimKey(bits)
    assert read_key(bare_dkim_key(bits)) == DkimKey(bits)


@pytest.mark.parametrize(
    ("bits", "is_weak", "is_good"),
    [(512, True, False), (1023, True, False), (1024, False, False), (2048, False, True)],
)
def test_what_is_long_enough(bits: int, *, is_weak: bool, is_good: bool) -> None:
    assert (DkimKey(bits).is_weak, DkimKey(bits).is_good) == (is_weak, is_good)


def test_an_elliptic_key_is_short_and_good() -> None:
    key = read_key("v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
    assert key is not None
    assert key.is_good
    assert not key.is_weak


@pytest.mark.parametrize("text", ["v=DKIM1; p=", "p= ", "v=DKIM1; k=rsa; p=; t=y"])
def test_an_empty_key_was_withdrawn(text: str) -> None:
    key = read_key(text)
    assert key is not None
    assert key.is_revoked


@pytest.mark.parametrize("text", ["", "v=spf1 ~all", "v=DKIM2; p=x", "v=DKIM1; k=rsa", "hello"])
def test_what_is_no_key_is_none(text: str) -> None:
    assert read_key(text) is None


@pytest.mark.parametrize(
    "p", ["not base64!", "AAAA", "MA==", base64.b64encode(b"\x30\x84\xff\xff\xff\xff").decode()]
)
def test_a_damaged_key_has_no_length(p: str) -> None:
    assert read_key(f"v=DKIM1; p={p}") == DkimKey(0)


def test_a_key_cut_short_has_no_length() -> None:
    assert read_key(dkim_key(2048)[:-40]) == DkimKey(0)


def test_a_key_written_over_several_lines_is_read() -> None:
    whole = dkim_key(1024)
    assert read_key(f"{whole[:60]} \t {whole[60:]}") == DkimKey(1024)


@given(st.binary(max_size=80))
def test_no_octets_break_the_reading(content: bytes) -> None:
    found = read_key(f"p={base64.b64encode(content).decode()}")
    assert found is not None
