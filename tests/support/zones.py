"""Name systems written down as a dictionary, and DKIM keys of any length."""

import base64
from collections.abc import Mapping
from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from funnel.domain.names import UNANSWERED, LookUp, Lookup, RecordKind

Zone = Mapping[tuple[str, str], tuple[str, ...] | None]


def names(zone: Zone) -> LookUp:
    """Looks names up in a dictionary; None there stands for no answer."""

    def look_up(name: str, kind: RecordKind) -> Lookup:
        found = zone.get((name, kind), ())
        return UNANSWERED if found is None else Lookup(found)

    return look_up


@cache
def dkim_key(bits: int = 2048) -> str:
    """The TXT record of a real key of so many bits."""
    return f"v=DKIM1; k=rsa; p={_spki(bits)}"


@cache
def bare_dkim_key(bits: int) -> str:
    """The same without the frame that says which kind of key it is."""
    key = rsa.generate_private_key(65537, bits).public_key()
    return f"p={base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.PKCS1)).decode()}"


def _spki(bits: int) -> str:
    key = rsa.generate_private_key(65537, bits).public_key()
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()
