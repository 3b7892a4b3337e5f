"""Addresses, names, and who may be mailed."""

import itertools
import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel.domain.errors import InvalidInput
from funnel.domain.people import (
    Address,
    PersonState,
    Purpose,
    Standing,
    SuppressionReason,
    fingerprint,
    parse_address,
    parse_name,
    why_not_send,
)
from funnel.domain.ports import MailClass

# Each of these, put into an otherwise good address, makes it bad wherever it stands.
FORBIDDEN = [
    *map(chr, range(0x20)), "\x7f", "\x85", "\xa0", " ", "\u2028", "\u2029", "\u202e",
    "\u200b", "\u200e", "\u2066", "\ufeff", "\ud800", ",", ";", ":", '"', "(", ")", "<", ">",
    "[", "]", "\\", "é", "😀", "а", "﹫", "％",
]  # fmt: skip
SHAPES = ["a{}b@example.com", "a{}@example.com", "{}x@a.b@example.com", "a@exam{}ple@x.com"]
HOSTS_TOO = [
    *map(chr, range(0x20)), "\x7f", "\xa0", " ", "\u2028", "\ud800", ",", ";", ":", '"',
    "(", ")", "<", ">", "[", "]", "\\", "_", "!", "%", "/", "?", "#", "'", "=", "+", "{", "&",
]  # fmt: skip
LINE_BREAKS = ["\r", "\n", "\r\n", "\n\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028"]
INJECTIONS = [
    f"a@x.com{line}{header}" for line in LINE_BREAKS for header in ("Bcc: q@q.q", "To: b@b.b", ".")
]
PLAIN_BAD = [
    "", " ", "@", "a", "a@", "@a.b", "a@@b.c", "a@b@c.d", "a.b", "a@b", "a@localhost", "a@com",
    "a@[127.0.0.1]", "a@[IPv6:::1]", "a@127.0.0.1", "a@1.2.3.4", "a@example.123", "a@.com",
    "a@com.", "a@example..com", "a@.example.com", "a@example.com..", "a@-example.com",
    "a@example-.com", "a@exa mple.com", "a@example.c_m", ".a@example.com", "a.@example.com",
    "a..b@example.com", "...@example.com", ".@example.com", "a@x.com,b@y.com", "a@x.com;b@y.com",
    "a@x.com b@y.com", '"a"<b@c.d>', "<b@c.d>", "Ada <b@c.d>", '"a b"@example.com',
    '"a@b"@example.com', "(comment)a@example.com", "a(b)@example.com", "mailto:a@example.com",
    "a@x.com%0d%0aBcc:q@q.q", "a@x.com%0aBcc", "a%0d@x.com\n", "=HYPERLINK()@example.com",
    "<script>alert(1)</script>@example.com",
    "a%b@example.com", "host!ada@example.com", "ada%x.com@example.com",
    "a@<script>.com", "a@example.com<script>",
    "a@{{config}}.com", "a@${7*7}.com", "a@x'.com", "a@x--'.com;--", "a\\@example.com",
    "😀@example.com", "а@example.com", "ａ@example.com\n.", "a＠example.com", "a﹫example.com",
    "null", "None", "[]", "{}", "a@xn--.com\n", f"a@{'x' * 64}.com", "a@ex\u00adample\u2028.com",
    f"{'a' * 65}@example.com", f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 59}.uk",
    f"{'a' * 64}@{'.'.join(['bcd'] * 60)}.uk", "a" * 1_000_000, f"a@{'b' * 1_000_000}.com",
    f"{'a' * 1_000_000}@example.com", "@" * 1_000_000, f"a@{'b.' * 500_000}com",
    "\ud800@example.com", "a@\udfff.com", "a@exa\ud800mple.com", "a\x00@example.com",
    "b'\\xc0\\xaf'@example.com", "\ufffd@example.com", "a@\ufffd.com", "a@\u2028.com",
]  # fmt: skip
BAD = sorted(
    {
        *PLAIN_BAD,
        *INJECTIONS,
        *(shape.format(bad) for shape in SHAPES for bad in FORBIDDEN),
        *(f"a@exam{bad}ple.com" for bad in HOSTS_TOO),
        *(f"a@example{bad}.com" for bad in HOSTS_TOO),
    }
)

_atoms = st.text(string.ascii_letters + string.digits + "#$&'*+/=?^_`{|}~-", min_size=1)
locals_ = st.lists(_atoms, min_size=1, max_size=4).map(".".join).filter(lambda s: len(s) <= 64)
_inner = string.ascii_letters + string.digits
labels = st.from_regex(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,20}[a-zA-Z0-9])?", fullmatch=True).filter(
    lambda label: not label.lower().startswith("xn--")
)
hosts = st.builds(
    lambda parts, top: ".".join([*parts, top]),
    st.lists(labels, min_size=1, max_size=3),
    st.text(string.ascii_lowercase, min_size=2, max_size=12),
)


def test_the_corpus_is_as_large_as_it_claims() -> None:
    assert len(BAD) >= 150


@pytest.mark.parametrize("raw", BAD, ids=lambda raw: ascii(raw)[:40])
def test_a_bad_address_is_refused_in_kind_words(raw: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_address(raw)
    assert refused.value.field == "email"
    assert str(refused.value).endswith(".")


@given(st.text())
def test_no_text_at_all_breaks_the_reader(raw: str) -> None:
    try:
        address = parse_address(raw)
    except InvalidInput:
        return
    assert address.mailbox.isascii()
    assert address.mailbox.isprintable()
    assert " " not in address.mailbox


@given(
    st.lists(
        st.sampled_from(["a", ".", "%", "!", "@", "example", "com", "\n", "\r", "+", "é", "-"])
    )
)
def test_what_is_read_is_one_plain_mailbox(pieces: list[str]) -> None:
    try:
        address = parse_address("".join(pieces))
    except InvalidInput:
        return
    local, at, host = address.mailbox.partition("@")
    assert at
    assert "@" not in host
    assert not set(address.mailbox) & set(' \t\r\n,;<>()[]"\\')
    assert len(local) <= 64
    assert len(address.mailbox) <= 254


@given(local=locals_, host=hosts)
def test_a_good_address_is_kept_as_it_is(local: str, host: str) -> None:
    address = parse_address(f"  {local}@{host}\t")
    assert address.mailbox == f"{local}@{host.lower()}"
    assert address.key == f"{local}@{host}".lower()
    assert parse_address(address.mailbox) == address


@given(local=locals_, host=hosts)
def test_folding_is_stable_and_blind_to_case_and_tags(local: str, host: str) -> None:
    folded = parse_address(f"{local}@{host}").folded
    assert parse_address(folded).folded == folded
    assert parse_address(f"{local}@{host}".swapcase()).folded == folded
    if len(local) <= 60 and not local.startswith("+"):
        assert parse_address(f"{local}+tag@{host}").folded == folded


@pytest.mark.parametrize(
    "raw",
    [
        "ada.lovelace@gmail.com", "A.d.a.lovelace@gmail.com", "adalovelace@googlemail.com",
        "AdaLovelace+guide@Gmail.com", "a.d.a.l.o.v.e.l.a.c.e+x+y@googlemail.com",
    ],
)  # fmt: skip
def test_one_gmail_box_counts_once(raw: str) -> None:
    assert parse_address(raw).folded == "adalovelace@gmail.com"


def test_dots_count_elsewhere() -> None:
    assert parse_address("a.b@example.org").folded != parse_address("ab@example.org").folded


@pytest.mark.parametrize("raw", ["+tag@gmail.com", "+@example.org", "+.+@gmail.com"])
def test_an_address_that_is_all_tag_still_has_a_name(raw: str) -> None:
    local, _, _ = parse_address(raw).folded.partition("@")
    assert local


@pytest.mark.parametrize(
    ("shown", "ascii_form"),
    [
        ("a@bücher.de", "a@xn--bcher-kva.de"),
        ("a@BÜCHER.de", "a@xn--bcher-kva.de"),
        ("a@例え.jp", "a@xn--r8jz45g.jp"),
        ("a@example。com", "a@example.com"),
        ("a@EXAMPLE.com.", "a@example.com"),
    ],
)
def test_a_host_has_one_ascii_form(shown: str, ascii_form: str) -> None:
    assert parse_address(shown) == parse_address(ascii_form)
    assert parse_address(shown).mailbox == ascii_form


def test_a_look_alike_host_is_another_host() -> None:
    assert parse_address("a@exаmple.com").key != parse_address("a@example.com").key


@pytest.mark.parametrize(
    ("octets", "is_good"), [((64, 254), True), ((64, 255), False), ((65, 254), False)]
)
def test_the_longest_address_is_the_longest_that_mail_knows(
    octets: tuple[int, int], is_good: bool
) -> None:
    local, whole = "a" * octets[0], octets[1]
    host = ".".join(["b" * 63, "c" * 63, "d" * (whole - octets[0] - 1 - 128 - 4)]) + ".org"
    raw = f"{local}@{host}"
    assert len(raw) == whole
    if is_good:
        assert parse_address(raw).mailbox == raw
    else:
        with pytest.raises(InvalidInput, match="too long"):
            parse_address(raw)


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("Ada", "Ada"),
        ("  Ada \t Byron ", "Ada Byron"),
        ("", None),
        (" \r\n\t", None),
        ("\u202e", None),
        ("Ada\r\nBcc: x", "Ada Bcc: x"),
        ("A\u202eda", "Ada"),
        ("\u2066Ada\u2069", "Ada"),
        ("A\u0000d\u0007a", "A d a"),
        ("A\x85d\x9fa", "A d a"),
        ("Ada\u2028Byron", "Ada Byron"),
        ("Zoe\u0308", "Zoë"),
        ("\ud800Ada", "Ada"),
        ("O’Brien-Łukasz", "O’Brien-Łukasz"),
        ("阿达", "阿达"),
        ("x" * 80, "x" * 80),
    ],
)
def test_a_name_is_cleaned_for_showing(raw: str, name: str | None) -> None:
    assert parse_name(raw) == name


def test_a_name_of_more_than_eighty_characters_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_name("x" * 81)
    assert refused.value.field == "name"


@given(st.text(st.characters()))
def test_no_name_keeps_control_or_direction_characters(raw: str) -> None:
    try:
        name = parse_name(raw)
    except InvalidInput:
        return
    assert name is None or not any(unicodedata.category(c).startswith("C") for c in name)
    assert name is None or name == " ".join(name.split())
    assert name is None or parse_name(name) == name


def test_a_fingerprint_names_no_one_and_needs_the_pepper() -> None:
    mark = fingerprint("ada@example.org", b"pepper")
    assert mark == fingerprint("ada@example.org", b"pepper")
    assert "ada" not in mark
    assert len(mark) == 64
    assert mark != fingerprint("ada@example.org", b"other")
    assert mark != fingerprint("ben@example.org", b"pepper")


SUPPRESSIONS = [
    frozenset(chosen)
    for size in range(len(SuppressionReason) + 1)
    for chosen in itertools.combinations(SuppressionReason, size)
]
CASES = list(
    itertools.product(
        PersonState, SUPPRESSIONS, MailClass, [None, *Purpose], [frozenset(), frozenset(Purpose)]
    )
)


def _may(
    state: PersonState,
    reasons: frozenset[SuppressionReason],
    mail_class: MailClass,
    purpose: Purpose | None,
    agreed: frozenset[Purpose],
) -> bool:
    """The truth table, written down a second time and differently."""
    bounced = SuppressionReason.BOUNCED in reasons or state == PersonState.BOUNCED
    complained = SuppressionReason.COMPLAINED in reasons or state == PersonState.COMPLAINED
    return {
        MailClass.ADMIN: True,
        MailClass.RECEIPT: not bounced,
        MailClass.CONFIRM: not bounced and not complained,
        MailClass.DELIVER: not bounced and not complained and state != PersonState.PENDING,
        MailClass.DRIP: not reasons and state == PersonState.CONFIRMED and purpose in agreed,
    }[mail_class]


def test_who_may_be_mailed_is_the_table_and_every_refusal_has_a_sentence() -> None:
    assert len(CASES) == 5 * 16 * 5 * 5 * 2
    for state, reasons, mail_class, purpose, agreed in CASES:
        refusal = why_not_send(Standing(state, agreed, reasons), mail_class, purpose)
        case = (state, reasons, mail_class, purpose, agreed)
        assert (refusal is None) == _may(*case), case
        assert refusal is None or refusal.endswith(".")


def test_an_address_is_a_value() -> None:
    assert parse_address("Ada@Example.org") == Address(
        "Ada@example.org", "ada@example.org", "ada@example.org"
    )
