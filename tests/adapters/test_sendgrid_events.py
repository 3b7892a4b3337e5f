"""Forged, damaged, stale and senseless webhooks: every one is refused in the same way."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from funnel.adapters.sendgrid_events import SignatureVerifier
from funnel.domain.errors import SettingInvalid, WebhookRefused
from funnel.domain.ports import WebhookVerifier

NOW = datetime(2026, 6, 1, 8, 30, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
BODY = json.dumps([{"event": "delivered", "email": "ada@example.org", "ts": 1}]).encode() + b"\r\n"
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

KEY = ec.generate_private_key(ec.SECP256R1())
NEXT_KEY = ec.generate_private_key(ec.SECP256R1())
STRANGER = ec.generate_private_key(ec.SECP256R1())


def public(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> str:
    """As SendGrid shows it: base64 of the DER form."""
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def sign(
    signed: bytes,
    key: ec.EllipticCurvePrivateKey = KEY,
    digest: hashes.HashAlgorithm | None = None,
) -> bytes:
    return key.sign(signed, ec.ECDSA(digest or hashes.SHA256()))


def text_of(signature: bytes) -> str:
    return base64.b64encode(signature).decode()


VERIFIER = SignatureVerifier([public(KEY), public(NEXT_KEY)])
GENUINE = sign(STAMP.encode() + BODY)


@dataclass(frozen=True)
class Case:
    name: str
    signature: str | None = text_of(GENUINE)
    timestamp: str | None = STAMP
    body: bytes = BODY


# The corpus -------------------------------------------------------------------------------------


def missing_headers() -> Iterator[Case]:
    for value in (None, "", " ", "\n"):
        yield Case(f"signature {value!r}", signature=value)
        yield Case(f"timestamp {value!r}", timestamp=value)
        yield Case(f"both {value!r}", signature=value, timestamp=value)
    yield Case("swapped", signature=STAMP, timestamp=text_of(GENUINE))


def damaged_text() -> Iterator[Case]:
    good = text_of(GENUINE)
    for odd in ("é", "肩", "\u2028", "\ud800", "\0", "\r\n", " ", "-_", "!", "%3D", "\x7f", "👩‍⚕️"):
        yield Case(f"signature ends in {odd!a}", signature=good + odd)
        yield Case(f"signature begins with {odd!a}", signature=odd + good)
        yield Case(f"signature holds {odd!a}", signature=good[:40] + odd + good[40:])
    for odd in (
        "=",
        "====",
        "A",
        "AA==",
        "not base64",
        "null",
        "[]",
        good.rstrip("=")[:-1],
        good[1:],
    ):
        yield Case(f"signature is {odd[:10]!r}", signature=odd)
    yield Case("signature in hex", signature=GENUINE.hex())
    yield Case("signature twice", signature=good + good)
    yield Case("signature of a megabyte", signature="A" * 1_048_576)


def damaged_bytes() -> Iterator[Case]:
    for place in range(len(GENUINE)):
        flipped = GENUINE[:place] + bytes([GENUINE[place] ^ 1]) + GENUINE[place + 1 :]
        yield Case(f"bit flipped in byte {place}", signature=text_of(flipped))
    for length in range(0, 66, 6):
        yield Case(f"cut to {length} bytes", signature=text_of(GENUINE[:length]))
    for tail in (b"\0", b"\x02\x01\x01", GENUINE[:20]):
        yield Case(f"{len(tail)} bytes appended", signature=text_of(GENUINE + tail))


def senseless_der() -> Iterator[Case]:
    for r, s in ((0, 0), (0, 1), (1, 0), (1, 1), (ORDER, 1), (1, ORDER), (2**300, 1)):
        yield Case(f"r={r:.1e} s={s:.1e}", signature=text_of(encode_dss_signature(r, s)))
    for der in (
        b"0",
        b"0\x80",
        b"0\x84\xff\xff\xff\xff",
        b"\x30\x00",
        b"\x02\x01\x01",
        b"\xff" * 72,
    ):
        yield Case(f"der {der[:6].hex()}", signature=text_of(der))


def wrong_signers() -> Iterator[Case]:
    signed = STAMP.encode() + BODY
    p384 = ec.generate_private_key(ec.SECP384R1())
    k256 = ec.generate_private_key(ec.SECP256K1())
    rsa_key = rsa.generate_private_key(65537, 2048)
    yield Case("a stranger's key", signature=text_of(sign(signed, STRANGER)))
    yield Case("curve P-384", signature=text_of(sign(signed, p384, hashes.SHA384())))
    yield Case("curve secp256k1", signature=text_of(sign(signed, k256)))
    yield Case("SHA-384", signature=text_of(sign(signed, digest=hashes.SHA384())))
    yield Case("SHA-1", signature=text_of(sign(signed, digest=hashes.SHA1())))  # noqa: S303 - forged on purpose
    yield Case("RSA", signature=text_of(rsa_key.sign(signed, padding.PKCS1v15(), hashes.SHA256())))
    yield Case("Ed25519", signature=text_of(ed25519.Ed25519PrivateKey.generate().sign(signed)))


def wrong_content() -> Iterator[Case]:
    for name, signed in {
        "the body alone": BODY,
        "the timestamp alone": STAMP.encode(),
        "body before timestamp": BODY + STAMP.encode(),
        "with a dot between": STAMP.encode() + b"." + BODY,
        "with a line end between": STAMP.encode() + b"\n" + BODY,
        "another time": str(int(STAMP) - 1).encode() + BODY,
        "nothing": b"",
    }.items():
        yield Case(f"signed {name}", signature=text_of(sign(signed)))
    for name, body in {
        "empty": b"",
        "trimmed": BODY.strip(),
        "with LF": BODY.replace(b"\r\n", b"\n"),
        "with a byte order mark": b"\xef\xbb\xbf" + BODY,
        "written again": json.dumps(json.loads(BODY), separators=(",", ":")).encode(),
        "about another reader": BODY.replace(b"ada", b"ben"),
        "cut": BODY[:-3],
        "twice": BODY + BODY,
        "with a space": BODY + b" ",
        "upper case": BODY.upper(),
        "NUL": BODY + b"\0",
        "an object": b"{}",
        "an empty list": b"[]",
        "not UTF-8": b"\xff\xfe",
        "deep": b"[" * 100_000,
        "gzip": b"\x1f\x8b\x08\0" + BODY,
    }.items():
        yield Case(f"body {name}", body=body)


def shifted_seam() -> Iterator[Case]:
    """Time and body are signed without a seam, so a digit moved over it still verifies."""
    for moved in range(1, 6):
        yield Case(
            f"{moved} digits moved into the body",
            timestamp=STAMP[:-moved],
            body=STAMP[-moved:].encode() + BODY,
        )
    for digits in (b"0", b"12", b"123"):
        body = digits + BODY
        yield Case(
            f"{len(digits)} digits moved into the time",
            signature=text_of(sign(STAMP.encode() + body)),
            timestamp=STAMP + digits.decode(),
        )


def wrong_times() -> Iterator[Case]:
    """All of these are signed with the right key over just what they say."""
    now = int(STAMP)
    stale = {
        "too old": now - 48 * 3600 - 1,
        "a year old": now - 365 * 86400,
        "from 2001": 1_000_000_000,
        "from the future": now + 5 * 60 + 1,
        "from next year": now + 365 * 86400,
        "the last": 9_999_999_999,
    }
    senseless = [
        "0", "0000000000", "-780302600", "+178030260", str(now * 1000), f"{now}.0", f"{now}\n",
        f" {now}", f"{now} ", f"{now}\0", "1_78030260", "0x6a1d6b88", "1.7803e+09", "NaN",
        "Infinity", str(now)[:-1], f"0{now}", "now", "２" * 10, "١٧٨٠٣٠٢٦٠٠", "9" * 400, "null",
        "true", "é" * 10, "²" * 10, NOW.isoformat(),
    ]  # fmt: skip
    for stamp in [*map(str, stale.values()), *senseless]:
        signature = text_of(sign(stamp.encode() + BODY))
        yield Case(f"time {stamp[:12]!a}", signature=signature, timestamp=stamp)


CORPUS = [
    *missing_headers(),
    *damaged_text(),
    *damaged_bytes(),
    *senseless_der(),
    *wrong_signers(),
    *wrong_content(),
    *shifted_seam(),
    *wrong_times(),
]


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len(CORPUS) >= 150
    assert len({(case.signature, case.timestamp, case.body) for case in CORPUS}) >= 150


def test_h6_every_bad_webhook_is_refused_and_nothing_else_happens() -> None:
    let_through = [case.name for case in CORPUS if not _is_refused(case)]
    assert let_through == []


def _is_refused(case: Case) -> bool:
    try:
        VERIFIER.verify(case.body, case.signature, case.timestamp, NOW)
    except WebhookRefused:
        return True
    return False


@given(signature=st.text(), timestamp=st.text(), body=st.binary())
def test_whatever_comes_is_refused_and_nothing_else_happens(
    signature: str, timestamp: str, body: bytes
) -> None:
    with pytest.raises(WebhookRefused):
        VERIFIER.verify(body, signature, timestamp, NOW)


@given(signature=st.binary(max_size=150), body=st.binary())
def test_no_invented_signature_passes(signature: bytes, body: bytes) -> None:
    with pytest.raises(WebhookRefused):
        VERIFIER.verify(body, text_of(signature), STAMP, NOW)


# What must pass ---------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [BODY, b"", b"[]", bytes(range(256)), b"x" * 1_000_000], ids=len)
@pytest.mark.parametrize("key", [KEY, NEXT_KEY], ids=["old key", "new key"])
def test_a_genuine_webhook_passes_with_either_key(
    body: bytes, key: ec.EllipticCurvePrivateKey
) -> None:
    VERIFIER.verify(body, text_of(sign(STAMP.encode() + body, key)), STAMP, NOW)


@pytest.mark.parametrize("age", [timedelta(hours=48), timedelta(0), -timedelta(minutes=5)])
def test_a_webhook_is_fresh_for_two_days_and_a_clock_may_be_five_minutes_off(
    age: timedelta,
) -> None:
    VERIFIER.verify(BODY, text_of(GENUINE), STAMP, NOW + age)


def test_a_retired_key_is_good_no_longer() -> None:
    with pytest.raises(WebhookRefused):
        SignatureVerifier([public(NEXT_KEY)]).verify(BODY, text_of(GENUINE), STAMP, NOW)


def test_without_a_key_nothing_passes() -> None:
    verifier: WebhookVerifier = SignatureVerifier([])
    with pytest.raises(WebhookRefused):
        verifier.verify(BODY, text_of(GENUINE), STAMP, NOW)


def test_a_key_may_be_pasted_with_line_breaks() -> None:
    pasted = f" {public(KEY)[:60]}\n{public(KEY)[60:]}\n"
    SignatureVerifier([pasted]).verify(BODY, text_of(GENUINE), STAMP, NOW)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "not a key",
        "é",
        "AAAA",
        public(ec.generate_private_key(ec.SECP384R1())),
        public(ec.generate_private_key(ec.SECP256K1())),
        public(rsa.generate_private_key(65537, 2048)),
        public(ed25519.Ed25519PrivateKey.generate()),
        public(KEY)[:-8],
    ],
    ids=["empty", "text", "é", "short", "P-384", "secp256k1", "RSA", "Ed25519", "cut"],
)
def test_only_keys_on_the_right_curve_are_taken(key: str) -> None:
    with pytest.raises(SettingInvalid, match="SENDGRID_PUBLIC_KEY"):
        SignatureVerifier([key])
