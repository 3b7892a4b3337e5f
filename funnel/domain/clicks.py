"""Links in mails that were followed: which mail, and whether by a person or by a machine."""

import base64
import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MARK_CHARACTERS = 6
SCANNED_WITHIN = timedelta(seconds=10)  # of a mail's acceptance: nobody reads that fast
BURST_SECONDS = 2.0
BURST_PAGES = 3
MANY_VISITS = 50  # within these seconds nobody opens so many; more of them need not be looked at
MANY_SECONDS = 120.0


class ClickKind(StrEnum):
    """Who followed a link, as far as can be told."""

    PERSON = "person"
    MACHINE = "machine"


@dataclass(frozen=True)
class Visit:
    """One look at a page behind a link. `page` tells it from the other pages of the same person.

    `mark` is the mail it came from, empty when it came from none. `at` is funnel time, `second`
    the machine's seconds since it started.
    """

    page: str
    mark: str
    at: datetime
    second: float
    says_machine: bool


def mark_of(mail_key: str) -> str:
    """A short code for a mail, for its links: it says nothing to whoever reads the address."""
    digest = hashlib.sha256(mail_key.encode()).digest()
    return base64.b32encode(digest).decode()[:MARK_CHARACTERS].lower()


def kind_of(visit: Visit, others: Collection[Visit], accepted_at: datetime) -> ClickKind:
    """Whether a person or a machine followed a link of a mail that was accepted then.

    A machine says so, comes within ten seconds of the mail, opens three pages of one person within
    two seconds, or fifty times any page within two minutes. `others` are that person's visits
    around that time, this one included; the last fifty are enough.
    """
    is_early = visit.at - accepted_at < SCANNED_WITHIN
    if visit.says_machine or is_early or _is_flood(others) or _is_burst(visit, others):
        return ClickKind.MACHINE
    return ClickKind.PERSON


def _is_flood(visits: Collection[Visit]) -> bool:
    seconds = [each.second for each in visits]
    return len(seconds) >= MANY_VISITS and max(seconds) - min(seconds) <= MANY_SECONDS


def _is_burst(visit: Visit, others: Collection[Visit]) -> bool:
    """Whether this visit lies among many different ones within two seconds."""
    near = [each for each in others if abs(each.second - visit.second) <= BURST_SECONDS]
    starts = (each.second for each in near)
    return any(
        len({each.page for each in near if 0 <= each.second - start <= BURST_SECONDS})
        >= BURST_PAGES
        for start in starts
        if start <= visit.second
    )
