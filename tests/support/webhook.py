"""Signs webhooks as SendGrid does, with keys of the tests' own."""

import base64
import json
from collections.abc import Mapping
from datetime import datetime

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PATH = "/hooks/sendgrid"
SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"


def public(key: ec.EllipticCurvePrivateKey) -> str:
    """As SendGrid shows it: base64 of the DER form."""
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


KEY = ec.generate_private_key(ec.SECP256R1())
NEXT_KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC, NEXT_PUBLIC = public(KEY), public(NEXT_KEY)


def signed(body: bytes, at: datetime, key: ec.EllipticCurvePrivateKey = KEY) -> Mapping[str, str]:
    """The headers of a genuine webhook with this body."""
    stamp = str(int(at.timestamp()))
    signature = key.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    return {SIGNATURE: base64.b64encode(signature).decode(), TIMESTAMP: stamp}


def body_of(events: object) -> bytes:
    """Events as they are posted."""
    return json.dumps(events).encode()
