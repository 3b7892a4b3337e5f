"""DKIM (RFC 6376): the public key that proves a mail was signed in the name of its domain."""

import base64
import binascii
from dataclasses import dataclass

LEAST_BITS = 1024  # below this the big providers take no notice of a signature
GOOD_BITS = 2048
_SEQUENCE, _INTEGER, _BIT_STRING = 0x30, 0x02, 0x03


@dataclass(frozen=True)
class DkimKey:
    """A published key. Without bits it was withdrawn, or cannot be read."""

    bits: int
    is_revoked: bool = False
    is_elliptic: bool = False

    @property
    def is_weak(self) -> bool:
        """True when no big provider trusts it."""
        return not self.is_elliptic and self.bits < LEAST_BITS

    @property
    def is_good(self) -> bool:
        """True when there is nothing better to wish for."""
        return self.is_elliptic or self.bits >= GOOD_BITS


def read_key(text: str) -> DkimKey | None:
    """The key in a TXT record; None for a record that is none."""
    tags = read_tags(text)
    if tags.get("v", "DKIM1") != "DKIM1" or "p" not in tags:
        return None
    content = "".join(tags["p"].split())
    if not content:
        return DkimKey(0, is_revoked=True)
    if tags.get("k", "rsa").lower() == "ed25519":
        return DkimKey(256, is_elliptic=True)
    try:
        return DkimKey(_modulus_bits(base64.b64decode(content, validate=True)))
    except (binascii.Error, ValueError):
        return DkimKey(0)


def read_tags(text: str) -> dict[str, str]:
    """The tags of `v=...; p=...`, names in small letters; of a doubled one the first counts."""
    pairs = [part.partition("=") for part in text.split(";") if "=" in part]
    return {name.strip().lower(): value.strip() for name, _, value in reversed(pairs)}


def _modulus_bits(der: bytes) -> int:
    """The size of an RSA key, with its frame or bare; raises ValueError for anything else."""
    inside = _content(der, _SEQUENCE)[0]
    if inside[:1] != bytes([_INTEGER]):
        _, after = _content(inside, _SEQUENCE)  # which kind of key it is
        bits = _content(after, _BIT_STRING)[0]
        inside = _content(bits[1:], _SEQUENCE)[0]
    return int.from_bytes(_content(inside, _INTEGER)[0], "big").bit_length()


def _content(der: bytes, tag: int) -> tuple[bytes, bytes]:
    """What is inside the first element, which must be of that kind, and what follows it."""
    if len(der) < 2 or der[0] != tag:
        raise ValueError("not what was expected here")
    start, length = 2, der[1]
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(der[2:start], "big")
    if start > 6 or len(der) < start + length:
        raise ValueError("cut short")
    return der[start : start + length], der[start + length :]
