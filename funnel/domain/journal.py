"""What must not be forgotten with a restored database: erasures, people who said stop, and who
moved to another address."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Done(StrEnum):
    """What was done about an address."""

    ERASED = "erased"
    SUPPRESSED = "suppressed"
    WITHDREW = "withdrew"
    MOVED = "moved"


@dataclass(frozen=True)
class Entry:
    """One line of the journal. The address is a keyed hash; `about` says which reason or purpose,
    or is the hash of the address that a person moved to.

    `at` is the funnel's time.
    """

    at: datetime
    done: Done
    address_hash: str
    about: str = ""
