"""Tests of words against each other: everybody keeps their arm, and nobody has to remember it."""

import hashlib
from uuid import UUID

from funnel.domain.sequence import Step


def share(*parts: object) -> float:
    """A number from 0 up to, not at, 1 that is always the same for the same parts."""
    text = "/".join(str(part) for part in parts)
    digest = hashlib.sha256(text.encode()).digest()
    # A float holds 53 bits exactly; more could round up to 1.
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53


def arm_of(step: Step, *, sequence: str, handle: UUID) -> str | None:
    """The arm of this step's test that a person is in, by weight; None without a test."""
    point = share(handle, sequence, step.key) * sum(weight for _, weight in step.variants)
    for arm, weight in step.variants:
        point -= weight
        if point < 0:
            return arm
    return None
