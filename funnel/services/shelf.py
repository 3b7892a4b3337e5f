"""Finished guides on file: sealed, so that what lies in the storage tells nothing about anybody."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from funnel.domain.errors import VaultLocked
from funnel.domain.ports import Storage
from funnel.vault import Vault


@dataclass(frozen=True)
class Shelf:
    """The storage behind the vault."""

    storage: Storage
    vault: Vault

    def put(self, key: str, content: bytes) -> None:
        """Seal the content and store it whole; raises OSError when the disk refuses."""
        with TemporaryDirectory(prefix="funnel-shelf-") as folder:
            sealed = Path(folder) / "sealed"
            sealed.write_bytes(self.vault.seal(content))
            self.storage.put(key, sealed)

    def has(self, key: str | None) -> bool:
        """True when there is a file under the key."""
        return key is not None and self.storage.path(key) is not None

    def read(self, key: str | None) -> bytes | None:
        """The content; None when the file is gone, or sealed with a key we no longer have."""
        path = self.storage.path(key) if key else None
        if path is None:
            return None
        try:
            return self.vault.open(path.read_bytes())
        except (FileNotFoundError, VaultLocked):
            return None
