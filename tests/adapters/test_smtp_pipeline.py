"""However a server slips, nobody gets a mail that was for another, and none is told twice."""

import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from email import message_from_bytes

import pytest

from funnel.adapters.mime import build_mime
from funnel.adapters.smtp import SmtpMailer
from funnel.adapters.smtp_dialogue import Patience
from funnel.domain.ports import Outcome, OutgoingEmail, SendResult
from tests.adapters.harness import make_batch
from tests.support.scripted_smtp import DROP, HANG, Manner, ScriptedSmtp, Slip

PATIENT = Patience(command=5.0, hand_over=10.0, final=10.0)
PATIENT_AT_THE_END = Patience(final=100.0)
SLIPS = {
    "sender later": Slip({"MAIL": "451 later"}),
    "sender refused": Slip({"MAIL": "550 not you", "RCPT": "503 no", "DATA": "503 no"}),
    "sender refused, content wanted": Slip({"MAIL": "550 not you"}),
    "sender, closing": Slip({"MAIL": "421 bye"}),
    "sender, gone": Slip({"MAIL": DROP}),
    "reader refused": Slip({"RCPT": "550 5.1.1 nobody"}),
    "reader refused in two lines": Slip({"RCPT": "550-5.1.1 no\r\n550 5.1.1 nobody"}),
    "reader refused, content wanted": Slip({"RCPT": "550 5.1.1 nobody", "DATA": "354 go"}),
    "reader later, content wanted": Slip({"RCPT": "450 greylisted", "DATA": "354 go"}),
    "reader refused, content wanted and kept": Slip(
        {"RCPT": "550 5.1.1 nobody", "DATA": "354 go"}, keeps=True
    ),
    "reader, closing": Slip({"RCPT": "421 bye"}),
    "reader, nonsense": Slip({"RCPT": "hello"}),
    "reader, gone": Slip({"RCPT": DROP}),
    "content refused": Slip({"DATA": "554 no valid recipients"}),
    "content later": Slip({"DATA": "451 later"}),
    "content, wrong answer": Slip({"DATA": "250 ok"}),
    "content, gone": Slip({"DATA": DROP}),
    "gone in the content": Slip({"half": DROP}),
    "mail refused": Slip({".": "554 spam"}),
    "mail later": Slip({".": "451 later"}),
    "mail, wrong answer but kept": Slip({".": "354 what"}, keeps=True),
    "mail, nonsense": Slip({".": "hello"}),
    "mail, closing": Slip({".": "421 bye"}),
    "mail, gone": Slip({".": DROP}),
    "mail kept, gone": Slip({".": DROP}, keeps=True),
    "mail in two lines": Slip({".": "250-taken\r\n250 as 17"}),
}
COPIES = {Outcome.ACCEPTED: {1}, Outcome.AMBIGUOUS: {0, 1}}


def assert_nobody_got_anothers_mail(
    server: ScriptedSmtp, emails: list[OutgoingEmail], results: list[SendResult]
) -> None:
    for given in server.given:
        assert str(message_from_bytes(given.content)["To"]) == given.recipient
        assert not given.was_refused
    copies = Counter(given.recipient for given in server.given)
    assert [result.message_id for result in results] == [email.message_id for email in emails]
    for email, result in zip(emails, results, strict=True):
        assert copies[email.to_address] in COPIES.get(result.outcome, {0}), result


@pytest.mark.parametrize(
    ("manner", "is_pipelining"), [*[(manner, True) for manner in Manner], (Manner.WHOLE, False)]
)
@pytest.mark.parametrize("slip", SLIPS.values(), ids=SLIPS)
def test_a_slip_in_the_midst_meets_only_its_own_mail(
    slip: Slip, manner: Manner, is_pipelining: bool
) -> None:
    emails = make_batch(4)
    with (
        ScriptedSmtp({2: slip}, manner, is_pipelining) as server,
        closing(SmtpMailer(server.url(), patience=PATIENT)) as mailer,
    ):
        results = mailer.send(emails)
        mailer.close()
    assert_nobody_got_anothers_mail(server, emails, results)
    is_about_us = results[1].outcome is Outcome.ACCOUNT_REFUSED
    after = Outcome.ACCOUNT_REFUSED if is_about_us else Outcome.ACCEPTED
    assert [results[at].outcome for at in (0, 2, 3)] == [Outcome.ACCEPTED, after, after]


@pytest.mark.parametrize("seed", range(12))
def test_many_slips_over_several_connections_meet_only_their_own_mails(seed: int) -> None:
    chance = random.Random(seed)
    slips = {
        number: chance.choice(list(SLIPS.values())) for number in range(1, 80)
        if chance.random() < 0.3
    }  # fmt: skip
    emails = make_batch(40)
    with (
        ScriptedSmtp(slips, chance.choice(list(Manner))) as server,
        closing(SmtpMailer(server.url(connections=3), patience=PATIENT)) as mailer,
    ):
        batches = [mailer.send(emails[start : start + 10]) for start in range(0, 40, 10)]
        results = [result for batch in batches for result in batch]
        mailer.close()
    assert_nobody_got_anothers_mail(server, emails, results)
    assert Outcome.ACCEPTED in {result.outcome for result in results}


def test_a_pipelining_server_is_told_of_the_next_mail_with_the_end_of_the_last() -> None:
    emails = make_batch(3)
    with ScriptedSmtp({}) as server, closing(SmtpMailer(server.url())) as mailer:
        assert {result.outcome for result in mailer.send(emails)} == {Outcome.ACCEPTED}
        assert {result.outcome for result in mailer.send(make_batch(3))} == {Outcome.ACCEPTED}
        mailer.close()
    assert (server.connections, server.transactions) == (1, 6)


def test_a_batch_is_spread_over_the_connections_of_the_url() -> None:
    with ScriptedSmtp({}) as server, closing(SmtpMailer(server.url(connections=3))) as mailer:
        results = mailer.send(make_batch(60))
        assert {result.outcome for result in results} == {Outcome.ACCEPTED}
        mailer.close()
    assert 1 <= server.connections <= 3
    assert server.transactions == 60


@pytest.mark.parametrize(("delay", "is_slow"), [(0.0, False), (0.05, True)])
def test_only_a_server_that_takes_its_time_is_met_with_all_connections(
    delay: float, is_slow: bool
) -> None:
    with (
        ScriptedSmtp({}, delay=delay) as server,
        closing(SmtpMailer(server.url(connections=8))) as mailer,
    ):
        mailer.send(make_batch(4))
        results = mailer.send(make_batch(60))
        mailer.close()
    assert {result.outcome for result in results} == {Outcome.ACCEPTED}
    assert (server.connections == 8) == is_slow


def test_a_mail_that_may_not_leave_is_never_announced() -> None:
    emails = make_batch(3)
    emails[1] = make_batch(1, from_name="a\r\nb")[0]
    with ScriptedSmtp({}) as server, closing(SmtpMailer(server.url())) as mailer:
        found = [result.outcome for result in mailer.send(emails)]
        mailer.close()
    assert found == [Outcome.ACCEPTED, Outcome.REFUSED, Outcome.ACCEPTED]
    assert server.transactions == 2


def test_without_time_left_nothing_begins_and_nothing_is_sent() -> None:
    with (
        ScriptedSmtp({}) as server,
        closing(SmtpMailer(server.url(), patience=Patience(begin=0.0))) as mailer,
    ):
        results = mailer.send(make_batch(3))
    assert {result.outcome for result in results} == {Outcome.NOT_SENT_THROTTLED}
    assert server.connections == 0


def test_a_machine_that_slept_in_a_call_begins_no_further_mail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    emails, slept, boot_time = make_batch(3), [0.0], time.clock_gettime

    def build(email: OutgoingEmail) -> bytes:
        slept[0] += 3600.0 * (email is emails[1])
        return build_mime(email)

    monkeypatch.setattr("funnel.adapters.smtp.build_mime", build)
    monkeypatch.setattr(time, "clock_gettime", lambda clock: boot_time(clock) + slept[0])
    with ScriptedSmtp({}) as server, closing(SmtpMailer(server.url())) as mailer:
        found = [result.outcome for result in mailer.send(emails)]
    assert found == [Outcome.ACCEPTED] + [Outcome.NOT_SENT_THROTTLED] * 2


def test_a_connection_that_hangs_holds_only_its_own_mail_and_the_next() -> None:
    emails = make_batch(20)
    slip = Slip({".": HANG}, keeps=True)
    with (
        ScriptedSmtp({3: slip}) as server,
        closing(SmtpMailer(server.url(connections=2), patience=PATIENT_AT_THE_END)) as mailer,
        ThreadPoolExecutor(1) as thread,
    ):
        sending = thread.submit(mailer.send, emails)
        while len(server.given) < 19:  # all but the one that waits behind the hanging one
            assert not sending.done()
        server.let_go.set()
        results = sending.result()
        mailer.close()
    assert_nobody_got_anothers_mail(server, emails, results)
    assert Counter(result.outcome for result in results) == {
        Outcome.AMBIGUOUS: 1, Outcome.ACCEPTED: 19,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("slip", "found"),
    [
        (Slip({".": DROP}, keeps=True), [Outcome.AMBIGUOUS] * 3 + [Outcome.NOT_SENT_RETRY] * 9),
        (Slip({".": "354 what"}), [Outcome.AMBIGUOUS] * 3 + [Outcome.NOT_SENT_RETRY] * 9),
        (Slip({"DATA": DROP}), [Outcome.NOT_SENT_RETRY] * 12),
        (Slip({"MAIL": "530 sign in first"}), [Outcome.ACCOUNT_REFUSED] * 12),
        (Slip({"RCPT": "450 greylisted"}), [Outcome.NOT_SENT_RETRY] * 12),
        (Slip({"RCPT": "550 5.1.8 bad sender"}), [Outcome.ACCOUNT_REFUSED] * 12),
        (
            Slip({"RCPT": "554 5.7.1 denied"}),
            [Outcome.ACCOUNT_REFUSED] * 3 + [Outcome.NOT_SENT_RETRY] * 9,
        ),
    ],
    ids=[
        "no answer",
        "wrong answer",
        "gone",
        "account refused",
        "readers later",
        "sender",
        "policy",
    ],
)
def test_a_server_in_trouble_is_left_alone_after_a_few_mails(
    slip: Slip, found: list[Outcome]
) -> None:
    emails = make_batch(12)
    with (
        ScriptedSmtp(dict.fromkeys(range(1, 100), slip)) as server,
        closing(SmtpMailer(server.url(), patience=PATIENT)) as mailer,
    ):
        assert [result.outcome for result in mailer.send(emails)] == found
    is_about_readers = slip.replies.get("RCPT", "").startswith("4")
    assert (server.transactions >= 12) == is_about_readers


@pytest.mark.parametrize("refused", [1, 4])
def test_a_policy_that_meets_one_reader_of_several_is_about_that_reader(refused: int) -> None:
    emails = make_batch(6)
    slip = Slip({"RCPT": "550 5.7.1 not to them"})
    with (
        ScriptedSmtp({refused: slip}) as server,
        closing(SmtpMailer(server.url(), patience=PATIENT)) as mailer,
    ):
        found = Counter(result.outcome for result in mailer.send(emails))
    assert found == {Outcome.REFUSED: 1, Outcome.ACCEPTED: 5}
