"""Whose a domain is."""

import pytest

from funnel.domain.names import domain_of, is_free_mail, organisation_of


@pytest.mark.parametrize(
    ("domain", "registered"),
    [
        ("practice.co.uk", "practice.co.uk"),
        ("mail.practice.co.uk", "practice.co.uk"),
        ("a.b.c.practice.org.uk", "practice.org.uk"),
        ("Mail.Practice.com.", "practice.com"),
        ("practice.uk", "practice.uk"),
        ("news.practice.uk", "practice.uk"),
        ("practice.uk.com", "practice.uk.com"),
        ("x.practice.com.au", "practice.com.au"),
        ("co.uk", "co.uk"),
        ("com", "com"),
        ("xn--caf-dma.example", "xn--caf-dma.example"),
    ],
)
def test_the_name_that_somebody_registered(domain: str, registered: str) -> None:
    assert organisation_of(domain) == registered


@pytest.mark.parametrize("domain", ["gmail.com", "Outlook.com", "btinternet.com", "icloud.com"])
def test_a_mailbox_provider_is_no_domain_of_ones_own(domain: str) -> None:
    assert is_free_mail(domain)


@pytest.mark.parametrize("domain", ["practice.co.uk", "mygmail.com", "mail.gmail.example"])
def test_a_domain_of_ones_own_is_no_mailbox_provider(domain: str) -> None:
    assert not is_free_mail(domain)


def test_the_domain_of_an_address_is_what_follows_the_last_at() -> None:
    assert domain_of("Sam@Practice.CO.UK.") == "practice.co.uk"
