"""Many readers in one request: nobody sees another, and all share its fate but a refusal."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel.adapters import sendgrid_requests
from funnel.adapters.sendgrid import SendGridMailer
from funnel.adapters.sendgrid_api import Patience
from funnel.adapters.sendgrid_requests import requests_for
from funnel.domain.ports import MailClass, MailForm, Outcome, OutgoingEmail
from tests.adapters.harness import FORM, make_batch, make_email, make_emails, make_named
from tests.support import fake_sendgrid as faults
from tests.support.fake_sendgrid import AcceptedMail, FakeSendGrid, Fault
from tests.support.fake_sendgrid_rules import problems_of


@pytest.fixture
def mailer(fake_sendgrid: FakeSendGrid) -> Iterator[SendGridMailer]:
    with closing(SendGridMailer(fake_sendgrid.api_key, fake_sendgrid.url)) as mailer:
        yield mailer


def outcomes(mailer: SendGridMailer, emails: list[OutgoingEmail]) -> list[Outcome]:
    results = mailer.send(emails)
    assert [result.message_id for result in results] == [email.message_id for email in emails]
    return [result.outcome for result in results]


def assert_each_got_their_own(accepted: list[AcceptedMail], emails: list[OutgoingEmail]) -> None:
    got = {mail.to_address: (mail.subject, mail.text, mail.html) for mail in accepted}
    assert got == {mail.to_address: (mail.subject, mail.text, mail.html) for mail in emails}
    assert len(accepted) == len(emails)
    ids = {mail.to_address: str(mail.message_id) for mail in emails}
    leave = {mail.to_address: f"<{mail.list_unsubscribe_url}>" for mail in emails}
    for mail in accepted:
        assert mail.send_id == ids[mail.to_address]
        assert mail.headers["Message-ID"] == f"<{mail.send_id}@mail.example.org>"
        assert mail.headers["List-Unsubscribe"] == leave[mail.to_address]


def test_mails_of_one_form_go_in_one_request_and_each_reader_gets_their_own_words(
    mailer: SendGridMailer, fake_sendgrid: FakeSendGrid
) -> None:
    emails = make_batch(50)
    results = mailer.send(emails)
    assert fake_sendgrid.requests == 1
    assert {(r.outcome, r.provider_id) for r in results} == {(Outcome.ACCEPTED, "fake-1")}
    assert_each_got_their_own(fake_sendgrid.accepted, emails)


def test_a_reader_shows_only_in_their_own_personalization(
    mailer: SendGridMailer, fake_sendgrid: FakeSendGrid
) -> None:
    emails = [*make_batch(3), make_named("Wilhelmina", to_address="wilhelmina@example.org")]
    mailer.send(emails)
    payload = fake_sendgrid.accepted[0].payload
    shared = {name: value for name, value in payload.items() if name != "personalizations"}
    others = payload["personalizations"][:3]
    assert "wilhelmina" not in f"{shared} {others}".lower()
    assert {name for each in payload["personalizations"] for name in each} == {
        "to", "custom_args", "headers", "substitutions",
    }  # fmt: skip


def test_only_what_is_the_same_for_all_shares_a_request(
    mailer: SendGridMailer, fake_sendgrid: FakeSendGrid
) -> None:
    other_form = MailForm(FORM.subject, FORM.html, FORM.text)
    emails = [
        *make_batch(2),
        *make_batch(2, mail_class=MailClass.DELIVER),
        *make_batch(2, from_name="Somebody else"),
        *make_batch(2, reply_to=None),
        *make_batch(2, label="challenge/day-4"),
        *[make_named("x", other_form, to_address=f"o{n}@example.org") for n in range(2)],
        *make_emails(2),
    ]
    assert set(outcomes(mailer, emails)) == {Outcome.ACCEPTED}
    sizes = [len(mail.payload["personalizations"]) for mail in fake_sendgrid.accepted]
    assert sorted(sizes) == [1, 1, *[2] * 12]
    assert fake_sendgrid.requests == 8


def test_one_mail_of_a_form_goes_whole(mailer: SendGridMailer, fake_sendgrid: FakeSendGrid) -> None:
    mailer.send(make_batch(1))
    (mail,) = fake_sendgrid.accepted
    assert "substitutions" not in mail.personalization
    assert mail.payload["subject"] == "Day 3 for Reader 1: a small habit"


TRICKY = st.text(st.sampled_from('[]%0123 aé\n<&"\\'), max_size=12).filter(
    lambda name: "\n" not in name
)


TRICKY_FORMS = [
    MailForm(("For ", 0, "%1%] [", 0, " end"), FORM.html, ("[", 0, 1, "%]\n", 3)),
    MailForm(("For ", 0, "%1%] ", 0, " [[end"), FORM.html, ("%0%]", 0, 1, "%]\n", 3)),
    FORM,
]


@pytest.mark.parametrize("form", TRICKY_FORMS, ids=["bracket at a place", "brackets", "plain"])
@given(names=st.lists(TRICKY, min_size=2, max_size=5))
def test_no_name_can_pose_as_a_tag(form: MailForm, names: list[str]) -> None:
    emails = [
        make_named(name, form, to_address=f"r{at}@example.org") for at, name in enumerate(names)
    ]
    assert_each_got_their_own(list(what_arrives(emails)), emails)


def test_what_all_readers_have_alike_is_said_once() -> None:
    emails = make_batch(9)  # "Reader 1" to "Reader 9": one digit, thrice, and the end of a link
    (request,) = requests_for(emails)
    payload = json.loads(request.body)
    assert payload["subject"] == "Day 3 for Reader [%0%]: a small habit"
    own = [each["substitutions"] for each in payload["personalizations"]]
    assert [each["[%0%]"] for each in own] == list("123456789")
    assert {len(each) for each in own} == {2}
    assert_each_got_their_own(list(what_arrives(emails)), emails)


def what_arrives(emails: list[OutgoingEmail]) -> Iterator[AcceptedMail]:
    for request in requests_for(emails):
        payload: dict[str, Any] = json.loads(request.body)
        assert problems_of(payload) == []
        for place in range(len(payload["personalizations"])):
            yield AcceptedMail("x", payload, place)


def test_a_reader_with_too_much_of_their_own_goes_alone(
    mailer: SendGridMailer, fake_sendgrid: FakeSendGrid
) -> None:
    emails = make_batch(3)
    long = "é" * 5000
    emails.insert(1, make_named(long, MailForm(("x",), FORM.html, FORM.text)))
    same_form = [replace(email, form=FORM) for email in emails]
    assert set(outcomes(mailer, same_form)) == {Outcome.ACCEPTED}
    assert fake_sendgrid.requests == 2


def test_a_thousand_readers_are_the_most_of_one_request() -> None:
    emails = make_batch(1001)
    assert [len(request.emails) for request in requests_for(emails)] == [1000, 1]


def test_a_request_too_large_to_send_is_split_before_it_is_asked(
    mailer: SendGridMailer, fake_sendgrid: FakeSendGrid, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sendgrid_requests, "MAX_REQUEST_OCTETS", 4000)
    emails = make_batch(8)
    assert set(outcomes(mailer, emails)) == {Outcome.ACCEPTED}
    assert fake_sendgrid.requests > 1
    assert_each_got_their_own(fake_sendgrid.accepted, emails)


class Picky(FakeSendGrid):
    """Refuses any request that holds one of these addresses, as it does for a malformed one."""

    bad: frozenset[str] = frozenset()
    status = 400

    def answer(self, authorization: str, body: bytes) -> Fault:
        if any(address.encode() in body for address in self.bad):
            self.requests += 1
            return Fault(self.status, body=b'{"errors":[{"field":"personalizations"}]}')
        return super().answer(authorization, body)


@pytest.fixture
def picky() -> Iterator[Picky]:
    with Picky() as fake:
        yield fake
    assert fake.complaints == []


@pytest.mark.parametrize("status", [400, 413])
def test_a_refused_request_is_halved_down_to_the_bad_ones_and_the_good_ones_go(
    picky: Picky, status: int
) -> None:
    picky.status = status
    picky.bad = frozenset({'"reader7@example.org"', '"reader31@example.org"'})
    emails = make_batch(64)
    with closing(SendGridMailer(picky.api_key, picky.url)) as mailer:
        results = mailer.send(emails)
    refused = [at for at, result in enumerate(results, 1) if result.outcome is Outcome.REFUSED]
    assert refused == [7, 31]
    good = [email for at, email in enumerate(emails, 1) if at not in refused]
    assert_each_got_their_own(picky.accepted, good)
    assert picky.requests <= 2 * 2 * 6 + 1


def test_a_request_bad_for_everybody_is_not_split_for_ever(picky: Picky) -> None:
    picky.bad = frozenset({"@example.org"})
    with closing(SendGridMailer(picky.api_key, picky.url)) as mailer:
        results = mailer.send(make_batch(300))
    assert {r.outcome for r in results} == {Outcome.REFUSED, Outcome.NOT_SENT_THROTTLED}
    assert picky.requests <= 120
    assert picky.accepted == []


def test_without_time_left_nothing_more_is_asked_and_nothing_is_sent(
    fake_sendgrid: FakeSendGrid,
) -> None:
    with closing(
        SendGridMailer(fake_sendgrid.api_key, fake_sendgrid.url, patience=Patience(begin=0.0))
    ) as mailer:
        assert set(outcomes(mailer, make_batch(4))) == {Outcome.NOT_SENT_THROTTLED}
    assert fake_sendgrid.requests == 0


SHARED_FATES = {
    "throttled": (faults.THROTTLED, Outcome.NOT_SENT_THROTTLED),
    "unknown key": (Fault(401), Outcome.ACCOUNT_REFUSED),
    "forbidden": (Fault(403), Outcome.ACCOUNT_REFUSED),
    "broken": (faults.BROKEN, Outcome.AMBIGUOUS),
    "broken but accepted": (faults.BROKEN_BUT_ACCEPTED, Outcome.AMBIGUOUS),
    "answer lost": (faults.ACCEPTED_THEN_DROPPED, Outcome.AMBIGUOUS),
    "reset": (faults.RESET, Outcome.AMBIGUOUS),
}


@pytest.mark.parametrize(("fault", "outcome"), SHARED_FATES.values(), ids=SHARED_FATES)
def test_all_of_a_request_share_any_other_fate(
    mailer: SendGridMailer, fake_sendgrid: FakeSendGrid, fault: Fault, outcome: Outcome
) -> None:
    fake_sendgrid.faults.append(fault)
    assert outcomes(mailer, make_batch(5)) == [outcome] * 5
    assert fake_sendgrid.requests == 1
    assert len(fake_sendgrid.accepted) == 5 * fault.accepts


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [(faults.THROTTLED, Outcome.NOT_SENT_THROTTLED), (Fault(401), Outcome.ACCOUNT_REFUSED)],
    ids=["throttled", "unknown key"],
)
def test_after_an_answer_that_concerns_the_account_no_other_request_begins(
    fake_sendgrid: FakeSendGrid, fault: Fault, outcome: Outcome
) -> None:
    fake_sendgrid.faults.append(fault)
    with closing(SendGridMailer(fake_sendgrid.api_key, fake_sendgrid.url, connections=1)) as mailer:
        assert outcomes(mailer, make_emails(6)) == [outcome] * 6
    assert fake_sendgrid.requests == 1


def test_a_provider_in_trouble_is_asked_three_times_and_the_rest_is_surely_not_sent(
    fake_sendgrid: FakeSendGrid,
) -> None:
    fake_sendgrid.faults.extend([faults.BROKEN] * 3)
    with closing(SendGridMailer(fake_sendgrid.api_key, fake_sendgrid.url, connections=1)) as mailer:
        found = outcomes(mailer, make_emails(6))
    assert found == [Outcome.AMBIGUOUS] * 3 + [Outcome.NOT_SENT_THROTTLED] * 3
    assert fake_sendgrid.requests == 3


def test_a_mail_that_may_not_leave_holds_up_no_other_of_its_batch(
    mailer: SendGridMailer, fake_sendgrid: FakeSendGrid
) -> None:
    emails = make_batch(4)
    emails[2] = make_named("Ben", to_address="a@x.com,b@y.com")
    expected = [Outcome.ACCEPTED] * 4
    expected[2] = Outcome.REFUSED
    assert outcomes(mailer, emails) == expected
    assert fake_sendgrid.requests == 1


def test_a_reader_costs_at_most_six_hundred_bytes_beside_the_shared_words() -> None:
    many, few = (len(requests_for(make_batch(count))[0].body) for count in (200, 100))
    assert (many - few) / 100 <= 600
    assert make_email().form is None
