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
