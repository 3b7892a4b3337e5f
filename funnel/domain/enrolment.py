"""The states of a person's place in a sequence."""

from enum import StrEnum


class EnrolmentState(StrEnum):
    """Only an active enrolment sends; a held or paused one keeps its place."""

    ACTIVE = "active"
    PAUSED = "paused"
    HELD = "held"
    FINISHED = "finished"
    EXITED = "exited"
    STOPPED = "stopped"


# The states in which a person has a place that mail may still come from.
LIVE = frozenset({EnrolmentState.ACTIVE, EnrolmentState.PAUSED, EnrolmentState.HELD})
