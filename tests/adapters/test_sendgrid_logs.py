"""Asking SendGrid's logs: only what they surely tell counts, in either direction."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from funnel.adapters.sendgrid import SendGridMailer
from funnel.adapters.sendgrid_api import Patience
from funnel.domain.errors import CannotTellNow
from funnel.domain.ports import Outcome, OutgoingEmail
from tests.adapters.harness import make_batch, make_email
from tests.support import fake_sendgrid as faults
from tests.support.fake_sendgrid import FakeSendGrid, Fault


@pytest.fixture
def mailer(fake_sendgrid: FakeSendGrid) -> Iterator[SendGridMailer]:
    with closing(
        SendGridMailer(fake_sendgrid.api_key, fake_sendgrid.url, patience=Patience(total=5.0))
    ) as mailer:
        yield mailer


def asked(mailer: SendGridMailer, email: OutgoingEmail, **shift: float) -> bool | None:
    since = datetime.now(UTC) + timedelta(**shift)
    return mailer.was_accepted(email.message_id, email.to_address, since)


def test_a_mail_whose_answer_was_lost_is_found_by_its_id_and_another_is_not(
    mailer: SendGridMailer, fake_sendgrid: FakeSendGrid
) -> None:
    fake_sendgrid.faults.append(faults.ACCEPTED_THEN_DROPPED)
    email = make_email()
    assert mailer.send([email])[0].outcome is Outcome.AMBIGUOUS
    assert asked(mailer, email) is True
    assert asked(mailer, make_email()) is False


def test_each_mail_of_a_batch_is_found(mailer: SendGridMailer, fake_sendgrid: FakeSendGrid) -> None:
    emails = make_batch(3)
    mailer.send(emails)
    assert [asked(mailer, email) for email in emails] == [True] * 3
    assert fake_sendgrid.log_questions == 6


def test_a_mail_not_in_the_logs_yet_is_absent_and_found_later(
    mailer: SendGridMailer, fake_sendgrid: FakeSendGrid
) -> None:
    email = make_email()
    fake_sendgrid.log_lag = timedelta(hours=1)
    mailer.send([email])
    assert asked(mailer, email) is False
    fake_sendgrid.log_lag = timedelta()
    assert asked(mailer, email) is True


def test_what_was_sent_before_the_hand_over_is_not_looked_at_but_for_a_wrong_clock(
    mailer: SendGridMailer,
) -> None:
    email = make_email()
    mailer.send([email])
    assert asked(mailer, email, hours=23) is True
    assert asked(mailer, email, hours=25) is False


def test_a_reader_with_capital_letters_is_also_asked_for_in_small_ones(
    mailer: SendGridMailer,
) -> None:
    email = make_email(to_address="Ada@example.org")
    mailer.send([make_email(message_id=email.message_id, to_address="ada@example.org")])
    assert asked(mailer, email) is True


@pytest.mark.parametrize("address", ["o'brien@example.org", "a'@x.org' OR '1'='1"])
def test_an_address_with_a_quote_is_not_asked_for(
    mailer: SendGridMailer, fake_sendgrid: FakeSendGrid, address: str
) -> None:
    assert mailer.was_accepted(uuid4(), address, datetime.now(UTC)) is None
    assert fake_sendgrid.log_questions == 0


AWAY = {
    "throttled": Fault(429),
    "broken": faults.BROKEN,
    "reset": faults.RESET,
    "cut short": faults.CUT_SHORT,
}
UNCLEAR = {
    "not on this plan": Fault(403),
    "unknown key": Fault(401),
    "refused query": Fault(400),
    "not json": Fault(200, body=b"<html>"),
    "a list": Fault(200, body=b"[]"),
    "nothing in it": Fault(200, body=b"{}"),
    "no ids": Fault(200, body=b'{"messages":[{}]}'),
    "no list": Fault(200, body=b'{"messages":7}'),
    "not found after all": Fault(404),
}


@pytest.mark.parametrize("place", [0, 1], ids=["the search", "the message"])
@pytest.mark.parametrize("fault", UNCLEAR.values(), ids=UNCLEAR)
def test_an_answer_that_does_not_tell_proves_nothing(
    mailer: SendGridMailer, fake_sendgrid: FakeSendGrid, fault: Fault, place: int
) -> None:
    mailer.send([make_email()])
    fake_sendgrid.log_faults.extend([None] * place)
    fake_sendgrid.log_faults.append(fault)
    assert asked(mailer, make_email()) is None


@pytest.mark.parametrize("place", [0, 1], ids=["the search", "the message"])
@pytest.mark.parametrize("fault", AWAY.values(), ids=AWAY)
def test_logs_that_are_away_may_tell_later(
    mailer: SendGridMailer, fake_sendgrid: FakeSendGrid, fault: Fault, place: int
) -> None:
    email = make_email()
    mailer.send([email])
    fake_sendgrid.log_faults.extend([None] * place)
    fake_sendgrid.log_faults.append(fault)
    with pytest.raises(CannotTellNow):
        asked(mailer, email)
    assert asked(mailer, email) is True


def test_the_date_of_the_logs_answer_is_kept_for_the_watch_over_the_clocks(
    mailer: SendGridMailer, fake_sendgrid: FakeSendGrid
) -> None:
    date = ("Date", "Mon, 01 Jun 2026 08:29:00 GMT")
    fake_sendgrid.log_faults.append(Fault(200, body=b"{}", headers=(date,)))
    asked(mailer, make_email())
    assert mailer.last_date_seen is not None
    assert mailer.last_date_seen[0] == datetime(2026, 6, 1, 8, 29, tzinfo=UTC)


def test_more_mails_than_are_looked_at_prove_no_absence(
    mailer: SendGridMailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("funnel.adapters.sendgrid_logs.MOST", 2)
    emails = [make_email() for _ in range(3)]
    mailer.send([emails[0]])
    assert asked(mailer, emails[1]) is False
    mailer.send([emails[1]])
    assert asked(mailer, emails[1]) is True
    assert asked(mailer, emails[2]) is None


def test_a_slow_log_holds_nobody_longer_than_the_deadline(fake_sendgrid: FakeSendGrid) -> None:
    fake_sendgrid.log_faults.append(faults.TRICKLING)
    with (
        closing(
            SendGridMailer(fake_sendgrid.api_key, fake_sendgrid.url, patience=Patience(total=0.3))
        ) as mailer,
        pytest.raises(CannotTellNow),
    ):
        asked(mailer, make_email())


def test_nobody_listening_tells_nothing() -> None:
    with (
        closing(SendGridMailer("SG.key", "http://127.0.0.1:1")) as mailer,
        pytest.raises(CannotTellNow),
    ):
        asked(mailer, make_email())
