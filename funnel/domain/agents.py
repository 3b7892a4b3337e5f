"""Programs that follow links by themselves, by what they say of themselves."""

import re

_ROBOTS = (
    r"(?<!cu)bot",  # a Cubot is a telephone
    "crawl", "spider", "preview", "monitor", "curl", "python", "headless", "http-client",
    "httpclient", "go-http", "java/", "libwww", "okhttp", "wget", "axios", "node-fetch", "ruby",
)  # fmt: skip
# Mail gateways, safe-link services and image proxies of mail providers.
_MAIL_SCANNERS = (
    "scan", "barracuda", "mimecast", "proofpoint", "urldefense", "symantec", "messagelabs",
    "trendmicro", "sophos", "fireeye", "trellix", "mcafee", "fortinet", "fortimail", "cisco",
    "ironport", "kaspersky", "forcepoint", "avanan", "check point", "bitdefender", "zscaler",
    "cloudmark", "area1", "area 1", "vade", "hornetsecurity", "abusix", "safelinks",
    "ms-office", "msoffice", "microsoft office", "office protocol", "googleimageproxy",
    "yahoomailproxy", "facebookexternalhit", "whatsapp", "slack", "skypeuri", "virustotal",
    "phishtank", "netcraft", "palo alto", "paloalto",
)  # fmt: skip
_MACHINE = re.compile("|".join((*_ROBOTS, *_MAIL_SCANNERS)), re.IGNORECASE)


def is_machine(agent: str) -> bool:
    """True for an agent that is no person's browser, as far as it says so; also for none at all."""
    return not agent or _MACHINE.search(agent) is not None
