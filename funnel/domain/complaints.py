"""Complaints about data protection: where one stands, and by when the law wants what."""

import calendar
import unicodedata
from datetime import date, timedelta
from enum import StrEnum

from funnel.domain.errors import InvalidInput

MAX_WORDS = 3000
ACKNOWLEDGE_WITHIN = timedelta(days=30)  # Data Protection Act 2018, section 164A
_KEPT_CONTROLS = "\n\t"


class ComplaintState(StrEnum):
    """Answered: told what came of it. Closed: nothing more is to be done."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


def acknowledge_by(received_on: date) -> date:
    """The last day on which it must be acknowledged."""
    return received_on + ACKNOWLEDGE_WITHIN


def answer_by(received_on: date) -> date:
    """A calendar month later: the law says "without undue delay", and so much is our promise."""
    year, month = divmod(received_on.month, 12)
    year, month = received_on.year + year, month + 1
    return date(year, month, min(received_on.day, calendar.monthrange(year, month)[1]))


def parse_words(raw: str) -> str:
    """What went wrong, as it is kept; raises InvalidInput when it is empty or over three thousand
    characters."""
    words = plain_words(raw)
    if not words:
        raise InvalidInput("words", "Please tell us what went wrong, in your own words.")
    if len(words) > MAX_WORDS:
        raise InvalidInput("words", f"Please keep it under {MAX_WORDS:,} characters.")
    return words


def plain_words(raw: str) -> str:
    """A text of several lines without control and direction characters."""
    text = unicodedata.normalize("NFC", raw.replace("\r\n", "\n").replace("\r", "\n"))
    kept = (c for c in text if c in _KEPT_CONTROLS or unicodedata.category(c)[0] != "C")
    return "".join(kept).strip()
