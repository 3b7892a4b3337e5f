"""Absolute URLs and purpose-bound signed tokens, built without a request."""

import base64
import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from itsdangerous import BadSignature, Signer

from funnel.domain.errors import LinkExpired, LinkInvalid
from funnel.vault import derive

# A handle and a mark in the one spelling we write: base64 has others for the same bytes.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")


class LinkPurpose(StrEnum):
    """What a signed token opens; a token of one purpose opens nothing else."""

    CONFIRM = "confirm"
    CHANGE = "change"
    KEEP_ADDRESS = "keep-address"
    GUIDE = "guide"
    PORTAL = "portal"
    PREFERENCES = "preferences"
    YOUR_DATA = "your-data"
    UNSUBSCRIBE = "unsubscribe"


# Every absolute link we send, by name; a guard test matches each to a route.
PATTERNS = {
    "home": "/",
    "privacy": "/privacy",
    "safety": "/safety",
    "complaint": "/complaint",
    "challenge-open": "/challenge",
    "confirm": "/confirm/{token}",
    "confirm-change": "/change-address/{token}",
    "keep-address": "/keep-address/{token}",
    "guide": "/guide/{token}",
    "challenge": "/challenge/{token}",
    "day": "/challenge/{token}/day/{day}",
    "programme": "/programme/{token}",
    "preferences": "/preferences/{token}",
    "your-data": "/your-data/{token}",
    "my-data": "/your-data/open/{token}",
    "unsubscribe": "/unsubscribe/{token}",
    "desk": "/desk/",
    "desk-setup": "/desk/set-up/{token}",
}


# Where SendGrid posts its events.
SENDGRID_HOOK = "/hooks/sendgrid"


class Links:
    """Builds URLs under `base_url` and signs with the first of `secret_keys`.

    Older keys still verify, so that a key can be changed without breaking sent mail. Addresses are
    hashed with `address_key`; without one with the oldest key.
    """

    def __init__(self, base_url: str, secret_keys: Sequence[str], address_key: str = "") -> None:
        self.base_url = base_url.rstrip("/")
        self._keys = list(reversed([derive(key, "signing") for key in secret_keys]))
        self._fernet = MultiFernet(
            [Fernet(base64.urlsafe_b64encode(derive(key, "sealing"))) for key in secret_keys]
        )
        self.pepper = derive(address_key or secret_keys[-1], "addresses")
        self._signers = {
            purpose: Signer(self._keys, salt=f"funnel/{purpose}", digest_method=hashlib.sha256)
            for purpose in LinkPurpose
        }
        self._stamps = Signer(self._keys, salt="form-shown", digest_method=hashlib.sha256)

    def url(self, name: str, **parts: object) -> str:
        """The absolute URL of a named link."""
        return self.base_url + PATTERNS[name].format(**parts)

    def token(self, purpose: LinkPurpose, handle: UUID) -> str:
        """A token for this purpose and handle: the same each time, so a mail renders the same."""
        value = base64.urlsafe_b64encode(handle.bytes).rstrip(b"=")
        return self._signers[purpose].sign(value).decode()

    def read(self, purpose: LinkPurpose, token: str) -> UUID:
        """The handle inside a token; raises LinkInvalid for anything else."""
        if not _TOKEN.fullmatch(token):
            raise LinkInvalid
        try:
            value = self._signers[purpose].unsign(token.encode())
            return UUID(bytes=base64.urlsafe_b64decode(value + b"=="))
        except (BadSignature, ValueError) as error:
            raise LinkInvalid from error

    def seal(self, text: str) -> str:
        """Encrypt a short text for a URL or a form field, so that it shows nothing."""
        return self._fernet.encrypt(text.encode()).decode()

    def unseal(self, sealed: str, max_age_seconds: int) -> str:
        """The text sealed at most that long ago (machine time); raises LinkExpired."""
        try:
            return self._fernet.decrypt(_in_our_spelling(sealed), max_age_seconds).decode()
        except (InvalidToken, ValueError) as error:
            raise LinkExpired from error

    def stamp(self, machine: datetime) -> str:
        """A signed time stamp for a form: when the page was shown, to the millisecond."""
        return self._stamps.sign(f"{machine.timestamp():.3f}").decode()

    def seconds_since(self, stamp: str, machine: datetime) -> float | None:
        """Seconds since a form's stamp was made (machine time); None when it is not ours."""
        try:
            shown_at = float(self._stamps.unsign(stamp.encode("ascii", "replace")))
        except (BadSignature, ValueError):
            return None
        return machine.timestamp() - shown_at


def _in_our_spelling(sealed: str) -> bytes:
    """The bytes of a sealed text. Base64 reads other spellings of them too: ValueError."""
    given = sealed.encode("ascii")
    if base64.urlsafe_b64encode(base64.urlsafe_b64decode(given)) != given:
        raise ValueError("not in our spelling")
    return given
