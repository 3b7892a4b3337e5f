"""First touch: where a visitor came from, as the landing address and the referrer tell it."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

MAX_CHARACTERS = 200
MAX_PATH_CHARACTERS = 100
DIRECT = "direct"

_SOURCES = {
    "bing.com": "bing",
    "duckduckgo.com": "duckduckgo",
    "ecosia.org": "ecosia",
    "facebook.com": "facebook",
    "instagram.com": "instagram",
    "linkedin.com": "linkedin",
    "lnkd.in": "linkedin",
    "pinterest.com": "pinterest",
    "reddit.com": "reddit",
    "t.co": "x",
    "threads.net": "threads",
    "tiktok.com": "tiktok",
    "x.com": "x",
    "yahoo.com": "yahoo",
    "youtube.com": "youtube",
}
_SEARCH_LABEL = "google"  # google.com, google.co.uk and every other country's


@dataclass(frozen=True)
class FirstTouch:
    """Where a person came from. Every text is cleaned and at most 200 characters long."""

    source: str
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    referrer: str | None = None
    landing_page: str | None = None


def first_touch(
    args: Mapping[str, str], referrer: str | None, own_host: str, landing_page: str | None = None
) -> FirstTouch:
    """Read the utm values of the landing address and the referrer; total for any input.

    Of the referrer only host and path are kept, and nothing of our own pages. The source is the
    utm source, else the referrer's known name or host, else "direct".
    """
    utm_source = _clean(args.get("utm_source"))
    host, page = _outside_page(referrer, own_host)
    return FirstTouch(
        source=(utm_source or _source_of(host)).lower(),
        utm_source=utm_source,
        utm_medium=_clean(args.get("utm_medium")),
        utm_campaign=_clean(args.get("utm_campaign")),
        referrer=page,
        landing_page=_clean(landing_page),
    )


def _clean(text: str | None) -> str | None:
    """The text without control or direction characters, on one line; None when nothing is left."""
    head = (text or "")[: 2 * MAX_CHARACTERS]
    kept = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in head)
    return " ".join(kept.split())[:MAX_CHARACTERS].strip() or None


def _outside_page(referrer: str | None, own_host: str) -> tuple[str, str | None]:
    """The host and the address, without query, of a web page that is not ours."""
    try:
        parts = urlsplit(_clean(referrer) or "")
        host = parts.hostname or ""
        is_ours = host == (urlsplit(f"//{own_host}").hostname or "")
    except ValueError:
        return "", None
    if parts.scheme not in {"http", "https"} or not host or is_ours:
        return "", None
    return host, f"{parts.scheme}://{host}{parts.path[:MAX_PATH_CHARACTERS]}"[:MAX_CHARACTERS]


def _source_of(host: str) -> str:
    if not host:
        return DIRECT
    labels = host.removeprefix("www.").split(".")
    if _SEARCH_LABEL in labels[-3:-1]:
        return _SEARCH_LABEL
    endings = (".".join(labels[at:]) for at in range(len(labels) - 1))
    return next((_SOURCES[name] for name in endings if name in _SOURCES), ".".join(labels))
