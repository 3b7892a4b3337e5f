"""Thirty programs that open the links of mails before, or instead of, a person.

Each with where it is known from: CUA is the collection crawler-user-agents of monperrus on GitHub;
GUIDE the field guides to scanners' clicks of live-direct-marketing and suped (2025, 2026), which
give the name such a scanner calls itself. The last ones call themselves an ordinary browser: by
their words alone nobody can tell them, so nothing may depend on it.
"""

from dataclasses import dataclass

CUA, GUIDE = "crawler-user-agents", "field guides to scanners' clicks"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"


@dataclass(frozen=True)
class Scanner:
    """What it says it is, where that is known from, and whether it owns up to be a machine."""

    agent: str
    known_from: str
    owns_up: bool = True


SCANNERS = (
    Scanner("Barracuda Sentinel (EE)", GUIDE),
    Scanner("Mozilla/5.0 (compatible; BarracudaSentinel/1.0)", GUIDE),
    Scanner("Mozilla/5.0 (compatible; proofpoint URL Defense)", GUIDE),
    Scanner("Mimecast Link Protection", GUIDE),
    Scanner("CiscoSecureEmail", GUIDE),
    Scanner("Cisco IronPort Email Security", GUIDE),
    Scanner("Symantec Click-time URL Protection", GUIDE),
    Scanner("Sophos Time-of-Click", GUIDE),
    Scanner("FortiMail URL Click Protection", GUIDE),
    Scanner("TrendMicro Email Security (TMES)", GUIDE),
    Scanner("Forcepoint Email Security", GUIDE),
    Scanner("Cloudmark", GUIDE),
    Scanner("Vade Secure", GUIDE),
    Scanner("Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0; ms-office)", GUIDE),
    Scanner("Microsoft Office Outlook Safe Links Scanner", GUIDE),
    Scanner("Apache-HttpClient/4.5.14 (Java/17.0.9)", GUIDE),
    Scanner("Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 "
            "(via ggpht.com GoogleImageProxy)", CUA),
    Scanner("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", CUA),
    Scanner("Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5", CUA),
    Scanner(f"{WINDOWS} Chrome/103.0.5060.134 Safari/537.36 BingPreview/1.0b", CUA),
    Scanner("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", CUA),
    Scanner("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", CUA),
    Scanner("WhatsApp/2.23.8.0 A", CUA),
    Scanner("python-requests/2.22.0", CUA),
    Scanner("Go-http-client/2.0", CUA),
    Scanner("Wget/1.20.3 (linux-gnu)", CUA),
    Scanner("", GUIDE),
    Scanner(f"{WINDOWS} Chrome/120.0.0.0 Safari/537.36", GUIDE, owns_up=False),
    Scanner(f"{WINDOWS} Chrome/120.0.0.0 Safari/537.36 Edg/120.0.0.0", GUIDE, owns_up=False),
    Scanner("Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 "
            "(KHTML, like Gecko) Version/17.2 Mobile/15E148 Safari/604.1", GUIDE, owns_up=False),
)  # fmt: skip

# People's own browsers, telephones with unlucky names among them.
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
ANDROID = "Mozilla/5.0 (Linux; Android 14; {}) AppleWebKit/537.36 (KHTML, like Gecko) {}"
BROWSERS = (
    f"{WINDOWS} Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
    f"{MAC} Version/18.1 Safari/605.1.15",
    ANDROID.format("SM-S918B", "SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36"),
    ANDROID.format("CUBOT X19", "Chrome/120.0.0.0 Mobile Safari/537.36"),
    ANDROID.format("Pixel 7", "Chrome/130.0.0.0 Mobile Safari/537.36 Instagram 356.0.0.0"),
)
