"""Verifies that a webhook body was signed by SendGrid, recently, with a key we trust."""

import base64
import binascii
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from funnel.domain.errors import SettingInvalid, WebhookRefused

MAX_AGE = timedelta(hours=48)  # SendGrid delivers again for a day
MAX_LEAD = timedelta(minutes=5)
MAX_SIGNATURE_CHARACTERS = 200  # an ECDSA P-256 signature is about 96 in base64
_TIMESTAMP = re.compile(r"[0-9]{10}")


class SignatureVerifier:
    """Checks the ECDSA signature of the event webhook; several keys are good while one is rotated.

    Keys are as SendGrid shows them: base64 of the DER form, on the curve P-256. Raises
    SettingInvalid for any other.
    """

    def __init__(self, public_keys: Sequence[str]) -> None:
        self._keys = [_read_key(key) for key in public_keys]

    def verify(
        self, raw: bytes, signature: str | None, timestamp: str | None, now: datetime
    ) -> None:
        """Return when the raw body is genuine and fresh at `now`; raises only WebhookRefused."""
        if not signature or not timestamp:
            raise WebhookRefused("The webhook is not signed.")
        if not _TIMESTAMP.fullmatch(timestamp):
            raise WebhookRefused("The timestamp of the webhook is not ten digits.")
        signed_at = datetime.fromtimestamp(int(timestamp), tz=UTC)
        if not now - MAX_AGE <= signed_at <= now + MAX_LEAD:
            raise WebhookRefused("The webhook is too old or from the future.")
        octets = _read_signature(signature)
        if not any(_is_signed_by(key, octets, timestamp.encode() + raw) for key in self._keys):
            raise WebhookRefused


def _read_key(text: str) -> ec.EllipticCurvePublicKey:
    try:
        key = load_der_public_key(base64.b64decode("".join(text.split()), validate=True))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SettingInvalid("SENDGRID_PUBLIC_KEY is not a public key in base64.") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise SettingInvalid("SENDGRID_PUBLIC_KEY is not a key on the curve P-256.")
    return key


def _read_signature(text: str) -> bytes:
    if len(text) > MAX_SIGNATURE_CHARACTERS or not text.isascii():
        raise WebhookRefused
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise WebhookRefused from error


def _is_signed_by(key: ec.EllipticCurvePublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True
