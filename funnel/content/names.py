"""The links a mail may hold: by name to our own pages, or whole to a few outside sites."""

from urllib.parse import urlsplit

DAY_LINKS = tuple(f"day-{number}" for number in range(1, 6))
SERVICE_LINKS = frozenset({"confirm", "confirm-change", "keep-address", "my-data"})
PITCH_LINKS = frozenset({"challenge", "programme", "booking", *DAY_LINKS})
LINK_NAMES = frozenset(
    {"guide", "website", "safety", "privacy", "preferences"} | PITCH_LINKS | SERVICE_LINKS
)
# Pages of ours whose visitors are counted by the mail they come from. Not the warning signs: who
# looks at them is nobody's business.
COUNTED_LINKS = frozenset({"guide", "challenge", "programme", *DAY_LINKS})
FOOTER_LINKS = frozenset({"privacy", "safety"})
MARKETING_LINKS = frozenset({"preferences", "unsubscribe"})
_SCHEME = "link:"


def link_name(target: str) -> str | None:
    """The name in "link:name"; None for any other target."""
    return target.removeprefix(_SCHEME) if target.startswith(_SCHEME) else None


def outside_host(target: str) -> str | None:
    """The host of a plain https address; None for anything else."""
    if not target.isascii() or any(char in target for char in " \"'<>\\{}`"):
        return None
    try:
        parts = urlsplit(target)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme != "https" or parts.username is not None or port is not None:
        return None
    return parts.hostname


def link_problem(target: str, hosts: frozenset[str] | None = None) -> str | None:
    """What is wrong with a link's target, and how to mend it; None when it is right.

    `hosts` are the outside sites allowed; None leaves that question open.
    """
    name = link_name(target)
    if name is not None:
        return _name_problem(name)
    host = outside_host(target)
    if host is None:
        return (
            f"the link to '{target[:60]}' cannot be used: name one of our own pages, as in "
            "[words](link:guide), or give a whole https:// address"
        )
    if hosts is not None and host not in hosts:
        return f"links to {host} are not allowed: add it to link_hosts in brand.yaml, or remove it"
    return None


def _name_problem(name: str) -> str | None:
    if name in LINK_NAMES:
        return None
    known = ", ".join(sorted(LINK_NAMES))
    return f"there is no page named '{name[:40]}': use one of {known}"
