"""Signed links: each opens one thing, and nothing else opens anything."""

import base64
from datetime import UTC, datetime, timedelta
from itertools import product
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel.domain.errors import LinkExpired, LinkInvalid
from funnel.links import LinkPurpose, Links
from tests.support.house import SECRET

LINKS = Links("http://localhost/", (SECRET,))
OTHER = Links("http://localhost/", ("another-secret-of-more-than-thirty-two-characters",))
HANDLE = UUID("12345678-1234-5678-1234-567812345678")
GOOD = LINKS.token(LinkPurpose.CONFIRM, HANDLE)
VALUE, _, MARK = GOOD.partition(".")
SHOWN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(("made", "read"), list(product(LinkPurpose, repeat=2)))
def test_a_token_opens_only_what_it_was_made_for(made: LinkPurpose, read: LinkPurpose) -> None:
    token = LINKS.token(made, HANDLE)
    if made is read:
        assert LINKS.read(read, token) == HANDLE
    else:
        with pytest.raises(LinkInvalid):
            LINKS.read(read, token)


def _last_bits(text: str) -> list[str]:
    """Other spellings that a forgiving base64 reader takes for the same bytes."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    place = alphabet.index(text[-1])
    return [text[:-1] + alphabet[(place & ~3) + low] for low in range(4) if low != place & 3]


LETTERS = [at for at, letter in enumerate(GOOD) if letter.isalpha()]
BAD = [
    "", ".", "..", "a", VALUE, MARK, f"{VALUE}.", f".{MARK}", f"{MARK}.{VALUE}", GOOD + ".",
    f"{GOOD}.{MARK}", f"{VALUE}.{VALUE}.{MARK}", "." + GOOD, GOOD + "=", GOOD + "==", GOOD + " ",
    " " + GOOD, GOOD + "\n", "\n" + GOOD, GOOD + "\0", "\0" + GOOD, GOOD + "%00", GOOD.upper(),
    GOOD.lower(), GOOD.swapcase(), GOOD[::-1], quote(GOOD, safe="") + "%20", GOOD.replace(".", ":"),
    GOOD.replace(".", "%2e"), GOOD.replace(".", "．"), GOOD.replace(".", ".\u200b"), "../" + GOOD,
    "../../etc/passwd", "..%2f..%2fetc%2fpasswd", "/" + GOOD, GOOD + "/", GOOD + "?x=1",
    GOOD + "#x", GOOD + GOOD, GOOD * 1000, "A" * 1_000_000, "." * 1_000_000, str(HANDLE),
    HANDLE.hex,
    f"{HANDLE.hex}.{MARK}", base64.b64encode(GOOD.encode()).decode(), f"{VALUE}+.{MARK}",
    f"{VALUE}.{MARK}!", f"{VALUE}.!{MARK}", f"{VALUE}.{MARK[:20]} {MARK[20:]}",
    f"{VALUE}.{MARK[:20]}\n{MARK[20:]}", f"{VALUE}.{MARK}é", f"é{GOOD}", f"{GOOD}\ud800", "😀" * 66,
    GOOD.replace("A", "А"), "eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJIUzI1NiJ9.e30.x", "null",
    "None", "undefined", "true", "0", "-1", "{{config}}", "<script>", "' OR 1=1 --", "%s%s%n",
    OTHER.token(LinkPurpose.CONFIRM, HANDLE), f"{VALUE}.{OTHER.token(LinkPurpose.CONFIRM, HANDLE)}",
    *_last_bits(GOOD), *(f"{value}.{MARK}" for value in _last_bits(VALUE)),
    *(GOOD[:cut] for cut in range(len(GOOD))),
    *(GOOD[:at] + ("A" if GOOD[at] != "A" else "B") + GOOD[at + 1 :] for at in range(len(GOOD))),
    *(GOOD[:at] + GOOD[at].swapcase() + GOOD[at + 1 :] for at in LETTERS),
]  # fmt: skip


def test_the_corpus_is_as_large_as_it_claims() -> None:
    assert len(set(BAD)) >= 200
    assert GOOD not in BAD


@pytest.mark.parametrize("token", BAD, ids=lambda token: ascii(token)[:30])
def test_a_bad_token_is_no_link(token: str) -> None:
    with pytest.raises(LinkInvalid):
        LINKS.read(LinkPurpose.CONFIRM, token)


@given(st.text())
def test_no_text_at_all_breaks_the_reader(token: str) -> None:
    for purpose in LinkPurpose:
        with pytest.raises(LinkInvalid):
            LINKS.read(purpose, token)


@given(st.uuids())
def test_every_handle_comes_back_and_a_token_is_the_same_each_time(handle: UUID) -> None:
    for purpose in LinkPurpose:
        token = LINKS.token(purpose, handle)
        assert LINKS.read(purpose, token) == handle
        assert LINKS.token(purpose, handle) == token


def test_an_older_key_still_opens_what_was_sent_with_it() -> None:
    rotated = Links("http://localhost", ("a-new-secret-of-more-than-thirty-two-characters", SECRET))
    assert rotated.read(LinkPurpose.CONFIRM, GOOD) == HANDLE
    assert rotated.token(LinkPurpose.CONFIRM, HANDLE) != GOOD
    assert rotated.pepper == LINKS.pepper, "suppressions outlive the change of a key"
    with pytest.raises(LinkInvalid):
        LINKS.read(LinkPurpose.CONFIRM, rotated.token(LinkPurpose.CONFIRM, HANDLE))


@pytest.mark.parametrize(
    "sealed",
    ["", "x", GOOD, OTHER.seal("text"), "é", "A" * 100_000],
    ids=["nothing", "a letter", "a token", "another key", "not ASCII", "long"],
)
def test_what_we_did_not_seal_cannot_be_opened(sealed: str) -> None:
    with pytest.raises(LinkExpired):
        LINKS.unseal(sealed, 60)


@given(st.text(max_size=300).filter(lambda text: text.isprintable()))
def test_what_we_sealed_comes_back_and_shows_nothing(text: str) -> None:
    sealed = LINKS.seal(text)
    assert LINKS.unseal(sealed, 60) == text
    assert len(text) < 4 or text not in sealed


@pytest.mark.parametrize(
    "stamp",
    ["", "shown", "shown.x.y", GOOD, OTHER.stamp(SHOWN), "é"],
    ids=["nothing", "a word", "three words", "a token", "another key", "not ASCII"],
)
def test_a_stamp_that_is_not_ours_tells_no_time(stamp: str) -> None:
    assert LINKS.seconds_since(stamp, SHOWN) is None


def test_our_own_stamp_tells_how_long_ago_it_was_made() -> None:
    pressed = SHOWN + timedelta(milliseconds=250)
    assert LINKS.seconds_since(LINKS.stamp(SHOWN), pressed) == pytest.approx(0.25)


def test_a_token_guesses_at_nothing() -> None:
    tokens = {LINKS.token(LinkPurpose.GUIDE, uuid4()) for _ in range(100)}
    assert len({token.partition(".")[2] for token in tokens}) == 100
