"""What a domain's records mean, and the exact record to paste where one is wrong."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from funnel.domain.deliverability import Finding, Light, Record
from funnel.domain.dns_checks import check_domain, check_replies
from funnel.domain.mail_account import MailSetup, Provider, SendingDomain
from funnel.domain.names import RecordKind
from tests.support.zones import Zone, dkim_key, names

TXT, CNAME, MX = RecordKind.TXT, RecordKind.CNAME, RecordKind.MX
DOMAIN = "practice.co.uk"
SENDGRID = MailSetup(Provider.SENDGRID, (f"sam@{DOMAIN}",), site=f"https://{DOMAIN}")
SMTP = MailSetup(
    Provider.SMTP,
    (f"sam@{DOMAIN}",),
    dkim_selector="mail",
    spf_include="_spf.provider.example",
)
MAIL = Record("CNAME", f"em7.{DOMAIN}", "u7.wl.sendgrid.net")
KEY_1 = Record("CNAME", f"s1._domainkey.{DOMAIN}", "s1.domainkey.u7.wl.sendgrid.net")
KEY_2 = Record("CNAME", f"s2._domainkey.{DOMAIN}", "s2.domainkey.u7.wl.sendgrid.net")
KNOWN = SendingDomain(DOMAIN, is_valid=True, return_path=MAIL.name, records=(MAIL, KEY_1, KEY_2))
DMARC = (f"_dmarc.{DOMAIN}", TXT)
RIGHT: Zone = {
    (MAIL.name, CNAME): (MAIL.value,),
    (MAIL.name, TXT): ("v=spf1 ip4:192.0.2.0/24 -all",),
    (KEY_1.name, CNAME): (KEY_1.value.upper() + ".",),
    (KEY_1.name, TXT): (dkim_key(),),
    (KEY_2.name, CNAME): (KEY_2.value,),
    (KEY_2.name, TXT): (dkim_key(),),
    DMARC: ("v=DMARC1; p=quarantine",),
}
SMTP_RIGHT: Zone = {
    (DOMAIN, TXT): ("a word", "v=spf1 mx include:_spf.provider.example ~all"),
    ("_spf.provider.example", TXT): ("v=spf1 ip4:192.0.2.0/24 -all",),
    (f"mail._domainkey.{DOMAIN}", TXT): (dkim_key(),),
    DMARC: ("v=DMARC1; p=none; rua=mailto:x@practice.co.uk",),
}


def found(
    zone: Zone,
    setup: MailSetup = SENDGRID,
    known: SendingDomain | None = KNOWN,
    domain: str = DOMAIN,
) -> dict[str, Finding]:
    """The findings of a domain, by the first word of their key."""
    findings = check_domain(domain, setup, known, names(zone))
    return {finding.key.partition(" ")[0]: finding for finding in findings}


def lights(findings: Mapping[str, Finding]) -> set[Light]:
    return {finding.light for finding in findings.values()}


def test_a_domain_that_is_set_up_right_is_green_all_over() -> None:
    sendgrid, smtp = found(RIGHT), found(SMTP_RIGHT, SMTP, None)
    assert set(sendgrid) == {"domain", "spf", "dkim", "dmarc"}
    assert set(smtp) == {"spf", "dkim", "dmarc"}
    assert lights(sendgrid) | lights(smtp) == {Light.GREEN}
    assert {finding.why for finding in sendgrid.values()} == {""}


def test_a_domain_without_any_record_is_red_and_says_what_to_paste() -> None:
    nothing = found({})
    assert lights(nothing) == {Light.RED}
    assert nothing["domain"].records == (MAIL, KEY_1, KEY_2)
    assert nothing["dkim"].records == nothing["spf"].records == (), "they are shown once"
    assert nothing["dmarc"].records == (Record("TXT", f"_dmarc.{DOMAIN}", "v=DMARC1; p=none"),)


def test_every_finding_that_asks_for_something_says_why_it_matters() -> None:
    for findings in (found({}), found({}, SMTP, None), found({}, SENDGRID, None)):
        assert all(finding.why for finding in findings.values())


# The records SendGrid asks for -------------------------------------------------------------------


def test_one_wrong_record_is_shown_alone() -> None:
    wrong = found({**RIGHT, (KEY_2.name, CNAME): ("s2.domainkey.u8.wl.sendgrid.net",)})
    assert (wrong["domain"].light, wrong["domain"].records) == (Light.RED, (KEY_2,))


def test_records_in_place_that_sendgrid_has_not_looked_at_are_amber() -> None:
    finding = found(RIGHT, known=replace(KNOWN, is_valid=False))["domain"]
    assert finding.light is Light.AMBER
    assert "press Verify" in finding.say


def test_records_that_cannot_be_seen_are_unknown() -> None:
    assert found({**RIGHT, (MAIL.name, CNAME): None})["domain"].light is Light.UNKNOWN


def test_a_domain_without_automated_security_is_looked_at_too() -> None:
    manual = replace(
        KNOWN,
        records=(
            Record("MX", MAIL.name, "mx.sendgrid.net"),
            Record("TXT", MAIL.name, "v=spf1 include:sendgrid.net ~all"),
            Record("TXT", f"m1._domainkey.{DOMAIN}", dkim_key()),
        ),
    )
    zone: Zone = {
        (MAIL.name, MX): ("10 MX.sendgrid.net",),
        (MAIL.name, TXT): ("v=spf1 include:sendgrid.net include:other ~all",),
        ("sendgrid.net", TXT): ("v=spf1 -all",),
        ("other", TXT): ("v=spf1 -all",),
        (f"m1._domainkey.{DOMAIN}", TXT): (dkim_key(),),
        DMARC: ("v=DMARC1; p=none",),
    }
    assert lights(found(zone, known=manual)) == {Light.GREEN}


# SPF ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("records", "light", "said"),
    [
        ((), Light.RED, "There is no record"),
        (("v=spf1 mx ~all", "v=spf1 a ~all"), Light.RED, "only one may be"),
        (("v=spf1 mx ~all",), Light.RED, "does not name _spf.provider.example"),
        (("v=spf1 include:gone ~all",), Light.RED, "includes gone"),
        (("v=spf1 " + "a " * 11 + "~all",), Light.RED, "more than 10 questions"),
        (("v=spf1 include:_spf.provider.example ~all",), Light.GREEN, "1 question of"),
    ],
)
def test_the_spf_of_an_smtp_sender(records: tuple[str, ...], light: Light, said: str) -> None:
    finding = found({**SMTP_RIGHT, (DOMAIN, TXT): records}, SMTP, None)["spf"]
    assert finding.light is light
    assert said in finding.say


@pytest.mark.parametrize(
    ("records", "paste"),
    [
        ((), "v=spf1 include:_spf.provider.example ~all"),
        (("v=spf1 mx ~all",), "v=spf1 mx include:_spf.provider.example ~all"),
        (
            ("v=spf1 mx ~all", "v=spf1 a -all"),
            "v=spf1 mx a include:_spf.provider.example ~all",
        ),
    ],
)
def test_the_very_spf_record_to_paste(records: tuple[str, ...], paste: str) -> None:
    finding = found({**SMTP_RIGHT, (DOMAIN, TXT): records}, SMTP, None)["spf"]
    assert finding.records == (Record("TXT", DOMAIN, paste),)


def test_without_the_providers_name_it_is_said_that_it_cannot_be_known() -> None:
    finding = found(SMTP_RIGHT, replace(SMTP, spf_include=None), None)["spf"]
    assert finding.light is Light.AMBER
    assert "set SPF_INCLUDE" in finding.say


def test_at_sendgrid_the_return_path_counts_and_ones_own_record_is_a_hint() -> None:
    broken = {**RIGHT, (DOMAIN, TXT): ("v=spf1 a ~all", "v=spf1 mx ~all")}
    assert found(broken)["spf"].light is Light.AMBER
    assert found({**RIGHT, (MAIL.name, TXT): ()})["spf"].light is Light.RED


def test_an_spf_that_could_not_be_read_to_its_end_is_unknown() -> None:
    away = {**SMTP_RIGHT, ("_spf.provider.example", TXT): None}
    assert found(away, SMTP, None)["spf"].light is Light.UNKNOWN


# DKIM --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "light", "said"),
    [
        ((), Light.RED, "There is no key"),
        (("v=spf1 ~all",), Light.RED, "There is no key"),
        (("v=DKIM1; p=",), Light.RED, "was withdrawn"),
        (("v=DKIM1; p=AAAA",), Light.RED, "is damaged"),
        (("v=DKIM1; p=MEgCQQDN",), Light.RED, "is damaged"),
        ((dkim_key(1024),), Light.AMBER, "1,024 bits"),
        (("v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",), Light.GREEN, ""),
        (None, Light.UNKNOWN, "did not answer"),
    ],
)
def test_what_a_key_may_be(key: tuple[str, ...] | None, light: Light, said: str) -> None:
    finding = found({**SMTP_RIGHT, (f"mail._domainkey.{DOMAIN}", TXT): key}, SMTP, None)["dkim"]
    assert finding.light is light
    assert said in finding.say


def test_without_a_selector_it_is_said_that_dkim_cannot_be_known() -> None:
    finding = found(SMTP_RIGHT, replace(SMTP, dkim_selector=None), None)["dkim"]
    assert finding.light is Light.AMBER
    assert "DKIM_SELECTOR" in finding.say


def test_one_missing_key_of_two_is_red_and_shown_alone() -> None:
    finding = found({**RIGHT, (KEY_1.name, TXT): ()}, known=None)["dkim"]
    assert finding.light is Light.RED
    assert [record.name for record in finding.records] == [KEY_1.name]


def test_a_key_that_is_missing_counts_more_than_one_that_cannot_be_seen() -> None:
    finding = found({**RIGHT, (KEY_1.name, TXT): (), (KEY_2.name, TXT): None})["dkim"]
    assert finding.light is Light.RED


def test_an_account_that_tells_nothing_is_looked_at_under_the_usual_names() -> None:
    assert found(RIGHT, known=None)["dkim"].light is Light.GREEN
    missing = found({}, known=None)["dkim"]
    assert [record.name for record in missing.records] == [KEY_1.name, KEY_2.name]


# DMARC -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "light", "said"),
    [
        ("v=DMARC1; p=none", Light.GREEN, "p=none"),
        ("v=dmarc1;p=REJECT;", Light.GREEN, "p=reject"),
        ("v=DMARC1; rua=mailto:x@y.example", Light.RED, "means nothing"),
        ("v=DMARC1; p=maybe", Light.RED, "means nothing"),
        ("v=DMARC1; p=reject; adkim=s; aspf=s", Light.GREEN, "p=reject"),
    ],
)
def test_what_a_dmarc_record_says(record: str, light: Light, said: str) -> None:
    finding = found({**RIGHT, DMARC: (record,)})["dmarc"]
    assert finding.light is light
    assert said in finding.say


def test_two_dmarc_records_are_none() -> None:
    finding = found({**RIGHT, DMARC: ("v=DMARC1; p=none", "v=DMARC1; p=reject")})["dmarc"]
    assert finding.light is Light.RED


def test_the_record_of_the_registered_name_holds_below_it() -> None:
    below = f"mail.{DOMAIN}"
    assert found(RIGHT, SENDGRID, KNOWN, below)["dmarc"].light is Light.GREEN
    own = {**RIGHT, (f"_dmarc.{below}", TXT): ("v=DMARC1; p=bad",)}
    assert found(own, SENDGRID, KNOWN, below)["dmarc"].light is Light.RED


@pytest.mark.parametrize(
    ("signer", "returns", "rule", "light"),
    [
        (DOMAIN, f"em7.{DOMAIN}", "", Light.GREEN),
        (f"mail.{DOMAIN}", f"em7.{DOMAIN}", "", Light.GREEN),
        (f"mail.{DOMAIN}", f"em7.{DOMAIN}", "; adkim=s", Light.AMBER),
        (f"mail.{DOMAIN}", f"em7.{DOMAIN}", "; adkim=s; aspf=s", Light.RED),
        ("sendgrid.net", "em7.sendgrid.net", "", Light.RED),
        ("other.co.uk", f"em7.{DOMAIN}", "", Light.AMBER),
    ],
)
def test_the_signature_or_the_return_path_must_be_of_the_senders_own_name(
    signer: str, returns: str, rule: str, light: Light
) -> None:
    known = replace(KNOWN, domain=signer, return_path=returns, records=())
    zone = {**RIGHT, DMARC: (f"v=DMARC1; p=none{rule}",)}
    assert found(zone, known=known)["dmarc"].light is light


# Replies -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "light"),
    [
        ({(DOMAIN, MX): ("10 mx.example.net",)}, Light.GREEN),
        ({(DOMAIN, MX): ("0 .",)}, Light.RED),
        ({(DOMAIN, RecordKind.A): ("192.0.2.1",)}, Light.AMBER),
        ({(DOMAIN, RecordKind.AAAA): ("2001:db8::1",)}, Light.AMBER),
        ({}, Light.RED),
        ({(DOMAIN, MX): None}, Light.UNKNOWN),
        ({(DOMAIN, RecordKind.A): None}, Light.UNKNOWN),
    ],
)
def test_whether_an_answer_reaches_anybody(zone: Zone, light: Light) -> None:
    assert check_replies(f"sam@{DOMAIN}", names(zone)).light is light
