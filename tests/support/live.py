"""A house in production, with SendGrid and a name server on loopback."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from funnel.adapters.clocks import SystemClock
from funnel.adapters.name_servers import DnsResolver
from funnel.adapters.sendgrid_account import SendGridAccount
from funnel.adapters.sendgrid_api import Patience, SendGridApi
from funnel.adapters.sendgrid_lists import SendGridErasure, SendGridLists
from funnel.content.catalog import Catalog
from funnel.domain.ports import Mailer, Outside
from funnel.settings import Settings
from tests.support.fake_dns import FakeDns
from tests.support.fake_sendgrid import FakeSendGrid
from tests.support.house import House, house_settings, open_house, shipped_catalog
from tests.support.webhook import PUBLIC
from tests.support.zones import dkim_key

DOMAIN = "practice.co.uk"
HOOK = f"https://{DOMAIN}/hooks/sendgrid"
PATIENCE = Patience(connect=3.0, read=3.0, write=3.0, pool=3.0, total=3.0, begin=3.0)


@dataclass(frozen=True)
class Live:
    """The house and what is outside of it."""

    house: House
    dns: FakeDns
    sendgrid: FakeSendGrid

    def set_up(self) -> None:
        """Everything as it must be, in the DNS and at SendGrid."""
        self.sendgrid.account.add_domain(DOMAIN)
        self.sendgrid.account.add_webhook(HOOK, PUBLIC)
        for record in self.sendgrid.account.domains[0]["dns"].values():
            self.dns.add(record["host"], "CNAME", f"{record['data']}.")
        self.dns.text("u7.wl.sendgrid.net", "v=spf1 ip4:192.0.2.0/24 -all")
        for selector in ("s1", "s2"):
            self.dns.text(f"{selector}.domainkey.u7.wl.sendgrid.net", dkim_key())
        self.dns.text(f"_dmarc.{DOMAIN}", "v=DMARC1; p=quarantine")
        self.dns.add(DOMAIN, "MX", "10 mx.example.net.")


def live_settings(database_url: str, folder: Path) -> Settings:
    """Settings of production, with SendGrid."""
    return replace(
        house_settings(database_url, folder),
        mail_url="sendgrid://SG.key",
        base_url=f"https://{DOMAIN}",
        is_production=True,
        sendgrid_public_keys=(PUBLIC,),
    )


def live_catalog() -> Catalog:
    """The shipped words of a practice that has given its addresses."""
    catalog = shipped_catalog()
    brand = replace(
        catalog.brand,
        from_address=f"hello@{DOMAIN}",
        reply_to_address=f"sam@{DOMAIN}",
        postal_address="1 Test Lane, Milton Keynes",
    )
    return replace(catalog, brand=brand)


def api_of(sendgrid: FakeSendGrid) -> SendGridApi:
    """SendGrid's API, with the fake behind it."""
    return SendGridApi(
        sendgrid.api_key, sendgrid.url, patience=PATIENCE, tls=None, clock=SystemClock()
    )


def outside_of(dns: FakeDns, api: SendGridApi) -> Outside:
    """The real adapters."""
    return Outside(
        DnsResolver(dns.server, seconds=0.2),
        SendGridErasure(api, 1.0),
        SendGridAccount(api, 1.0),
        SendGridLists(api, 1.0),
    )


@contextmanager
def open_live(database_url: str, folder: Path, *, mailer: Mailer | None = None) -> Iterator[Live]:
    """A house in production; nothing outside is set up yet."""
    with (
        FakeDns() as dns,
        FakeSendGrid() as sendgrid,
        closing(api_of(sendgrid)) as api,
        open_house(
            database_url,
            folder,
            mailer=mailer,
            catalog=live_catalog(),
            settings=live_settings(database_url, folder),
            outside=outside_of(dns, api),
        ) as house,
    ):
        yield Live(house, dns, sendgrid)
    assert sendgrid.complaints == []
