"""Second looks at an address: kind, rarely wrong, and blind to everything but its letters."""

import string

import pytest
from disposable_email_domains import blocklist
from hypothesis import given
from hypothesis import strategies as st

from funnel.domain.errors import InvalidInput
from funnel.domain.hints import (
    NEIGHBOURS,
    WELL_KNOWN,
    Hint,
    are_a_slip_apart,
    hint_for,
    meant_domain,
)
from funnel.domain.people import parse_address

SLIPS = {
    "gmial.com": "gmail.com",
    "gmal.com": "gmail.com",
    "gmaill.com": "gmail.com",
    "gamil.com": "gmail.com",
    "gnail.com": "gmail.com",
    "gmail.con": "gmail.com",
    "gmail.co": "gmail.com",
    "gmail.cm": "gmail.com",
    "hotmial.com": "hotmail.com",
    "hotmail.couk": "hotmail.co.uk",
    "hotmailco.uk": "hotmail.co.uk",
    "hotmail.co.ku": "hotmail.co.uk",
    "yaho.com": "yahoo.com",
    "yahooo.co.uk": "yahoo.co.uk",
    "outlok.com": "outlook.com",
    "iclod.com": "icloud.com",
    "sky.con": "sky.com",
    "btintenet.com": "btinternet.com",
}
REAL = [
    *WELL_KNOWN, *sorted(NEIGHBOURS), "example.org", "gmx.de", "hotmail.fr", "yahoo.de",
    "outlook.es", "live.ca", "web.de", "proton.me", "pm.me", "x.co", "line.com", "duck.com",
    "nhs.uk", "hotmail.it", "yahoo.fr", "fastmail.co.uk", "privaterelay.appleid.com",
]  # fmt: skip
LETTERS = st.sampled_from(string.ascii_lowercase)


@pytest.mark.parametrize(("typed", "meant"), SLIPS.items())
def test_a_slip_in_a_well_known_domain_is_asked_about(typed: str, meant: str) -> None:
    assert hint_for(f"Ada.L@{typed}", frozenset()) == Hint(f"Ada.L@{meant}")


@pytest.mark.parametrize("host", REAL)
def test_a_real_home_of_mail_is_left_in_peace(host: str) -> None:
    assert hint_for(f"ada@{host}", blocklist) is None


@pytest.mark.parametrize("host", ["mailinator.com", "anything.mailinator.com", "yopmail.com"])
def test_a_domain_that_throws_its_mail_away_is_named(host: str) -> None:
    assert hint_for(f"ada@{host}", blocklist) == Hint()
    assert hint_for(f"ada@{host}", frozenset()) is None


@pytest.mark.parametrize("local", ["info", "admin", "reception", "postmaster"])
def test_a_role_address_is_nobodys_business(local: str) -> None:
    assert hint_for(f"{local}@example.org", blocklist) is None


@given(st.sampled_from(WELL_KNOWN), st.integers(0, 12), LETTERS)
def test_a_suggestion_is_always_a_well_known_domain_that_needs_none(
    known: str, at: int, letter: str
) -> None:
    for typed in (known[:at] + letter + known[at:], known[:at] + known[at + 1 :]):
        meant = meant_domain(typed)
        assert meant is None or (meant in WELL_KNOWN and meant_domain(meant) is None)


@given(st.text(string.ascii_lowercase, max_size=6), st.text(string.ascii_lowercase, max_size=6))
def test_one_slip_apart_is_the_same_both_ways_and_never_the_same_word(one: str, other: str) -> None:
    assert are_a_slip_apart(one, other) == are_a_slip_apart(other, one)
    assert not are_a_slip_apart(one, one)


@given(st.text(string.ascii_lowercase, min_size=2, max_size=8), st.integers(0, 7), LETTERS)
def test_every_single_slip_is_seen(word: str, at: int, letter: str) -> None:
    at %= len(word)
    slips = {
        word[:at] + word[at + 1 :],
        word[:at] + letter + word[at:],
        word[:at] + letter + word[at + 1 :],
        word[:at] + word[at + 1 : at + 2] + word[at : at + 1] + word[at + 2 :],
    }
    assert all(are_a_slip_apart(word, slip) for slip in slips - {word})


@given(st.emails())
def test_whatever_address_is_read_its_hint_is_an_address_too(raw: str) -> None:
    try:
        mailbox = parse_address(raw).mailbox
    except InvalidInput:
        return
    hint = hint_for(mailbox, blocklist)
    if hint and hint.suggestion:
        assert parse_address(hint.suggestion).mailbox == hint.suggestion
