"""SMTP when it goes wrong: what was surely not sent, what was refused, what nobody can know."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from funnel.adapters.smtp import SmtpMailer
from funnel.adapters.smtp_dialogue import Patience
from funnel.domain.delivery import PATIENCE
from funnel.domain.ports import Outcome
from tests.adapters.harness import make_email, make_emails
from tests.support.scripted_server import scripted
from tests.support.smtp_server import FakeSmtp, Silence, SmtpFault, Stage

HURRIED = Patience(command=0.3, hand_over=0.5)
HURRIED_AT_THE_END = Patience(final=0.3)

SENDER_ANSWERS = [
    ("451 later", Outcome.NOT_SENT_RETRY),
    ("530 authentication required", Outcome.ACCOUNT_REFUSED),
    ("550 sender not allowed", Outcome.ACCOUNT_REFUSED),
    ("552 too large", Outcome.REFUSED),
]
RECIPIENT_ANSWERS = [
    ("421 closing", Outcome.NOT_SENT_RETRY),
    ("450 greylisted, come back", Outcome.NOT_SENT_RETRY),
    ("550 no such user", Outcome.REFUSED),
    ("554 we do not like you", Outcome.REFUSED),
    ("535 sign in first", Outcome.ACCOUNT_REFUSED),
    *[(f"550 5.1.{detail} no", Outcome.ADDRESS_REFUSED) for detail in (1, 2, 3, 6, 10)],
    *[(f"550 5.1.{detail} not you", Outcome.ACCOUNT_REFUSED) for detail in (0, 7, 8, 90)],
    ("550 5.1.4 which one", Outcome.REFUSED),
    ("554 5.7.1 relay access denied", Outcome.ACCOUNT_REFUSED),
    ("550 5.2.1 mailbox closed", Outcome.REFUSED),
    ("hello", Outcome.NOT_SENT_RETRY),
]
FINAL_ANSWERS = [
    ("250 queued as 1234", Outcome.ACCEPTED),
    ("421 closing", Outcome.NOT_SENT_RETRY),
    ("451 try later", Outcome.NOT_SENT_RETRY),
    ("552 too large", Outcome.REFUSED),
    ("554 spam", Outcome.REFUSED),
    ("354 what", Outcome.AMBIGUOUS),
    ("hello", Outcome.AMBIGUOUS),
    ("999 hello", Outcome.AMBIGUOUS),
]


@pytest.fixture(params=[True, False], ids=["pipelining", "step by step"])
def server(request: pytest.FixtureRequest) -> Iterator[FakeSmtp]:
    with FakeSmtp(is_pipelining=request.param) as server:
        yield server


@pytest.fixture
def mailer(server: FakeSmtp) -> Iterator[SmtpMailer]:
    with closing(SmtpMailer(server.url)) as mailer:
        yield mailer


def outcome_of(mailer: SmtpMailer) -> Outcome:
    (result,) = mailer.send([make_email()])
    return result.outcome


def assert_still_works(mailer: SmtpMailer, server: FakeSmtp) -> None:
    before = len(server.accepted)
    assert outcome_of(mailer) is Outcome.ACCEPTED
    assert len(server.accepted) == before + 1


def test_many_mails_go_over_one_connection(mailer: SmtpMailer, server: FakeSmtp) -> None:
    mailer.send(make_emails(5))
    mailer.send(make_emails(5))
    assert len(server.accepted) == 10
    assert len(server.peers) == 1


def test_the_envelope_is_for_the_one_reader(mailer: SmtpMailer, server: FakeSmtp) -> None:
    mailer.send([make_email(to_address="Ben+x@example.org")])
    (mail,) = server.accepted
    assert mail.sender == "hello@mail.example.org"
    assert mail.recipients == ("Ben+x@example.org",)


def test_a_connection_that_went_stale_is_replaced_unnoticed(
    mailer: SmtpMailer, server: FakeSmtp
) -> None:
    mailer.send(make_emails(1))
    server.drop_connections()
    assert outcome_of(mailer) is Outcome.ACCEPTED
    assert len(server.accepted) == 2
    assert len(server.peers) == 2


def test_a_server_that_wants_to_close_a_kept_connection_gets_a_new_one(
    mailer: SmtpMailer, server: FakeSmtp
) -> None:
    mailer.send(make_emails(1))
    server.faults.append(SmtpFault(Stage.SENDER, "421 idle for too long"))
    assert outcome_of(mailer) is Outcome.ACCEPTED
    assert len(server.peers) == 2


def test_a_new_connection_that_closes_at_once_is_not_tried_again(
    mailer: SmtpMailer, server: FakeSmtp
) -> None:
    server.faults.append(SmtpFault(Stage.SENDER, "421 too many connections"))
    assert outcome_of(mailer) is Outcome.NOT_SENT_RETRY
    assert len(server.peers) == 1
    assert_still_works(mailer, server)


@pytest.mark.parametrize(
    ("stage", "reply", "outcome"),
    [
        *[(Stage.SENDER, reply, outcome) for reply, outcome in SENDER_ANSWERS],
        *[(Stage.RECIPIENT, reply, outcome) for reply, outcome in RECIPIENT_ANSWERS],
    ],
)
def test_a_refusal_before_the_content_sends_nothing(
    mailer: SmtpMailer, server: FakeSmtp, stage: Stage, reply: str, outcome: Outcome
) -> None:
    server.faults.append(SmtpFault(stage, reply))
    assert outcome_of(mailer) is outcome
    assert server.accepted == []
    assert_still_works(mailer, server)


@pytest.mark.parametrize("stage", [Stage.SENDER, Stage.RECIPIENT])
def test_a_connection_lost_before_the_content_means_not_sent(
    mailer: SmtpMailer, server: FakeSmtp, stage: Stage
) -> None:
    server.faults.append(SmtpFault(stage, Silence.DROP))
    assert outcome_of(mailer) is Outcome.NOT_SENT_RETRY
    assert server.accepted == []
    assert_still_works(mailer, server)


@pytest.mark.parametrize("stage", [Stage.SENDER, Stage.RECIPIENT])
def test_a_server_silent_before_the_content_is_left_and_nothing_was_sent(
    server: FakeSmtp, stage: Stage
) -> None:
    server.faults.append(SmtpFault(stage, Silence.STALL))
    with closing(SmtpMailer(server.url, patience=HURRIED)) as mailer:
        assert outcome_of(mailer) is Outcome.NOT_SENT_RETRY
    assert server.accepted == []


@pytest.mark.parametrize(("reply", "outcome"), FINAL_ANSWERS)
def test_the_reply_to_the_final_dot_decides(
    mailer: SmtpMailer, server: FakeSmtp, reply: str, outcome: Outcome
) -> None:
    server.faults.append(SmtpFault(Stage.FINAL, reply))
    assert outcome_of(mailer) is outcome
    assert_still_works(mailer, server)


@pytest.mark.parametrize("accepts", [True, False], ids=["accepted", "not accepted"])
def test_a_connection_lost_after_the_final_dot_is_ambiguous_and_not_tried_again(
    mailer: SmtpMailer, server: FakeSmtp, accepts: bool
) -> None:
    mailer.send(make_emails(1))
    server.faults.append(SmtpFault(Stage.FINAL, Silence.DROP, accepts))
    assert outcome_of(mailer) is Outcome.AMBIGUOUS
    assert len(server.accepted) == 1 + accepts
    assert_still_works(mailer, server)


def test_a_server_silent_after_the_final_dot_is_ambiguous(server: FakeSmtp) -> None:
    server.faults.append(SmtpFault(Stage.FINAL, Silence.STALL, accepts=True))
    with closing(SmtpMailer(server.url, patience=HURRIED_AT_THE_END)) as mailer:
        assert outcome_of(mailer) is Outcome.AMBIGUOUS
    assert len(server.accepted) == 1


def test_by_default_the_final_reply_may_take_ten_minutes_and_the_lease_is_longer() -> None:
    mailer = SmtpMailer("smtp://127.0.0.1")
    assert Patience().final == 600
    assert 600 < mailer.answer_seconds < 900


def test_by_default_nobody_is_written_to_long_after_they_unsubscribed() -> None:
    latest = Patience().begin + PATIENCE.start_seconds
    assert latest <= 35, "seconds from the last look at who may be written to"


def test_a_mail_waits_its_turn_only_so_long(server: FakeSmtp) -> None:
    server.faults.append(SmtpFault(Stage.FINAL, Silence.STALL))
    slow = SmtpMailer(server.url, patience=Patience(turn=0.1))
    busy = threading.Thread(target=slow.send, args=(make_emails(1),))
    busy.start()
    try:
        while server.faults:
            assert busy.is_alive()
        assert outcome_of(slow) is Outcome.NOT_SENT_THROTTLED
    finally:
        server.drop_connections()
        busy.join()
        slow.close()


def test_an_smtp_server_cannot_be_asked_what_it_took(mailer: SmtpMailer) -> None:
    answers = [mailer.was_accepted(uuid4(), "ada@example.org", datetime.now(UTC))]  # type: ignore[func-returns-value]  # that is the point
    assert answers == [None]


# A server that follows a script -----------------------------------------------------------------


def say(text: str) -> Callable[[socket.socket], None]:
    """Say that, then close."""
    return lambda caller: caller.sendall(text.encode())


def trickle(caller: socket.socket) -> None:
    """A greeting that never ends, byte by byte, until the caller has had enough."""
    caller.settimeout(0.01)
    while True:
        try:
            caller.sendall(b"2")
            if caller.recv(100) == b"":
                return
        except TimeoutError:
            continue
        except OSError:
            return


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        (say("554 no service for you\r\n"), Outcome.ACCOUNT_REFUSED),
        (say("421 overloaded\r\n"), Outcome.NOT_SENT_RETRY),
        (say("HTTP/1.1 400 Bad Request\r\n"), Outcome.NOT_SENT_RETRY),
        (say("220 hello\r\n"), Outcome.NOT_SENT_RETRY),
        (say("220-hello\r\n" * 9000), Outcome.NOT_SENT_RETRY),
        (say(""), Outcome.NOT_SENT_RETRY),
        (trickle, Outcome.NOT_SENT_RETRY),
    ],
    ids=["refuses", "overloaded", "not smtp", "leaves", "talks on", "silent", "trickles"],
)
def test_a_bad_greeting_means_not_sent(
    script: Callable[[socket.socket], None], outcome: Outcome
) -> None:
    with scripted(script) as url, closing(SmtpMailer(url, patience=HURRIED)) as mailer:
        assert outcome_of(mailer) is outcome


def test_nobody_listening_means_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with closing(SmtpMailer(f"smtp://localhost:{port}")) as mailer:
        assert outcome_of(mailer) is Outcome.NOT_SENT_RETRY


def test_a_pipelining_server_hears_the_whole_envelope_at_once() -> None:
    heard: list[bytes] = []

    def listen(caller: socket.socket) -> None:
        caller.sendall(b"220 hello\r\n")
        caller.recv(1000)
        caller.sendall(b"250-hello\r\n250 PIPELINING\r\n")
        heard.append(caller.recv(1000))
        caller.sendall(b"250 ok\r\n250 ok\r\n354 go\r\n")
        content = b""
        while not content.endswith(b"\r\n.\r\n"):
            content += caller.recv(10_000)
        caller.sendall(b"250 ok\r\n")

    with scripted(listen) as url, closing(SmtpMailer(url)) as mailer:
        assert outcome_of(mailer) is Outcome.ACCEPTED
    assert heard == [b"MAIL FROM:<hello@mail.example.org>\r\nRCPT TO:<ada@example.org>\r\nDATA\r\n"]
