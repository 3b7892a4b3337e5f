"""Whether the mail clients that we promise can show a mail, by caniemail.com."""

from dataclasses import dataclass
from fnmatch import fnmatch

from tests.mails.caniemail_data import support
from tests.mails.html_features import Shown, features_of

# Any client shows these, so that caniemail.com has no page for them.
PLAIN = frozenset(
    {
        "css-color",
        "css-pseudo-class-root",  # holds `color-scheme` only: see there
    }
)


@dataclass(frozen=True)
class Excuse:
    """A feature that some clients lack, and why their readers miss nothing."""

    clients: tuple[str, ...]
    why: str


# Clients that are named here and no longer lack the feature are found by a test.
EXCUSED = {
    "html-style": Excuse(
        ("gmail/mobile-webmail",),
        "all that a mail needs is in the tags themselves; a picture without any sheet shows it",
    ),
    "css-at-media": Excuse(("outlook/windows",), "it holds small screens and the dark only"),
    "css-at-media-prefers-color-scheme": Excuse(
        ("gmail/*", "outlook/windows", "yahoo/*"),
        "they show the light mail, or turn its colours by themselves: each has its own ground",
    ),
    "css-color-scheme": Excuse(("gmail/*", "outlook/*", "yahoo/*"), "they stay light, as above"),
    "html-meta-color-scheme": Excuse(
        ("gmail/*", "apple-mail/ios", "outlook/*", "yahoo/*", "samsung-email/*"),
        "they stay light, as above; the property beside it tells the iPhone",
    ),
    "css-border-radius": Excuse(("outlook/windows",), "its corners are square"),
    "css-overflow": Excuse(
        ("outlook/windows",), "it cuts round corners, and Outlook has none; mso-hide hides there"
    ),
    "css-display-none": Excuse(("gmail/mobile-webmail",), "the preheader has no height there"),
    "css-max-height": Excuse(("outlook/windows",), "the preheader is hidden there by mso-hide"),
    "css-opacity": Excuse(
        ("gmail/mobile-webmail", "outlook/windows"),
        "one of four ways to hide the preheader; each client knows another of them",
    ),
    "css-word-break": Excuse(("yahoo/*",), "it breaks words too long for a line; we have none"),
    "css-word-spacing": Excuse(("outlook/windows",), "its value is the usual one"),
    "css-cursor": Excuse(
        ("gmail/*", "apple-mail/ios", "outlook/*", "yahoo/ios"), "its value is the usual one"
    ),
    "css-height": Excuse(("yahoo/*",), "it is about pictures, and there are none"),
    "css-outline": Excuse(("outlook/windows",), "it is about pictures, and there are none"),
    "html-target": Excuse(
        ("gmail/*", "outlook/outlook-com", "yahoo/*"), "they open links in a new window anyway"
    ),
    "html-aria-label": Excuse(("yahoo/*",), "it repeats the subject"),
    "html-body": Excuse(
        ("outlook/macos", "yahoo/*"), "its ground is that of the box inside it too"
    ),
    "html-doctype": Excuse(
        ("outlook/windows", "yahoo/android", "samsung-email/*"),
        "the layout is of tables, which look alike without it",
    ),
}


def lacking(html: str) -> dict[str, frozenset[str]]:
    """The features of a mail that clients lack, and which clients; excuses are not heard."""
    found: dict[str, frozenset[str]] = {}
    for shown in features_of(html):
        if shown.feature in support():
            missed = frozenset(client for client in shown.clients if _misses(shown, client))
            found[shown.feature] = found.get(shown.feature, frozenset()) | missed
    return {feature: clients for feature, clients in found.items() if clients}


def _misses(shown: Shown, client: str) -> bool:
    """Whether a client comes to this feature and cannot show it."""
    is_skipped = any(support().get(outer, {}).get(client) == "n" for outer in shown.within)
    return not is_skipped and support()[shown.feature][client] == "n"


def problems(html: str) -> tuple[str, ...]:
    """What clients cannot show and nobody excused, and what caniemail.com never heard of."""
    told = [
        f"{feature} is lacking in {', '.join(unexcused)}"
        for feature, clients in sorted(lacking(html).items())
        if (unexcused := sorted(each for each in clients if not is_excused(feature, each)))
    ]
    return (*told, *(f"{name} is not in the data" for name in _unheard_of(html)))


def _unheard_of(html: str) -> list[str]:
    return sorted({shown.feature for shown in features_of(html)} - support().keys() - PLAIN)


def is_excused(feature: str, client: str) -> bool:
    """Whether that client's readers are known to miss nothing by it."""
    return feature in EXCUSED and any(fnmatch(client, each) for each in EXCUSED[feature].clients)
