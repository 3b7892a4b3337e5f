"""What each mail client can show, by caniemail.com, cut down to the clients that we promise.

To renew it: `npm pack caniemail`, unpack it, then
`python -m tests.mails.caniemail_data package/data/caniemail.json VERSION`.
"""

import json
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "support" / "data" / "caniemail.json"
PAGE = "https://www.caniemail.com/features/"
CLIENTS = (
    "gmail/desktop-webmail", "gmail/ios", "gmail/android", "gmail/mobile-webmail",
    "apple-mail/macos", "apple-mail/ios",
    "outlook/windows", "outlook/macos", "outlook/outlook-com", "outlook/ios", "outlook/android",
    "yahoo/desktop-webmail", "yahoo/ios", "yahoo/android",
    "samsung-email/android",
)  # fmt: skip


@cache
def support() -> Mapping[str, Mapping[str, str]]:
    """For each feature what its newest test found: "y", "a" for in part, "n" or "u", by client."""
    marks: dict[str, str] = json.loads(DATA.read_text("utf-8"))["features"]
    return {feature: dict(zip(CLIENTS, found, strict=True)) for feature, found in marks.items()}


def cut_down(features: Any) -> dict[str, str]:
    """The package's features with a letter for each of our clients: the last of its tests."""
    return {
        feature["slug"]: "".join(_newest(feature["stats"], client) for client in CLIENTS)
        for feature in features
    }


def _newest(stats: Any, client: str) -> str:
    family, _, platform = client.partition("/")
    tests: dict[str, str] = stats.get(family, {}).get(platform, {})
    return list(tests.values())[-1][0] if tests else "u"


if __name__ == "__main__":
    source, version = Path(sys.argv[1]), sys.argv[2]
    whole = json.loads(source.read_text("utf-8"))
    kept = {
        "source": f"npm package caniemail {version}, data of {whole['last_update_date'][:10]}",
        "clients": CLIENTS,
        "features": cut_down(whole["data"]),
    }
    DATA.write_text(f"{json.dumps(kept, indent=1)}\n", "utf-8")
