"""The states of a personal guide and how long its link lives."""

from datetime import timedelta
from enum import StrEnum

GUIDE_LINK_LIFE = timedelta(days=30)
GUIDE_LEASE = timedelta(seconds=60)
MAX_GUIDE_ATTEMPTS = 5


class GuideState(StrEnum):
    """A guide is served only when it is ready; one that failed is tried again each hour."""

    REQUESTED = "requested"
    CLAIMED = "claimed"
    READY = "ready"
    FAILED = "failed"
