"""Stand-ins for what an installation has not: a provider that keeps nothing, no name servers."""

from collections.abc import Sequence

from funnel.domain.names import UNANSWERED, Lookup, RecordKind


class NothingKept:
    """Of a provider that keeps nothing of the mails it hands on: there is nothing to erase."""

    def erase(self, addresses: Sequence[str]) -> None:
        """Nothing to do."""


class NoNameServers:
    """Where no mail leaves the machine, nobody is asked for names."""

    def look_up(self, name: str, kind: RecordKind) -> Lookup:
        del name, kind
        return UNANSWERED
