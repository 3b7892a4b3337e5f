"""Keeps finished files in a folder: a key is either absent or whole, even after a power cut."""

import hashlib
import os
import re
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from funnel.adapters.durable import ASIDE, settle, settle_folder, written_aside
from funnel.domain.ports import StoredFile

CHUNK_OCTETS = 256 * 1024
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


class FileStorage:
    """Files of one folder under opaque keys: letters, digits, dot, dash, underscore."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def put(self, key: str, source: Path) -> StoredFile:
        """Copy a file in, replacing what the key held; raises ValueError for a malformed key."""
        target = self._file(key)
        digest = hashlib.sha256()
        with written_aside(self._folder) as (copy, path), source.open("rb") as original:
            while chunk := original.read(CHUNK_OCTETS):
                digest.update(chunk)
                copy.write(chunk)
            settle(copy)
            size_bytes = copy.tell()
            path.replace(target)
        settle_folder(self._folder)
        return StoredFile(key=key, size_bytes=size_bytes, sha256=digest.hexdigest())

    def path(self, key: str) -> Path | None:
        """Where the whole file lies; None for an absent or malformed key."""
        if not _KEY.fullmatch(key):
            return None
        file = self._folder / key
        return file if file.is_file() else None

    def keys(self, put_before: datetime) -> list[str]:
        """The keys of the files put there before that instant, by the machine's clock."""
        with os.scandir(self._folder) as entries:
            return sorted(
                entry.name
                for entry in entries
                if _KEY.fullmatch(entry.name)
                and entry.is_file()
                and entry.stat().st_mtime < put_before.timestamp()
            )

    def clear(self, put_before: datetime) -> None:
        """Remove copies that were cut off before that instant, by the machine's clock."""
        for copy in self._folder.glob(f"{ASIDE}*"):
            with suppress(FileNotFoundError):
                if copy.stat().st_mtime < put_before.timestamp():
                    copy.unlink()

    def delete(self, key: str) -> None:
        """Remove a file for good; a key that is absent is no error."""
        self._file(key).unlink(missing_ok=True)

    def _file(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError("a storage key is letters, digits, dots, dashes and underscores")
        return self._folder / key
