"""Whether our mail will be believed: what was found, what it means, what to put into the DNS."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class Light(StrEnum):
    """How a finding stands. Series mail waits while one is red, or was never known."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Record:
    """A record to put into the DNS of a domain, as its settings page asks for it."""

    kind: str
    name: str
    value: str


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: how it stands, what was found, why it matters, and the mend.

    `key` is the same at every look, with the domain where there may be several. `why` stays
    empty where all is well.
    """

    key: str
    light: Light
    title: str
    say: str
    why: str = ""
    records: tuple[Record, ...] = ()

    @property
    def is_in_the_way(self) -> bool:
        """True when series mail has to wait for it."""
        return self.light in {Light.RED, Light.UNKNOWN}


@dataclass(frozen=True)
class Report:
    """Everything found at one look, by the machine's time; `setup` is the mark of what was found
    so, see MailSetup.
    """

    at: datetime
    findings: tuple[Finding, ...]
    setup: str = ""

    @property
    def light(self) -> Light:
        """The worst of its findings."""
        return max((finding.light for finding in self.findings), key=_weight, default=Light.UNKNOWN)

    @property
    def worst_first(self) -> tuple[Finding, ...]:
        """The findings, those first that ask for something."""
        return tuple(sorted(self.findings, key=lambda each: -_weight(each.light)))

    @property
    def in_the_way(self) -> tuple[Finding, ...]:
        """What series mail has to wait for."""
        return tuple(finding for finding in self.findings if finding.is_in_the_way)

    def after(self, last: "Report | None") -> "Report":
        """This look, where a thing that could not be seen stands as it did at the look before.

        A name server that is away for an hour must stop nobody whose records were right.
        """
        known = {finding.key: finding for finding in last.findings} if last else {}
        return replace(self, findings=tuple(_stands(each, known) for each in self.findings))


def _stands(finding: Finding, known: dict[str, Finding]) -> Finding:
    before = known.get(finding.key)
    if finding.light is not Light.UNKNOWN or before is None:
        return finding
    return before


def _weight(light: Light) -> int:
    return (Light.GREEN, Light.AMBER, Light.UNKNOWN, Light.RED).index(light)


NEVER_LOOKED = "Nobody has looked yet whether mail in your name will be believed."


def why_wait(report: Report | None, excused: Collection[str]) -> str | None:
    """Why series mail must wait, in one sentence; None when it may go.

    `excused` are the keys of findings that somebody chose to send in spite of.
    """
    if report is None:
        return NEVER_LOOKED
    left = [finding.title for finding in report.in_the_way if finding.key not in excused]
    if not left:
        return None
    return f"Mail in your name may not be believed yet: {', '.join(dict.fromkeys(left))}."
