"""Where a guide lies readable for the moment between the press and the shelf."""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from funnel.domain.guides import GUIDE_LEASE


def _own_folder() -> Path:
    return Path(gettempdir()) / f"funnel-{os.getuid()}"


@dataclass(frozen=True)
class Workplace:
    """A folder that nobody else can read. Whoever dies at work leaves his job in it."""

    folder: Path = field(default_factory=_own_folder)

    @contextmanager
    def job(self) -> Iterator[Path]:
        """A folder for one print, gone at the end; raises OSError when it cannot be private."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self._refuse_strangers()
        with TemporaryDirectory(dir=self.folder, ignore_cleanup_errors=True) as own:
            yield Path(own)

    def clear(self) -> None:
        """Remove jobs that are older than a lease: nobody is at work on them any more.

        Their age is told by the disk's own time, which is right for whoever shares it.
        """
        with suppress(OSError):  # not there yet, or another worker is clearing too
            os.utime(self.folder)
            living = self.folder.stat().st_mtime - GUIDE_LEASE.total_seconds()
            for job in self.folder.iterdir():
                if job.stat().st_mtime < living:
                    shutil.rmtree(job, ignore_errors=True)

    def _refuse_strangers(self) -> None:
        found = self.folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise PermissionError("the folder for work belongs to somebody else")
