"""A fence lets mail through to the names it was given, and to nobody else."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from funnel.adapters.fenced import WHY, FencedMailer
from funnel.domain.ports import MailClass, Outcome, OutgoingEmail
from funnel.settings import NOBODYS
from tests.support.house import FakeMailer


def an_email(to: str) -> OutgoingEmail:
    return OutgoingEmail(
        message_id=uuid4(),
        mail_class=MailClass.CONFIRM,
        to_address=to,
        from_name="Dr Reyes",
        from_address="guide@practice.example",
        reply_to=None,
        subject="Your guide",
        html="<p>Here</p>",
        text="Here",
        list_unsubscribe_url=None,
        created_at=datetime(2026, 11, 23, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("address", "is_inside"),
    [
        ("ada@example.org", True),
        ("ada@EXAMPLE.Org", True),
        ("ada@mail.example.org", True),
        ("ada@practice.example", True),
        ("root@localhost", True),
        ("me@real.site", True),
        ("Me@Real.Site", True),
        ("you@real.site", False),
        ("ada@gmail.com", False),
        ("ada@notexample.org", False),
        ("ada@example.org.evil.site", False),
        ('"ada@example.org"@gmail.com', False),
        ("ada@org", False),
    ],
)
def test_only_the_named_domains_and_addresses_get_mail(address: str, is_inside: bool) -> None:
    mailer = FakeMailer()
    (answer,) = FencedMailer(mailer, [*NOBODYS, "me@real.site"]).send([an_email(address)])
    assert (answer.outcome is Outcome.ACCEPTED) == is_inside
    assert len(mailer.accepted) == is_inside


def test_every_mail_keeps_its_own_answer_in_its_own_place() -> None:
    mailer = FakeMailer(script=[Outcome.ACCEPTED, Outcome.AMBIGUOUS])
    emails = [
        an_email(f"ada@{where}")
        for where in ("gmail.com", "example.org", "gmx.net", "example.com", "gmail.com")
    ]
    answers = FencedMailer(mailer, NOBODYS).send(emails)
    assert [answer.message_id for answer in answers] == [email.message_id for email in emails]
    refused = Outcome.REFUSED
    assert [answer.outcome for answer in answers] == [
        refused,
        Outcome.ACCEPTED,
        refused,
        Outcome.AMBIGUOUS,
        refused,
    ]
    assert answers[0].why == WHY
    assert [email.to_address for email in mailer.offered] == ["ada@example.org", "ada@example.com"]


def test_a_batch_of_strangers_never_reaches_the_provider() -> None:
    mailer = FakeMailer()
    FencedMailer(mailer, NOBODYS).send([an_email("ada@gmail.com")])
    assert mailer.offered == []
