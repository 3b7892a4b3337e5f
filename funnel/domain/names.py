"""The domain name system in values: what was found under a name, and whose a domain is."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class RecordKind(StrEnum):
    """The kinds of records that say whether mail may be trusted."""

    TXT = "TXT"
    CNAME = "CNAME"
    MX = "MX"
    A = "A"
    AAAA = "AAAA"


@dataclass(frozen=True)
class Lookup:
    """What stands under a name. Nothing there is an answer too; `is_known` is False when none came.

    Values are as written: the strings of a TXT joined, an MX as "10 mx.example.org", names in
    small letters without the last dot.
    """

    values: tuple[str, ...] = ()
    is_known: bool = True


LookUp = Callable[[str, RecordKind], Lookup]
UNANSWERED = Lookup(is_known=False)

# Endings below which anybody may register a name. The whole public list is long and changes; these
# are the ones that a practice in Britain or nearby is likely to have.
_ENDINGS = {
    "uk": frozenset({"ac", "co", "gov", "ltd", "me", "net", "nhs", "org", "plc", "sch"}),
    "au": frozenset({"asn", "com", "edu", "gov", "id", "net", "org"}),
    "nz": frozenset({"ac", "co", "geek", "gen", "kiwi", "maori", "net", "org", "school"}),
    "za": frozenset({"ac", "co", "net", "org", "web"}),
    "com": frozenset({"br", "eu", "gb", "uk", "us"}),
    "net": frozenset({"gb", "uk"}),
}

# Their owners forbid others to send in their name, so such a mail is refused (DMARC p=reject).
FREE_MAIL = frozenset(
    {
        "aol.com", "btinternet.com", "gmail.com", "gmx.co.uk", "gmx.com", "gmx.de", "gmx.net",
        "googlemail.com", "hotmail.co.uk", "hotmail.com", "icloud.com", "live.co.uk", "live.com",
        "mac.com", "mail.com", "me.com", "msn.com", "ntlworld.com", "outlook.com", "pm.me",
        "proton.me", "protonmail.com", "sky.com", "talktalk.net", "tiscali.co.uk",
        "virginmedia.com", "yahoo.co.uk", "yahoo.com", "yandex.com", "ymail.com",
        "zoho.com",
    }
)  # fmt: skip


def domain_of(address: str) -> str:
    """The domain of a mail address, in small letters."""
    return address.rpartition("@")[2].lower().rstrip(".")


def organisation_of(domain: str) -> str:
    """The name that somebody registered, of a name below it: "mail.practice.co.uk" is of
    "practice.co.uk"."""
    labels = domain.lower().rstrip(".").split(".")
    is_deep = len(labels) > 2 and labels[-2] in _ENDINGS.get(labels[-1], frozenset())
    return ".".join(labels[-3:] if is_deep else labels[-2:])


def is_free_mail(domain: str) -> bool:
    """True for the large mailbox providers, whose names are not ours to send from."""
    return domain.lower() in FREE_MAIL
