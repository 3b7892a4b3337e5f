"""Whoever carries the mail: the mailer that the settings name, and what else it can be asked."""

from pathlib import Path
from urllib.parse import unquote

from funnel.adapters.absent import NoNameServers, NothingKept
from funnel.adapters.fenced import FencedMailer
from funnel.adapters.mailbox import FileMailbox
from funnel.adapters.sendgrid_url import read_sendgrid_url
from funnel.content.catalog import Catalog
from funnel.domain.errors import SettingInvalid
from funnel.domain.mail_account import MailSetup, Provider
from funnel.domain.ports import MailboxReader, Mailer, Outside
from funnel.links import SENDGRID_HOOK, Links
from funnel.settings import Settings


def local_path(url: str) -> Path:
    """The path of `file://var/x`, `mailbox://var/x` or `file:///absolute/x`."""
    return Path(unquote(url.partition("://")[2])).resolve()


def make_mailer(settings: Settings) -> Mailer:
    """The mailer of MAIL_URL; raises SettingInvalid."""
    scheme = settings.mail_url.partition("://")[0]
    if scheme == "mailbox":
        return FileMailbox(local_path(settings.mail_url))
    if scheme == "sendgrid":
        return _sendgrid(settings.mail_url)
    if scheme in {"smtp", "smtps"}:
        return _smtp(settings.mail_url)
    raise SettingInvalid("MAIL_URL must begin with mailbox://, smtp://, smtps:// or sendgrid://.")


def fenced(settings: Settings, mailer: Mailer) -> Mailer:
    """The mailer, for the recipients of these settings only: also one that was brought along."""
    recipients = settings.recipients
    return mailer if recipients is None else FencedMailer(mailer, recipients)


def _sendgrid(url: str) -> Mailer:
    # Loaded only where it is used: the package is heavy and the embedded mode stays small.
    from funnel.adapters.sendgrid import SendGridMailer

    key, site = read_sendgrid_url(url)
    return SendGridMailer(key, site)


def _smtp(url: str) -> Mailer:
    from funnel.adapters.smtp import SmtpMailer

    return SmtpMailer(url)


def outside_of(settings: Settings, mailer: Mailer) -> Outside:
    """What else the provider can be asked, over the connections of its mailer.

    Only who may write to everybody may have everybody erased: a copy that is tried out may not.
    """
    if isinstance(mailer, FileMailbox):
        return Outside(NoNameServers(), mailer)
    if not settings.has_real_provider:
        return Outside(NoNameServers(), NothingKept())
    from funnel.adapters.name_servers import DnsResolver

    servers = DnsResolver(settings.dns_server)
    if not settings.mail_url.startswith("sendgrid:"):
        return Outside(servers, NothingKept())
    from funnel.adapters.sendgrid import SendGridMailer
    from funnel.adapters.sendgrid_account import SendGridAccount
    from funnel.adapters.sendgrid_lists import SendGridErasure, SendGridLists

    if not isinstance(mailer, SendGridMailer):
        return Outside(servers, NothingKept())
    api = mailer.api
    erasure = SendGridErasure(api) if settings.recipients is None else NothingKept()
    return Outside(servers, erasure, SendGridAccount(api), SendGridLists(api))


def mail_setup(settings: Settings, catalog: Catalog, links: Links) -> MailSetup:
    """What the doctor has to know of the settings and the practice."""
    brand = catalog.brand
    senders = (brand.from_address, brand.service_from_address)
    return MailSetup(
        provider=Provider.of(settings.mail_url),
        senders=tuple(each for each in senders if each is not None),
        reply_to=brand.reply_to_address,
        site=settings.base_url,
        webhook_url=links.base_url + SENDGRID_HOOK,
        webhook_keys=settings.sendgrid_public_keys,
        dkim_selector=settings.dkim_selector or None,
        spf_include=settings.spf_include or None,
    )


def mailbox_reader(settings: Settings, mailer: Mailer) -> MailboxReader | None:
    """The mailbox may be read in the browser only where no real person's mail can lie in it."""
    if isinstance(mailer, FileMailbox) and not settings.is_production:
        return mailer
    return None
