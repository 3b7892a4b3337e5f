"""SendGrid's answers and silences, and what a request does and does not say."""

import logging
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from funnel.adapters.sendgrid import SendGridMailer
from funnel.adapters.sendgrid_api import Patience
from funnel.adapters.sendgrid_requests import payload
from funnel.domain.clock import ManualClock
from funnel.domain.errors import SettingInvalid
from funnel.domain.ports import MailClass, Outcome, SendResult
from tests.adapters.harness import UNSUBSCRIBE_URL, make_email, make_emails
from tests.support import fake_sendgrid as faults
from tests.support.fake_sendgrid import FakeSendGrid, Fault

NOW = datetime(2026, 6, 1, 8, 30, tzinfo=UTC)
IN_A_MINUTE = NOW + timedelta(minutes=1)
HURRIED = Patience(total=1.5)

ANSWERS = {
    200: Outcome.AMBIGUOUS,
    202: Outcome.ACCEPTED,
    204: Outcome.AMBIGUOUS,
    301: Outcome.AMBIGUOUS,
    307: Outcome.AMBIGUOUS,
    400: Outcome.REFUSED,
    401: Outcome.ACCOUNT_REFUSED,
    403: Outcome.ACCOUNT_REFUSED,
    404: Outcome.ACCOUNT_REFUSED,
    405: Outcome.ACCOUNT_REFUSED,
    408: Outcome.AMBIGUOUS,
    413: Outcome.REFUSED,
    415: Outcome.ACCOUNT_REFUSED,
    429: Outcome.NOT_SENT_THROTTLED,
    500: Outcome.AMBIGUOUS,
    502: Outcome.AMBIGUOUS,
    503: Outcome.AMBIGUOUS,
    504: Outcome.AMBIGUOUS,
    599: Outcome.AMBIGUOUS,
}
FAULTS = {
    "broken": (faults.BROKEN, Outcome.AMBIGUOUS),
    "broken but accepted": (faults.BROKEN_BUT_ACCEPTED, Outcome.AMBIGUOUS),
    "accepted then dropped": (faults.ACCEPTED_THEN_DROPPED, Outcome.AMBIGUOUS),
    "accepted then reset": (faults.ACCEPTED_THEN_RESET, Outcome.AMBIGUOUS),
    "reset": (faults.RESET, Outcome.AMBIGUOUS),
    "cut short": (faults.CUT_SHORT, Outcome.AMBIGUOUS),
    "without id": (faults.WITHOUT_ID, Outcome.ACCEPTED),
    "a book for an answer": (Fault(accepts=True, body=b"x" * 1_000_000), Outcome.ACCEPTED),
    "throttled": (faults.THROTTLED, Outcome.NOT_SENT_THROTTLED),
    "wrong json": (faults.WRONG_JSON, Outcome.REFUSED),
}


@pytest.fixture
def mailer(fake_sendgrid: FakeSendGrid) -> Iterator[SendGridMailer]:
    with closing(
        SendGridMailer(fake_sendgrid.api_key, fake_sendgrid.url, clock=ManualClock(NOW))
    ) as mailer:
        yield mailer


def result_of(mailer: SendGridMailer) -> SendResult:
    (result,) = mailer.send([make_email()])
    return result


# Answers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "outcome"), ANSWERS.items())
def test_every_answer_has_its_class(
    mailer: SendGridMailer, fake_sendgrid: FakeSendGrid, status: int, outcome: Outcome
) -> None:
    fake_sendgrid.faults.append(
        Fault(status, headers=(("Location", f"{fake_sendgrid.url}/v3/mail/send"),))
    )
    result = result_of(mailer)
    assert (result.outcome, result.status_code) == (outcome, status)
    assert fake_sendgrid.requests == 1


@pytest.mark.parametrize(("fault", "outcome"), FAULTS.values(), ids=FAULTS)
def test_every_fault_has_its_class_and_none_is_tried_again(
    mailer: SendGridMailer, fake_sendgrid: FakeSendGrid, fault: Fault, outcome: Outcome
) -> None:
    fake_sendgrid.faults.append(fault)
    assert result_of(mailer).outcome is outcome
    assert fake_sendgrid.requests == 1
    assert len(fake_sendgrid.accepted) == fault.accepts
    assert result_of(mailer).outcome is Outcome.ACCEPTED


@pytest.mark.parametrize("body", [b"", b" " * 9999], ids=["from the start", "in the body"])
def test_a_server_that_trickles_holds_nobody_longer_than_the_deadline(
    fake_sendgrid: FakeSendGrid, body: bytes
) -> None:
    fake_sendgrid.faults.append(replace(faults.TRICKLING, body=body))
    with closing(
        SendGridMailer(fake_sendgrid.api_key, fake_sendgrid.url, patience=HURRIED)
    ) as mailer:
        assert result_of(mailer).outcome is Outcome.AMBIGUOUS
    assert len(fake_sendgrid.accepted) == 1


def test_an_accepted_mail_keeps_the_id_sendgrid_gave_it(
    mailer: SendGridMailer, fake_sendgrid: FakeSendGrid
) -> None:
    result = result_of(mailer)
    assert result.provider_id == fake_sendgrid.accepted[0].x_message_id


def test_a_mail_accepted_without_an_id_is_accepted_all_the_same(
    mailer: SendGridMailer, fake_sendgrid: FakeSendGrid
) -> None:
    fake_sendgrid.faults.append(faults.WITHOUT_ID)
    assert result_of(mailer).provider_id is None


def test_a_server_that_takes_the_request_and_says_nothing_is_ambiguous() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with closing(SendGridMailer("SG.key", url, patience=HURRIED)) as mailer:
            assert result_of(mailer).outcome is Outcome.AMBIGUOUS


def test_nobody_listening_means_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with closing(SendGridMailer("SG.key", f"http://127.0.0.1:{port}")) as mailer:
        assert result_of(mailer).outcome is Outcome.NOT_SENT_RETRY


def test_a_failure_of_tls_means_not_sent(fake_sendgrid: FakeSendGrid) -> None:
    url = fake_sendgrid.url.replace("http://", "https://")
    with closing(SendGridMailer("SG.key", url, patience=HURRIED)) as mailer:
        assert result_of(mailer).outcome is Outcome.NOT_SENT_RETRY
    assert fake_sendgrid.requests == 0


def test_many_mails_go_over_one_connection(
    mailer: SendGridMailer, fake_sendgrid: FakeSendGrid
) -> None:
    for email in make_emails(10):
        mailer.send([email])
    assert (fake_sendgrid.requests, fake_sendgrid.connections) == (10, 1)


def test_mails_that_share_nothing_go_over_a_few_connections_at_once(
    mailer: SendGridMailer, fake_sendgrid: FakeSendGrid
) -> None:
    mailer.send(make_emails(40))
    assert fake_sendgrid.requests == len(fake_sendgrid.accepted) == 40
    assert fake_sendgrid.connections <= 4


def test_a_kept_connection_that_was_closed_is_replaced_before_anything_is_sent(
    mailer: SendGridMailer, fake_sendgrid: FakeSendGrid
) -> None:
    mailer.send(make_emails(1))
    fake_sendgrid.drop_connections()
    assert result_of(mailer).outcome is Outcome.ACCEPTED
    assert fake_sendgrid.connections == 2


def test_a_call_takes_no_longer_than_it_promises() -> None:
    with closing(SendGridMailer("SG.key")) as usual:
        assert usual.answer_seconds == 60
    with closing(SendGridMailer("SG.key", patience=HURRIED)) as hurried:
        assert hurried.answer_seconds == HURRIED.begin + HURRIED.total


@pytest.mark.parametrize(
    ("headers", "retry_at"),
    [
        ({}, None),
        ({"X-RateLimit-Reset": str(int(IN_A_MINUTE.timestamp()))}, IN_A_MINUTE),
        ({"Retry-After": "60"}, IN_A_MINUTE),
        ({"Retry-After": "Mon, 01 Jun 2026 08:31:00 GMT"}, IN_A_MINUTE),
        ({"Retry-After": "Mon, 01 Jun 2026 08:31:00 -0000"}, IN_A_MINUTE),
        (
            {"X-RateLimit-Reset": str(int(NOW.timestamp()) + 5), "Retry-After": "60"},
            IN_A_MINUTE,
        ),
        (
            {"X-RateLimit-Reset": str(int(IN_A_MINUTE.timestamp())), "Retry-After": "5"},
            IN_A_MINUTE,
        ),
        ({"X-RateLimit-Reset": "1"}, NOW),
        ({"Retry-After": "0"}, NOW),
        ({"Retry-After": "99999999999"}, NOW + timedelta(hours=1)),
        ({"X-RateLimit-Reset": "99999999999"}, NOW + timedelta(hours=1)),
        ({"X-RateLimit-Reset": "soon", "Retry-After": "later"}, None),
        ({"X-RateLimit-Reset": "-5", "Retry-After": "1e3"}, None),
        ({"X-RateLimit-Reset": "9" * 30, "Retry-After": "9" * 30}, None),
        ({"X-RateLimit-Reset": "", "Retry-After": ""}, None),
        ({"Retry-After": "Mon, 99 Jun 2026 99:99:99 GMT"}, None),
    ],
)
def test_a_throttled_mail_waits_as_long_as_sendgrid_asks_within_reason(
    mailer: SendGridMailer,
    fake_sendgrid: FakeSendGrid,
    headers: dict[str, str],
    retry_at: datetime | None,
) -> None:
    fake_sendgrid.faults.append(Fault(429, headers=tuple(headers.items())))
    assert result_of(mailer).retry_at == retry_at


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (
            b'{"errors":[{"message":"bad ada@example.org","field":"personalizations.0.to"}]}',
            "SendGrid refused it as malformed (personalizations.0.to).",
        ),
        (b'{"errors":[{"message":"x","field":null}]}', "SendGrid refused it as malformed."),
        (b'{"errors":[{"field":"ada@example.org"}]}', "SendGrid refused it as malformed."),
        (b'{"errors":[1]}', "SendGrid refused it as malformed."),
        (b'{"errors":7}', "SendGrid refused it as malformed."),
        (b"[]", "SendGrid refused it as malformed."),
        (b"", "SendGrid refused it as malformed."),
        (b"\xff\xfe", "SendGrid refused it as malformed."),
        (b"[" * 50_000, "SendGrid refused it as malformed."),
    ],
    ids=range(9),
)
def test_a_refusal_names_the_field_at_fault_and_nothing_about_the_reader(
    mailer: SendGridMailer, fake_sendgrid: FakeSendGrid, body: bytes, why: str
) -> None:
    fake_sendgrid.faults.append(Fault(400, body=body))
    assert result_of(mailer).why == why


@pytest.mark.parametrize(
    ("date", "theirs"),
    [
        ("Mon, 01 Jun 2026 08:29:00 GMT", NOW - timedelta(minutes=1)),
        ("yesterday", None),
        ("", None),
        ("Mon, 99 Jun 2026 99:99:99 GMT", None),
        ("Mon, 01 Jun 99999999999999999999 08:29:00 GMT", None),
    ],
)
def test_the_date_of_an_answer_is_kept_beside_our_own_seconds(
    mailer: SendGridMailer, fake_sendgrid: FakeSendGrid, date: str, theirs: datetime | None
) -> None:
    assert mailer.last_date_seen is None
    fake_sendgrid.faults.append(Fault(202, accepts=True, headers=(("Date", date),)))
    result_of(mailer)
    assert mailer.last_date_seen == (None if theirs is None else (theirs, NOW.timestamp()))


# Secrets ----------------------------------------------------------------------------------------


def test_the_key_shows_nowhere_even_when_everything_is_logged(
    fake_sendgrid: FakeSendGrid, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shown: list[object] = []
    for key in (fake_sendgrid.api_key, "SG.a-wrong-key"):
        with closing(SendGridMailer(key, fake_sendgrid.url)) as mailer:
            fake_sendgrid.faults.extend([None, faults.RESET, faults.BROKEN])
            shown += [mailer, *mailer.send(make_emails(4))]
            fake_sendgrid.faults.clear()
    with closing(SendGridMailer(fake_sendgrid.api_key, "http://127.0.0.1:1")) as mailer:
        shown += [mailer, *mailer.send(make_emails(1))]
    text = f"{shown!r} {caplog.text}"
    assert "httpcore" in text
    assert fake_sendgrid.api_key not in text
    assert "SG.a-wrong-key" not in text


@pytest.mark.parametrize("key", ["", " ", "SG.secret\r\nX: y", "SG.secret key", "SG.sécret"])
def test_what_cannot_be_a_key_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(SettingInvalid) as refused:
        SendGridMailer(key)
    assert "SG." not in str(refused.value)


def test_the_line_end_of_a_key_file_is_no_part_of_the_key(fake_sendgrid: FakeSendGrid) -> None:
    with closing(SendGridMailer(f"{fake_sendgrid.api_key}\n", fake_sendgrid.url)) as mailer:
        assert result_of(mailer).outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    "url", ["", "api.sendgrid.com", "http://api.sendgrid.com", "ftp://127.0.0.1", "https://"]
)
def test_the_key_never_travels_in_the_clear(url: str) -> None:
    with pytest.raises(SettingInvalid):
        SendGridMailer("SG.key", url)


# Requests ---------------------------------------------------------------------------------------


def test_a_request_says_this_and_nothing_else() -> None:
    email = make_email()
    off = {"enable": False}
    assert payload(email) == {
        "personalizations": [
            {
                "to": [{"email": "ada@example.org"}],
                "custom_args": {"send_id": str(email.message_id)},
                "headers": {
                    "Message-ID": f"<{email.message_id}@mail.example.org>",
                    "List-Unsubscribe": f"<{UNSUBSCRIBE_URL}>",
                    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                },
            }
        ],
        "from": {"email": "hello@mail.example.org", "name": "Dr Reyes"},
        "reply_to": {"email": "reyes@example.org"},
        "subject": "Day 3: a small habit",
        "content": [
            {"type": "text/plain", "value": "Hello Ada"},
            {"type": "text/html", "value": "<p>Hello Ada</p>"},
        ],
        "headers": {
            "Auto-Submitted": "auto-generated",
            "Feedback-ID": "drip:mail.example.org:email:funnel",
            "List-Id": "<series.mail.example.org>",
        },
        "categories": ["challenge/day-3", "drip"],
        "tracking_settings": {
            "click_tracking": {"enable": False, "enable_text": False},
            "open_tracking": off,
            "subscription_tracking": off,
            "ganalytics": off,
        },
        "mail_settings": {"footer": off, "sandbox_mode": off},
    }


def test_the_message_id_and_a_neutral_label_are_all_that_sendgrid_stores_for_us(
    mailer: SendGridMailer, fake_sendgrid: FakeSendGrid
) -> None:
    email = make_email(subject="Ada, your neck pain", text="Dear Ada", mail_class=MailClass.DELIVER)
    mailer.send([email])
    (mail,) = fake_sendgrid.accepted
    assert mail.personalization["custom_args"] == {"send_id": str(email.message_id)}
    assert mail.payload["categories"] == ["challenge/day-3", "deliver"]
    assert "custom_args" not in mail.payload


def test_a_mail_without_a_label_is_counted_by_its_class_alone() -> None:
    assert payload(make_email(label=""))["categories"] == ["drip"]


def test_a_mail_without_a_reply_address_or_an_unsubscribe_link_is_lawful_for_sendgrid(
    mailer: SendGridMailer, fake_sendgrid: FakeSendGrid
) -> None:
    email = make_email(mail_class=MailClass.CONFIRM, list_unsubscribe_url=None, reply_to=None)
    assert mailer.send([email])[0].outcome is Outcome.ACCEPTED
    assert "reply_to" not in fake_sendgrid.accepted[0].payload
