"""The editions and states of a personal guide, and how long its link lives."""

from datetime import timedelta
from enum import StrEnum

from funnel.domain.delivery import backoff

GUIDE_LINK_LIFE = timedelta(days=30)
GUIDE_LEASE = timedelta(seconds=60)
MAX_GUIDE_ATTEMPTS = 5
PLAIN_AFTER = 2  # failed attempts until the reader gets the plain edition meanwhile


class Edition(StrEnum):
    """What can be printed for a reader; the guide's own list is `blueprint.editions`."""

    GUIDE = "guide"
    TRACKER = "tracker"
    LARGE = "large"


class GuideState(StrEnum):
    """A print is served when it is ready; one that failed is tried again each hour."""

    REQUESTED = "requested"
    CLAIMED = "claimed"
    READY = "ready"
    FAILED = "failed"


def pause_after(attempt: int) -> timedelta:
    """The pause before try `attempt` + 1: none after the first, then the usual growing one."""
    return timedelta(0) if attempt < PLAIN_AFTER else backoff(attempt - 1, 0.5)
