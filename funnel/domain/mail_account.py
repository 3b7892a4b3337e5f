"""What is set up for sending: our own settings, and what the provider tells of our account."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from funnel.domain.deliverability import Record
from funnel.domain.names import domain_of, organisation_of


class Provider(StrEnum):
    """Who carries the mail."""

    MAILBOX = "mailbox"
    SMTP = "smtp"
    SENDGRID = "sendgrid"

    @classmethod
    def of(cls, mail_url: str) -> "Provider":
        """Whose it is, of a MAIL_URL that was found to be good."""
        scheme = mail_url.partition("://")[0]
        return cls.SMTP if scheme == "smtps" else cls(scheme)


@dataclass(frozen=True)
class MailSetup:
    """How this installation sends. `senders` are its addresses, that of the series first.

    `dkim_selector` and `spf_include` are what only the owner of an SMTP account can tell.
    """

    provider: Provider
    senders: tuple[str, ...] = ()
    reply_to: str | None = None
    site: str = ""
    webhook_url: str = ""
    webhook_keys: tuple[str, ...] = ()
    dkim_selector: str | None = None
    spf_include: str | None = None

    @property
    def domains(self) -> tuple[str, ...]:
        """The domains that mail is sent from, each once."""
        return tuple(dict.fromkeys(domain_of(sender) for sender in self.senders))

    @property
    def mark(self) -> str:
        """A short code for what a report is about: with another one it says nothing of this."""
        told = [self.provider, self.domains, self.dkim_selector, self.spf_include]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:12]


class Silence(StrEnum):
    """Why the provider told nothing: our key may not ask, or nobody answered."""

    REFUSED = "refused"
    AWAY = "away"


@dataclass(frozen=True)
class SendingDomain:
    """A domain that the provider signs for, and the records it asks for."""

    domain: str
    is_valid: bool
    return_path: str
    records: tuple[Record, ...]


@dataclass(frozen=True)
class EventHook:
    """Where the provider posts its events, which of them, and the key it signs them with."""

    url: str
    is_enabled: bool
    events: frozenset[str]
    public_key: str | None


@dataclass(frozen=True)
class Account:
    """What the provider tells. `log` is None where its log answers our key."""

    scopes: frozenset[str] | Silence
    domains: tuple[SendingDomain, ...] | Silence
    hooks: tuple[EventHook, ...] | Silence
    log: Silence | None

    def domain_for(self, sender: str) -> SendingDomain | None:
        """The domain it signs with for mail from that domain: itself, else the nearest above; of
        two entries for one domain the one that is set up."""
        if isinstance(self.domains, Silence):
            return None
        fitting = [each for each in self.domains if _is_at_or_below(sender, each.domain)]
        return max(fitting, key=lambda each: (len(each.domain), each.is_valid), default=None)


def _is_at_or_below(name: str, other: str) -> bool:
    is_near = organisation_of(name) == organisation_of(other)
    return is_near and (name == other or name.endswith(f".{other}"))


@dataclass(frozen=True)
class Heard:
    """When the last event of the provider came, and when the last mail was handed over."""

    event_at: datetime | None = None
    mail_at: datetime | None = None


class ListName(StrEnum):
    """The provider's lists of addresses that it no longer writes to."""

    BOUNCES = "bounces"
    INVALID_EMAILS = "invalid_emails"
    SPAM_REPORTS = "spam_reports"
    UNSUBSCRIBES = "unsubscribes"


@dataclass(frozen=True)
class Listed:
    """One address on such a list, and since when."""

    address: str
    since: datetime


@dataclass(frozen=True)
class ListPage:
    """A part of a list. `next_offset` is where the next part begins; None after the last."""

    entries: tuple[Listed, ...]
    next_offset: int | None
