"""Reads a sequence of mails: who enters, who leaves, and when each mail is due."""

from collections.abc import Set as AbstractSet

from funnel.content.findings import Findings
from funnel.content.models import check
from funnel.content.sequence_checks import check_steps, check_whole
from funnel.content.sequence_lines import (
    ConditionLines,
    SequenceLines,
    StepLines,
    WaitLines,
    WayLines,
)
from funnel.content.yaml_source import read_yaml
from funnel.domain.errors import ContentInvalid
from funnel.domain.sequence import Condition, Sequence, Step, WaitFor, Way


def parse_sequence(source: str, where: str, patterns: AbstractSet[str] | None = None) -> Sequence:
    """The sequence in a source text; raises ContentInvalid with every problem at once.

    With `patterns` it may name no other pattern of the self-check.
    """
    found = Findings(where)
    document = read_yaml(source, found)
    lines = None
    if document is not None:
        lines = check(SequenceLines, document, found)
        check_whole(document, found)
        check_steps(document, found, patterns)
    if lines is None or found.items:
        raise ContentInvalid(found.items)
    return _sequence(lines)


def mail_keys(sequence: Sequence) -> frozenset[str]:
    """The keys of all mails this sequence may send: `step`, or `step.arm` for each arm."""
    return frozenset(
        key
        for step in sequence.steps
        if not step.ways
        for key in ([f"{step.key}.{arm}" for arm, _ in step.variants] or [step.key])
    )


def _sequence(lines: SequenceLines) -> Sequence:
    return Sequence(
        key=lines.key,
        title=lines.title,
        purpose=lines.purpose,
        steps=tuple(_step(step) for step in lines.steps),
        starts_on=lines.starts_on,
        follows=lines.follows,
        exits_on=lines.exits_on,
        min_gap=lines.min_gap,
        window=lines.window,
        again_after=lines.again_after,
        priority=lines.priority,
        keeps_clinic_days=lines.on_closed_days == "wait",
    )


def _step(step: StepLines) -> Step:
    return Step(
        key=step.key,
        delay=step.after,
        at=step.at,
        weekdays=step.weekdays,
        skip_if=step.skip_if,
        expires_after=step.expires_after,
        only_if=_condition(step.only_if) if step.only_if else None,
        wait_for=_wait(step.wait_for) if step.wait_for else None,
        window=step.window,
        ways=tuple(_way(way) for way in step.ways),
        variants=tuple(step.variants.items()),
    )


def _condition(lines: ConditionLines) -> Condition:
    return Condition(
        has=lines.has,
        lacks=lines.lacks,
        source=lines.source,
        pattern=lines.pattern,
        days_done=lines.days_done,
    )


def _wait(lines: WaitLines) -> WaitFor:
    return WaitFor(lines.any_, lines.at_most, or_skip=lines.or_ == "skip")


def _way(lines: WayLines) -> Way:
    return Way(lines.go_to, _condition(lines.if_) if lines.if_ else Condition())
