"""Versions of a sequence: where people of an older version stand in the newest one."""

from collections.abc import Sequence as Versions
from dataclasses import replace

from funnel.domain.sequence import Sequence


def with_history(versions: Versions[Sequence]) -> Sequence:
    """The newest of these versions, oldest first, knowing each step that it no longer has.

    A lost step leads to the nearest earlier step, in the last version that had it, which is
    still there; None stands for the start. Needs at least one version.
    """
    newest = versions[-1]
    kept = {step.key for step in newest.steps}
    gone: dict[str, str | None] = {}
    for version in versions[:-1]:
        nearest: str | None = None
        for step in version.steps:
            if step.key in kept:
                nearest = step.key
            else:
                gone[step.key] = nearest
    return replace(newest, gone=gone)
