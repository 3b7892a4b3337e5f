"""The evidence kept with a consent."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

MACHINE_SECONDS = 1.0


@dataclass(frozen=True)
class Evidence:
    """How a consent was given: page, form, shortened address, browser, seconds on the page."""

    page_url: str
    form_version: str
    ip_truncated: str
    user_agent: str
    seconds_on_page: float | None = None


def looks_like_machine(seconds_on_page: float | None) -> bool:
    """True for a button that was pressed within a second of its page being shown."""
    return seconds_on_page is not None and seconds_on_page < MACHINE_SECONDS


def truncate_ip(raw: str) -> str:
    """The network of an address: the first three bytes of IPv4, the first 48 bits of IPv6."""
    try:
        address = _address(raw)
    except ValueError:
        return "unknown"
    bits = 24 if address.version == 4 else 48
    return str(ip_network((address, bits), strict=False).network_address)


def limit_key(raw: str) -> str:
    """What counts as one visitor for limits: an IPv4 address, or an IPv6 network of 64 bits."""
    try:
        address = _address(raw)
    except ValueError:
        return "unknown"
    if address.version == 4:
        return str(address)
    return str(ip_network((address, 64), strict=False))


def _address(raw: str) -> IPv4Address | IPv6Address:
    """The address; the IPv4 one where it is only dressed as IPv6, as `::ffff:192.0.2.7` is."""
    address = ip_address(raw)
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
