"""The sending address, the key, the webhook, links and clocks: what each state of them means."""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from funnel.domain.account_checks import (
    EVENTS,
    check_clocks,
    check_hook,
    check_key,
    check_known_domains,
    check_links,
    check_reading,
    check_senders,
    check_smtp_news,
)
from funnel.domain.deliverability import Finding, Light
from funnel.domain.mail_account import (
    Account,
    EventHook,
    Heard,
    MailSetup,
    Provider,
    SendingDomain,
    Silence,
)
from funnel.domain.skew import Reading
from tests.support.repo import ROOT

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
SETUP = MailSetup(
    Provider.SENDGRID,
    ("sam@practice.co.uk",),
    site="https://practice.co.uk",
    webhook_url="https://practice.co.uk/hooks/sendgrid",
    webhook_keys=("KEY ONE", "KEYTWO"),
)
DOMAIN = SendingDomain(
    "practice.co.uk", is_valid=True, return_path="em7.practice.co.uk", records=()
)
HOOK = EventHook(SETUP.webhook_url, is_enabled=True, events=EVENTS, public_key="KEYONE")
SCOPES = frozenset(
    {"mail.send", "suppression.read", "whitelabel.read", "user.webhooks.event.settings.read"}
)
ACCOUNT = Account(SCOPES, (DOMAIN,), (HOOK,), None)


def only(findings: Iterable[Finding]) -> Finding:
    (finding,) = findings
    return finding


@pytest.mark.parametrize(
    ("senders", "light"),
    [
        ((), Light.RED),
        (("sam@gmail.com",), Light.RED),
        (("sam@Outlook.com",), Light.RED),
        (("sam@practice.co.uk",), Light.GREEN),
        (("news@practice.co.uk", "sam@practice.co.uk"), Light.GREEN),
    ],
)
def test_d2_only_a_domain_of_ones_own_may_be_sent_from(
    senders: tuple[str, ...], light: Light
) -> None:
    assert only(check_senders(replace(SETUP, senders=senders))).light is light


def test_each_sending_domain_is_looked_at_once() -> None:
    setup = replace(SETUP, senders=("a@x.co.uk", "b@mail.x.co.uk", "c@x.co.uk"))
    assert [finding.key for finding in check_senders(setup)] == [
        "sender x.co.uk",
        "sender mail.x.co.uk",
    ]


@pytest.mark.parametrize(
    ("site", "light"),
    [
        ("https://practice.co.uk", Light.GREEN),
        ("https://guide.practice.co.uk:8443", Light.GREEN),
        ("https://other.co.uk", Light.AMBER),
        ("http://127.0.0.1:8000", Light.AMBER),
    ],
)
def test_links_lead_to_the_name_that_mail_comes_from(site: str, light: Light) -> None:
    assert check_links(replace(SETUP, site=site)).light is light


@pytest.mark.parametrize(("minutes", "light"), [(0, Light.GREEN), (4, Light.GREEN), (6, Light.RED)])
def test_a_clock_may_be_five_minutes_off(minutes: int, light: Light) -> None:
    reading = Reading("the provider's", NOW + timedelta(minutes=minutes), NOW)
    assert check_clocks((reading,)).light is light


def test_a_clock_without_another_is_taken_for_right() -> None:
    assert check_clocks(()).light is Light.GREEN


# S29: the key ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scopes", "light"),
    [
        (SCOPES, Light.GREEN),
        (frozenset({"mail.send"}), Light.GREEN),
        (SCOPES - {"mail.send"}, Light.RED),
        (frozenset(), Light.RED),
        (SCOPES | {"api_keys.create", "billing.read"}, Light.AMBER),
        (SCOPES | {"teammates.create"}, Light.AMBER),
        (Silence.REFUSED, Light.RED),
        (Silence.AWAY, Light.UNKNOWN),
    ],
)
def test_s29_what_the_key_may_do(scopes: frozenset[str] | Silence, light: Light) -> None:
    assert check_key(replace(ACCOUNT, scopes=scopes)).light is light


@pytest.mark.parametrize(
    ("account", "said"),
    [
        (replace(ACCOUNT, scopes=frozenset({"mail.send"})), "suppression.read"),
        (
            replace(ACCOUNT, scopes=frozenset({"mail.send", "suppression.bounces.read"})),
            "invalid emails, spam reports, unsubscribes",
        ),
        (replace(ACCOUNT, log=Silence.REFUSED), "email log"),
        (replace(ACCOUNT, domains=Silence.REFUSED), "whitelabel.read"),
        (replace(ACCOUNT, hooks=Silence.REFUSED), "user.webhooks.event.settings.read"),
    ],
)
def test_s29_what_the_key_may_not_read_is_amber_and_named(account: Account, said: str) -> None:
    finding = only(check_reading(account))
    assert finding.light is Light.AMBER
    assert said in finding.say


def test_a_key_that_may_read_all_is_green() -> None:
    each = {f"suppression.{n}.read" for n in ("bounces", "invalid_emails", "spam_reports")}
    scopes = frozenset({"mail.send", "suppression.unsubscribes.read"} | each)
    assert only(check_reading(replace(ACCOUNT, scopes=scopes))).light is Light.GREEN


@pytest.mark.parametrize("silence", list(Silence))
def test_of_a_key_that_was_not_told_of_nothing_more_is_said(silence: Silence) -> None:
    assert list(check_reading(replace(ACCOUNT, scopes=silence))) == []


def test_the_advice_on_a_key_names_each_right_that_the_runbook_names() -> None:
    words = " ".join((ROOT / "docs/runbook.md").read_text("utf-8").split())
    advice = words.partition("SendGrid's key: restricted access, with ")[2].partition(".")[0]
    say = check_key(replace(ACCOUNT, scopes=SCOPES | {"billing.update"})).say.replace("’", "'")
    rights = [each.strip() for part in advice.split(";") for each in re.split(",| and ", part)]
    named = [re.sub(" full$| read$| for erasing.*", "", each) for each in rights]
    assert len(named) == 6
    assert [each for each in named if each not in say] == []


# The domain at SendGrid --------------------------------------------------------------------------


def test_domains_that_may_not_be_read_are_not_called_missing() -> None:
    finding = only(check_known_domains(SETUP, replace(ACCOUNT, domains=Silence.REFUSED)))
    assert (finding.key, finding.light) == ("domain practice.co.uk", Light.AMBER)
    assert "may not ask" in finding.say


def test_of_domains_that_could_not_be_asked_for_nothing_is_said_here() -> None:
    assert list(check_known_domains(SETUP, replace(ACCOUNT, domains=Silence.AWAY))) == []


@pytest.mark.parametrize(
    ("theirs", "is_missing"),
    [
        ((), True),
        (("other.co.uk",), True),
        (("co.uk",), True),
        (("notpractice.co.uk",), True),
        (("mail.practice.co.uk",), True),
        (("practice.co.uk",), False),
    ],
)
def test_the_domain_must_be_known_at_sendgrid(theirs: tuple[str, ...], *, is_missing: bool) -> None:
    account = replace(ACCOUNT, domains=tuple(replace(DOMAIN, domain=each) for each in theirs))
    missing = [finding.light for finding in check_known_domains(SETUP, account)]
    assert missing == ([Light.RED] if is_missing else [])


def test_the_nearest_known_domain_signs() -> None:
    below = replace(DOMAIN, domain="mail.practice.co.uk")
    account = replace(ACCOUNT, domains=(DOMAIN, below))
    assert account.domain_for("mail.practice.co.uk") == below
    assert account.domain_for("x.mail.practice.co.uk") == below
    assert account.domain_for("practice.co.uk") == DOMAIN


def test_of_two_entries_for_one_domain_the_one_that_is_set_up_signs() -> None:
    older = replace(DOMAIN, is_valid=False)
    for domains in ((older, DOMAIN), (DOMAIN, older)):
        assert replace(ACCOUNT, domains=domains).domain_for("practice.co.uk") == DOMAIN


@pytest.mark.parametrize(
    ("changed", "is_another"),
    [
        (replace(SETUP, senders=("hello@practice.co.uk",), site="https://x.uk"), False),
        (replace(SETUP, senders=("sam@other.co.uk",)), True),
        (replace(SETUP, provider=Provider.SMTP), True),
        (replace(SETUP, dkim_selector="k1"), True),
        (replace(SETUP, spf_include="_spf.other.uk"), True),
    ],
)
def test_what_makes_it_another_set_up(changed: MailSetup, *, is_another: bool) -> None:
    assert (changed.mark != SETUP.mark) is is_another


# The webhook -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hooks", "light", "said"),
    [
        ((HOOK,), Light.GREEN, ""),
        ((replace(HOOK, url=f"{HOOK.url}/"),), Light.GREEN, ""),
        ((replace(HOOK, public_key="KEYTWO"),), Light.GREEN, ""),
        ((), Light.RED, SETUP.webhook_url),
        ((replace(HOOK, url="https://elsewhere.example/hook"),), Light.RED, SETUP.webhook_url),
        ((replace(HOOK, is_enabled=False),), Light.RED, "switched off"),
        ((replace(HOOK, events=EVENTS - {"spam_report"}),), Light.RED, "spam report"),
        ((replace(HOOK, public_key=None),), Light.RED, "not signed"),
        ((replace(HOOK, public_key="OTHER"),), Light.RED, "does not name"),
    ],
)
def test_how_the_webhook_must_be_set_up(
    hooks: tuple[EventHook, ...], light: Light, said: str
) -> None:
    finding = check_hook(SETUP, replace(ACCOUNT, hooks=hooks), Heard(), NOW)
    assert finding.light is light
    assert said in finding.say


def test_without_a_public_key_every_event_would_be_refused() -> None:
    finding = check_hook(replace(SETUP, webhook_keys=()), ACCOUNT, Heard(NOW, NOW), NOW)
    assert finding.light is Light.RED


HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("heard", "light"),
    [
        (Heard(NOW - DAY, NOW), Light.GREEN),
        (Heard(NOW - 9 * DAY, NOW - 9 * DAY - HOUR), Light.GREEN),
        (Heard(NOW - 9 * DAY, NOW - HOUR), Light.AMBER),
        (Heard(None, NOW), Light.AMBER),
        (Heard(), Light.AMBER),
    ],
)
def test_where_its_settings_may_not_be_read_it_counts_what_was_heard(
    heard: Heard, light: Light
) -> None:
    finding = check_hook(SETUP, replace(ACCOUNT, hooks=Silence.REFUSED), heard, NOW)
    assert finding.light is light


@pytest.mark.parametrize("heard", [Heard(NOW - DAY, NOW), Heard()])
def test_a_webhook_that_could_not_be_asked_for_is_not_known(heard: Heard) -> None:
    finding = check_hook(SETUP, replace(ACCOUNT, hooks=Silence.AWAY), heard, NOW)
    assert finding.light is Light.UNKNOWN


def test_smtp_says_honestly_what_it_never_tells() -> None:
    finding = check_smtp_news(replace(SETUP, provider=Provider.SMTP))
    assert finding.light is Light.AMBER
    assert "reports no complaints" in finding.say
