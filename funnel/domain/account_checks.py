"""The checks of the account: the sending address, the key, the webhook, links and clocks."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from funnel.domain.deliverability import Finding, Light
from funnel.domain.mail_account import (
    Account,
    EventHook,
    Heard,
    ListName,
    MailSetup,
    Silence,
)
from funnel.domain.names import domain_of, is_free_mail, organisation_of
from funnel.domain.skew import Reading

EVENTS = frozenset({"bounce", "dropped", "spam_report", "unsubscribe", "group_unsubscribe"})
EVENT_WITHIN = timedelta(days=3)
# What can do harm far beyond sending: whoever finds such a key can lock the owner out.
_TOO_MUCH = frozenset(
    {
        "access_settings.whitelist.update", "api_keys.create", "api_keys.update",
        "billing.update", "subusers.create", "teammates.create", "user.email.update",
        "user.password.update", "whitelabel.delete",
    }
)  # fmt: skip
_KEY_WHY = "A key that may do little does little harm where it is found."
_SENDER_WHY = "Only mail from a domain of your own can be signed, and is believed."
_HOOK_WHY = "Without news from SendGrid, people who reported a mail as spam would get the next one."
_DOMAIN_WHY = (
    "SendGrid signs a domain that is not set up with its own name, which does not count as yours."
)
_WITHOUT_LOG = (
    "Not its email log (not every plan has it): a series mail whose answer was lost counts as gone."
)
_WITHOUT_DOMAINS = (
    "Not the set-up of your domain (whitelabel.read): the exact records cannot be shown."
)
_WITHOUT_HOOKS = "Not the webhook’s settings (user.webhooks.event.settings.read)."
_NO_ANSWER = "SendGrid could not be asked just now."


def check_senders(setup: MailSetup) -> Iterator[Finding]:
    """Each sending address: given, and at a domain of one's own."""
    if not setup.senders:
        say = "from_address in templates/brand.yaml is not filled in."
        yield Finding("sender", Light.RED, "Your sending address", say, _SENDER_WHY)
    for domain in setup.domains:
        key, title = f"sender {domain}", f"Sending from {domain}"
        if is_free_mail(domain):
            say = (
                f"{domain} belongs to a mailbox provider, which forbids others to send in its "
                "name. Use a domain of your own, and put that mailbox into reply_to_address."
            )
            yield Finding(key, Light.RED, title, say, _SENDER_WHY)
        else:
            yield Finding(key, Light.GREEN, title, "A domain of your own.")


def check_links(setup: MailSetup) -> Finding:
    """Whether the links in a mail lead to the organisation that it comes from."""
    host = (urlsplit(setup.site).hostname or "").lower()
    key, title = "links", "Links in your mails"
    senders = {organisation_of(domain) for domain in setup.domains}
    if senders == {organisation_of(host)}:
        return Finding(key, Light.GREEN, title, f"They lead to {host}, the same name you send as.")
    say = f"They lead to {host}, mail comes from {', '.join(setup.domains) or 'nowhere yet'}."
    why = "Mail whose links lead to another name looks like a trap to filters, and to people."
    return Finding(key, Light.AMBER, title, say, why)


def check_clocks(readings: Sequence[Reading]) -> Finding:
    """This machine's clock against those of others."""
    wrong = [reading.why for reading in readings if reading.is_off]
    if wrong:
        why = "Times of mails, links and signatures go by it. Nothing is sent until it is right."
        return Finding("clock", Light.RED, "The clock", " ".join(wrong), why)
    whose = " and ".join(reading.whose for reading in readings)
    say = f"It agrees with {whose}." if whose else "There is no other clock to compare it with."
    return Finding("clock", Light.GREEN, "The clock", say)


# SendGrid's key ----------------------------------------------------------------------------------


def check_key(account: Account) -> Finding:
    """What the key may do: enough to send, and not much more."""
    key, title = "key", "SendGrid’s key"
    if account.scopes is Silence.AWAY:
        return Finding(key, Light.UNKNOWN, title, _NO_ANSWER, _KEY_WHY)
    if isinstance(account.scopes, Silence):
        say = "SendGrid does not know this key. Make a new one and put it into MAIL_URL."
        return Finding(key, Light.RED, title, say, _KEY_WHY)
    if "mail.send" not in account.scopes:
        say = "It may not send mail. Give it Mail Send: full access."
        return Finding(key, Light.RED, title, say, _KEY_WHY)
    if account.scopes & _TOO_MUCH:
        say = (
            "It may do everything, also change your account. Make one with restricted access: Mail "
            "Send full; Email Activity, Suppressions, Sender Authentication and Event Webhook "
            "settings read; Recipients’ Data Erasure, to have people erased there too."
        )
        return Finding(key, Light.AMBER, title, say, _KEY_WHY)
    return Finding(key, Light.GREEN, title, "It may send, and does not rule your account.")


def check_reading(account: Account) -> Iterator[Finding]:
    """What the key may not read, and what goes without it."""
    key, title = "key reads", "What the key may read"
    if isinstance(account.scopes, Silence):
        return
    missing = [sentence for is_missing, sentence in _gaps(account, account.scopes) if is_missing]
    if missing:
        why = "Each of these is a second way to hear what became of a mail."
        yield Finding(key, Light.AMBER, title, " ".join(missing), why)
    else:
        yield Finding(key, Light.GREEN, title, "Lists, log, domains and webhook.")


def _gaps(account: Account, scopes: frozenset[str]) -> list[tuple[bool, str]]:
    lists = [each for each in ListName if not _may_read(each, scopes)]
    named = ", ".join(lists).replace("_", " ")
    without_lists = f"Not its lists of {named} (suppression.read): no nightly look at them."
    return [
        (bool(lists), without_lists),
        (account.log is Silence.REFUSED, _WITHOUT_LOG),
        (account.domains is Silence.REFUSED, _WITHOUT_DOMAINS),
        (account.hooks is Silence.REFUSED, _WITHOUT_HOOKS),
    ]


def _may_read(name: str, scopes: frozenset[str]) -> bool:
    return bool({"suppression.read", f"suppression.{name}.read"} & scopes)


def check_known_domains(setup: MailSetup, account: Account) -> Iterator[Finding]:
    """A domain that the account does not know at all, or that our key may not ask about."""
    if account.domains is Silence.AWAY:
        return
    for domain in setup.domains:
        if account.domains is Silence.REFUSED:
            yield _unseen(domain)
        elif account.domain_for(domain) is None:
            say = (
                "SendGrid does not know it. There, under Settings, Sender Authentication, press "
                "“Authenticate Your Domain”: it shows three records to put into your DNS."
            )
            yield Finding(f"domain {domain}", Light.RED, f"{domain} at SendGrid", say, _DOMAIN_WHY)


def _unseen(domain: str) -> Finding:
    """Said at each look, so that an hour without answers finds something known to go by."""
    say = "This key may not ask SendGrid about it, so only your DNS was looked at."
    return Finding(f"domain {domain}", Light.AMBER, f"{domain} at SendGrid", say, _DOMAIN_WHY)


# SendGrid's news ---------------------------------------------------------------------------------


def check_hook(setup: MailSetup, account: Account, heard: Heard, now: datetime) -> Finding:
    """Whether the event webhook is set up as it must be, or is heard of all the same."""
    key, title = "webhook", "News from SendGrid"
    if not setup.webhook_keys:
        say = "SENDGRID_PUBLIC_KEY is not set, so every event is refused."
        return Finding(key, Light.RED, title, say, _HOOK_WHY)
    if account.hooks is Silence.AWAY:
        return Finding(key, Light.UNKNOWN, title, _NO_ANSWER, _HOOK_WHY)
    if isinstance(account.hooks, Silence):
        return _by_ear(heard, now)
    ours = [hook for hook in account.hooks if hook.url.rstrip("/") == setup.webhook_url]
    if not ours:
        say = f"No event webhook leads to {setup.webhook_url}. Add it at SendGrid, signed."
        return Finding(key, Light.RED, title, say, _HOOK_WHY)
    problem = _hook_problem(ours[0], setup.webhook_keys)
    if problem:
        return Finding(key, Light.RED, title, problem, _HOOK_WHY)
    return Finding(key, Light.GREEN, title, "The webhook is on, signed, and tells all we need.")


def _hook_problem(hook: EventHook, keys: Sequence[str]) -> str | None:
    if not hook.is_enabled:
        return "The event webhook is switched off at SendGrid."
    missing = sorted(EVENTS - hook.events)
    if missing:
        named = ", ".join(missing).replace("_", " ")
        return f"The event webhook does not tell of: {named}. Tick them at SendGrid."
    if hook.public_key is None:
        return "The event webhook is not signed: switch on its signature verification at SendGrid."
    if "".join(hook.public_key.split()) not in {"".join(key.split()) for key in keys}:
        return "The event webhook is signed with a key that SENDGRID_PUBLIC_KEY does not name."
    return None


def _by_ear(heard: Heard, now: datetime) -> Finding:
    """Its settings may not be read, so what counts is whether anything was heard."""
    key, title = "webhook", "News from SendGrid"
    if heard.event_at is not None and now - heard.event_at <= EVENT_WITHIN:
        return Finding(key, Light.GREEN, title, "Its events arrive.")
    if heard.event_at is not None and (heard.mail_at is None or heard.mail_at <= heard.event_at):
        return Finding(key, Light.GREEN, title, "Its events arrived for the last mail.")
    say = (
        "No event has come lately, and the webhook’s settings may not be read with this key. "
        "Ask for the guide yourself: an event must follow within minutes."
    )
    return Finding(key, Light.AMBER, title, say, _HOOK_WHY)


def check_smtp_news(setup: MailSetup) -> Finding:
    """What an SMTP account can never tell."""
    box = domain_of(setup.senders[0]) if setup.senders else "your domain"
    say = (
        "An SMTP server reports no complaints, and returned mail comes as a mail to your sending "
        f"address at {box}: look into that mailbox, and take such people out by hand."
    )
    why = "With an event webhook (SendGrid) Funnel hears of both by itself."
    return Finding("webhook", Light.AMBER, "News of returned mail", say, why)
