"""Kind second looks at an address: a slip in a well-known domain, and domains that soon stop."""

from collections.abc import Collection
from dataclasses import dataclass

# Where most of our visitors read their mail; a slip is measured against these, in this order.
WELL_KNOWN = (
    "gmail.com", "hotmail.com", "hotmail.co.uk", "outlook.com", "yahoo.co.uk", "yahoo.com",
    "icloud.com", "live.co.uk", "live.com", "btinternet.com", "googlemail.com", "virginmedia.com",
    "talktalk.net", "ntlworld.com", "blueyonder.co.uk", "tiscali.co.uk", "protonmail.com",
    "sky.com", "aol.com", "msn.com", "nhs.net",
)  # fmt: skip
# Real homes of mail that look like a slip in one of the above.
NEIGHBOURS = frozenset({
    "mail.com", "email.com", "gmx.com", "ymail.com", "rocketmail.com", "fastmail.com", "hey.com",
    "inbox.com", "me.com", "mac.com", "msn.co.uk", "aol.co.uk", "gmx.co.uk", "hushmail.com",
    "yahoo.ca", "yahoo.co.in", "yahoo.co.nz", "yahoo.co.za", "yahoo.co.id", "hotmail.ca",
})  # fmt: skip
SHORTEST_GUESSED = 5  # letters of a name; in shorter ones a letter more or less is another name


@dataclass(frozen=True)
class Hint:
    """What to ask about an address. `suggestion` is the address that may have been meant; without
    one the domain is known to throw its mail away."""

    suggestion: str | None = None


def hint_for(mailbox: str, throwaway: Collection[str]) -> Hint | None:
    """The hint for a parsed address, by nothing but its letters; None when it looks right."""
    local, _, host = mailbox.rpartition("@")
    meant = meant_domain(host)
    if meant is not None:
        return Hint(f"{local}@{meant}")
    labels = host.split(".")
    ends = (".".join(labels[at:]) for at in range(len(labels) - 1))
    return Hint() if any(end in throwaway for end in ends) else None


def meant_domain(host: str) -> str | None:
    """The well-known domain that a host is one slip away from; None when it is none of them."""
    if host in WELL_KNOWN or host in NEIGHBOURS:
        return None
    return next((known for known in WELL_KNOWN if _is_slip(host, known)), None)


def _is_slip(typed: str, known: str) -> bool:
    """One slip in the name or in what follows it, or the first dot left out."""
    name, _, ending = known.partition(".")
    if typed == name + ending:
        return True
    typed_name, _, typed_ending = typed.partition(".")
    if typed_name == name:
        return are_a_slip_apart(typed_ending, ending)
    is_long = len(name) >= SHORTEST_GUESSED
    return is_long and typed_ending == ending and are_a_slip_apart(typed_name, name)


def are_a_slip_apart(first: str, second: str) -> bool:
    """True when one letter was added, lost, changed, or swapped with the one beside it."""
    if abs(len(first) - len(second)) > 1 or first == second:
        return False
    start = next((at for at, pair in enumerate(zip(first, second, strict=False))
                  if pair[0] != pair[1]), min(len(first), len(second)))  # fmt: skip
    left, right = first[start:], second[start:]
    is_swap = len(left) > 1 and left[:2] == right[1::-1] and left[2:] == right[2:]
    return is_swap or left[1:] == right[1:] or left[1:] == right or left == right[1:]
