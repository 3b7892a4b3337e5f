"""DMARC (RFC 7489): what a domain asks to be done with mail that only pretends to be its own."""

from dataclasses import dataclass

from funnel.domain.dkim import read_tags
from funnel.domain.names import Lookup, organisation_of

_POLICIES = frozenset({"none", "quarantine", "reject"})


@dataclass(frozen=True)
class Dmarc:
    """The rule a domain publishes. `policy` is empty when it cannot be understood."""

    policy: str
    is_strict_dkim: bool = False
    is_strict_spf: bool = False

    def aligns_signature(self, author: str, signer: str) -> bool:
        """Whether a signature of `signer` speaks for mail from `author`."""
        return _aligns(author, signer, is_strict=self.is_strict_dkim)

    def aligns_return_path(self, author: str, return_path: str) -> bool:
        """Whether SPF of that return path speaks for mail from `author`."""
        return _aligns(author, return_path, is_strict=self.is_strict_spf)


def read_dmarc(found: Lookup) -> tuple[Dmarc, ...]:
    """Every DMARC record among these values."""
    return tuple(_read(value) for value in found.values if value.lower().startswith("v=dmarc1"))


def _read(text: str) -> Dmarc:
    tags = read_tags(text)
    policy = tags.get("p", "").lower()
    return Dmarc(
        policy if policy in _POLICIES else "",
        is_strict_dkim=tags.get("adkim", "r").lower() == "s",
        is_strict_spf=tags.get("aspf", "r").lower() == "s",
    )


def _aligns(author: str, other: str, *, is_strict: bool) -> bool:
    if is_strict:
        return author.lower() == other.lower()
    return organisation_of(author) == organisation_of(other)
