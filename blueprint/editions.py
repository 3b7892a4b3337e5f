"""The editions a guide can be pressed in, all from one input."""

from enum import StrEnum


class Edition(StrEnum):
    GUIDE = "guide"
    LARGE = "large"
    TRACKER = "tracker"
