"""The second step of signing in: codes of a phone's app, and codes on paper for a lost phone."""

import re
from datetime import datetime

STEP_SECONDS = 30
APP_CODE_DIGITS = 6
RECOVERY_CODES = 10
# Without letters and digits that are taken for each other. Twelve of them are 59 bits.
PAPER_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
PAPER_CHARACTERS = 12
_GROUP = 4


def open_steps(now: datetime, last_used: int | None) -> tuple[int, ...]:
    """The steps of thirty seconds whose codes count now: this one and the one before.

    The one before is for those who type slowly. A step that was used, and all before it, are over.
    """
    current = int(now.timestamp()) // STEP_SECONDS
    return tuple(step for step in (current, current - 1) if last_used is None or step > last_used)


def plain_code(typed: str) -> str:
    """A code as it is compared: without the spaces and hyphens of its groups, in small letters."""
    return re.sub(r"[\s-]", "", typed).lower()


def is_app_code(plain: str) -> bool:
    """True for the shape of a code of the app; anything else may be one on paper."""
    return len(plain) == APP_CODE_DIGITS and plain.isascii() and plain.isdigit()


def spelled(code: str) -> str:
    """A code on paper in groups that can be read out: `abcd-efgh-jkmn`."""
    return "-".join(code[at : at + _GROUP] for at in range(0, len(code), _GROUP))
