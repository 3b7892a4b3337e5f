"""Finished guides on file: sealed, so that what lies in the storage tells nothing about anybody."""

from contextlib import suppress
from dataclasses import dataclass, field

from funnel.domain.errors import VaultLocked
from funnel.domain.ports import Storage
from funnel.services.workplace import Workplace
from funnel.vault import MARK_CHARACTERS, Vault

# A sealed file's size tells its content's: every edition fills the same number of these, whatever
# is said in it. Guides of about 196 kB lie on both sides of three blocks of 64 KiB.
BLOCK_BYTES = 128 * 1024
LENGTH_BYTES = 8


@dataclass(frozen=True)
class Shelf:
    """The storage behind the vault. What comes and goes is readable in the workplace only."""

    storage: Storage
    vault: Vault
    workplace: Workplace = field(default_factory=Workplace)

    def put(self, key: str, content: bytes) -> None:
        """Seal the content and store it whole; raises OSError when the disk refuses."""
        with self.workplace.job() as folder:
            sealed = folder / "sealed"
            sealed.write_bytes(self.vault.seal(_padded(content)))
            self.storage.put(key, sealed)

    def has(self, key: str | None) -> bool:
        """True when there is a file under the key that can be read."""
        return self.read(key) is not None

    def is_current(self, key: str) -> bool:
        """True when there is a file under the key that today's key sealed."""
        path = self.storage.path(key)
        if path is None:
            return False
        with suppress(FileNotFoundError), path.open("rb") as file:
            return self.vault.is_newest(file.read(MARK_CHARACTERS))
        return False

    def read(self, key: str | None) -> bytes | None:
        """The content; None when the file is gone, or sealed with a key we no longer have."""
        path = self.storage.path(key) if key else None
        if path is None:
            return None
        try:
            return _unpadded(self.vault.open(path.read_bytes()))
        except (FileNotFoundError, VaultLocked):
            return None


def _padded(content: bytes) -> bytes:
    """The content's length, the content, and zeros up to whole blocks."""
    told = len(content).to_bytes(LENGTH_BYTES) + content
    return told + bytes(-len(told) % BLOCK_BYTES)


def _unpadded(padded: bytes) -> bytes | None:
    length = int.from_bytes(padded[:LENGTH_BYTES])
    content = padded[LENGTH_BYTES : LENGTH_BYTES + length]
    return content if len(content) == length else None
