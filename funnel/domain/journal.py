"""What must not be forgotten with a restored database: erasures, and people who said stop."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Done(StrEnum):
    """What was done about an address."""

    ERASED = "erased"
    SUPPRESSED = "suppressed"
    WITHDREW = "withdrew"


@dataclass(frozen=True)
class Entry:
    """One line of the journal. The address is a keyed hash; `about` says which reason or purpose.

    `at` is the funnel's time.
    """

    at: datetime
    done: Done
    address_hash: str
    about: str = ""
