"""Keeps what must not lie about in the clear, and names what must not tell on anybody."""

import base64
import hashlib
import hmac
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from funnel.domain.errors import VaultLocked


class Vault:
    """Seals with the first of `secret_keys`; older keys still open what they sealed."""

    def __init__(self, secret_keys: Sequence[str]) -> None:
        self._fernet = MultiFernet(
            [Fernet(base64.urlsafe_b64encode(derive(key, "vault"))) for key in secret_keys]
        )
        self._naming = derive(secret_keys[-1], "names")

    def seal(self, content: bytes) -> bytes:
        """The content, encrypted and signed."""
        return self._fernet.encrypt(content)

    def open(self, sealed: bytes) -> bytes:
        """What was sealed; raises VaultLocked when no key fits or a bit has changed."""
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken as error:
            raise VaultLocked from error

    def name(self, content: bytes) -> str:
        """The same name for the same content, in hex; without our key it cannot be guessed."""
        return hmac.new(self._naming, content, hashlib.sha256).hexdigest()


def derive(secret: str, use: str) -> bytes:
    """A key of 32 bytes for one use, so that no two uses share one."""
    return hmac.new(secret.encode(), f"funnel/{use}".encode(), hashlib.sha256).digest()
