"""Ten thousand requests: the confirm mail is no weapon (reliability A1)."""

from datetime import timedelta
from ipaddress import IPv6Address

from sqlalchemy import func, select

from funnel.db.mail import Message
from funnel.db.people import Subscriber
from funnel.domain.evidence import Evidence, limit_key
from funnel.domain.people import parse_address
from funnel.services import signup
from tests.support import make
from tests.support.house import House
from tests.support.steps import CONFIRM

MANY = 10_000
AT_ONCE = 250  # requests to a transaction: the limits are the same, and the disk has less to do
SPELLINGS = (
    "victim@example.org", "VICTIM@example.org", "Victim+{}@Example.ORG", "victim+a{}@example.org",
)  # fmt: skip


def bomb(house: House, posts: list[tuple[str, str]]) -> None:
    """Ask for the guide with each address, from each network's address."""
    for start in range(0, len(posts), AT_ONCE):
        with house.rt.sessions.begin() as session:
            for email, ip in posts[start : start + AT_ONCE]:
                signup.request_guide(
                    session,
                    signup.SignupRequest(
                        parse_address(email),
                        None,
                        wants_series=True,
                        wants_health=False,
                        touch=make.TOUCH,
                        time_zone=None,
                        evidence=Evidence("/signup", "landing-1", "192.0.2.0", "a robot"),
                    ),
                    now=house.clock.now(),
                    links=house.rt.links,
                    keeper=house.rt.keeper,
                    ip_key=limit_key(ip),
                )


def count_of(house: House, table: type) -> int:
    with house.rt.reading.begin() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_ten_thousand_posts_of_one_address_are_one_mail(house: House) -> None:
    """From a hundred networks, in every spelling there is."""
    posts = [
        (SPELLINGS[number % len(SPELLINGS)].format(number), f"198.51.100.{number % 100}")
        for number in range(MANY)
    ]
    bomb(house, posts)
    house.work()
    assert len(house.mailer.offered) == 1
    assert house.mailer.offered[0].to_address == "victim@example.org"


def test_ten_thousand_addresses_from_one_network_are_at_most_twenty_mails(house: House) -> None:
    """A day of it, from ever new addresses of one IPv6 network of 64 bits."""
    network = int(IPv6Address("2001:db8:1:2::"))
    for hour in range(25):
        bomb(
            house,
            [
                (f"victim{hour}-{number}@example.org", str(IPv6Address(network + hour + number)))
                for number in range(MANY // 25)
            ],
        )
        house.clock.advance(timedelta(hours=1))
    house.work()
    assert 0 < len(house.mailer.offered) <= 20
    assert count_of(house, Subscriber) <= 20, "nothing is kept of the others"
    with house.rt.reading.begin() as session:
        assert set(session.scalars(select(Message.mail_key))) == {CONFIRM}
