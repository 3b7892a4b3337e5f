"""The therapist's phone: an authenticator app that knows one secret."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from flask.testing import FlaskClient
from pyotp import TOTP

from tests.support.desk import csrf_of_page, text_of
from tests.support.house import House

SET_UP = "/desk/account/second-step"
DOOR = "/desk/second-step"


@dataclass(frozen=True)
class Phone:
    """Shows the code of an instant."""

    secret: str

    def code(self, when: datetime) -> str:
        return TOTP(self.secret).at(when)


def scan(page: str) -> Phone:
    """What an app reads from the link of the set-up page."""
    link = re.search(r'href="(otpauth://[^"]+)"', page)
    assert link, page
    address = urlsplit(link.group(1).replace("&amp;", "&"))
    return Phone(parse_qs(address.query)["secret"][0])


def set_up_phone(
    house: House, desk: FlaskClient, site: str = "http://localhost"
) -> tuple[Phone, list[str]]:
    """Switch the second step on from a signed-in browser; the phone, and the codes on paper.

    Half a minute goes by, so that the phone shows a code that was not used yet.
    """
    page = desk.get(SET_UP, base_url=site).text
    phone = scan(page)
    code = phone.code(house.clock.machine())
    form = {"csrf": csrf_of_page(page), "code": code}
    answer = desk.post(SET_UP, data=form, base_url=site)
    assert answer.status_code == 200, text_of(answer)
    house.clock.advance(timedelta(seconds=30))
    return phone, re.findall(r"<li><code>([^<]+)</code>", answer.text)
