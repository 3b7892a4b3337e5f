"""SendGrid's key and region, read from MAIL_URL."""

from urllib.parse import parse_qs

from funnel.domain.errors import SettingInvalid

SITES = {"global": "https://api.sendgrid.com", "eu": "https://api.eu.sendgrid.com"}


def read_sendgrid_url(url: str) -> tuple[str, str]:
    """The key and the address of the API in `sendgrid://KEY` or `sendgrid://KEY?region=eu`.

    Raises SettingInvalid.
    """
    key, _, query = url.removeprefix("sendgrid://").partition("?")
    asked = parse_qs(query, keep_blank_values=True)
    region = asked.pop("region", ["global"])[-1]
    if asked or region not in SITES:
        raise SettingInvalid("MAIL_URL may say nothing after the key but ?region=eu.")
    return key, SITES[region]
