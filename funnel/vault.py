"""Keeps what must not lie about in the clear, and names what must not tell on anybody."""

import base64
import hashlib
import hmac
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from funnel.domain.errors import VaultLocked

MARK_CHARACTERS = 9  # eight of the key's mark, and the dot behind it


class Vault:
    """Seals with the first of `secret_keys`; older keys still open what they sealed.

    What is sealed begins with the mark of its key, so that it can be found once the key is old.
    Names come from `naming_key`; without one from the oldest key.
    """

    def __init__(self, secret_keys: Sequence[str], naming_key: str = "") -> None:
        fernets = [Fernet(base64.urlsafe_b64encode(derive(key, "vault"))) for key in secret_keys]
        marks = [derive(key, "mark").hex()[: MARK_CHARACTERS - 1] for key in secret_keys]
        self.newest_mark = f"{marks[0]}.".encode()
        self._seal = fernets[0].encrypt
        self._by_mark = {
            f"{mark}.".encode(): each for mark, each in zip(marks, fernets, strict=True)
        }
        self._any = MultiFernet(fernets)
        self._naming = derive(naming_key or secret_keys[-1], "names")

    def seal(self, content: bytes) -> bytes:
        """The content, encrypted and signed."""
        return self.newest_mark + self._seal(content)

    def open(self, sealed: bytes) -> bytes:
        """What was sealed; raises VaultLocked when no key fits or a bit has changed."""
        marked = self._by_mark.get(sealed[:MARK_CHARACTERS])
        try:
            if marked is not None:
                return marked.decrypt(sealed[MARK_CHARACTERS:])
            return self._any.decrypt(sealed)  # from before there were marks
        except InvalidToken as error:
            raise VaultLocked from error

    def is_newest(self, sealed: bytes) -> bool:
        """Whether today's key sealed it."""
        return sealed.startswith(self.newest_mark)

    def name(self, content: bytes) -> str:
        """The same name for the same content, in hex; without our key it cannot be guessed."""
        return hmac.new(self._naming, content, hashlib.sha256).hexdigest()


def derive(secret: str, use: str) -> bytes:
    """A key of 32 bytes for one use, so that no two uses share one."""
    return hmac.new(secret.encode(), f"funnel/{use}".encode(), hashlib.sha256).digest()
