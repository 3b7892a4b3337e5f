"""What every mailer promises: the local mailbox, SMTP and SendGrid pass the same tests."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from funnel.adapters.mailbox import FileMailbox
from funnel.adapters.sendgrid import SendGridMailer
from funnel.adapters.smtp import SmtpMailer
from funnel.domain.ports import MailboxReader, MailClass, Mailer, Outcome
from tests.adapters.harness import (
    UNSUBSCRIBE_URL,
    Post,
    as_lines,
    make_batch,
    make_email,
    make_emails,
)

SUBJECTS = [
    "Plain",
    "Day 3: shoulders – and what helps",
    "Nackenschmerzen: übermorgen wärmer",
    "肩こりについて",
    "كتفك اليوم",
    "A nurse 👩‍⚕️ writes",
    "£5, 100% & <b>not bold</b> \"quoted\" 'too'",
    "=?utf-8?B?SGVsbG8=?=",
    "Two  spaces   inside",
    "x" * 300,
    "a long subject with many words " * 9 + "that ends",
    "ö" * 200,
    "e\u0301 combining",
]
TEXTS = [
    "One line",
    "Two\nlines\n",
    "Windows\r\nlines\r\n\r\nhere",
    ".\n..\n.leading dots\n.\r\nand the end\n.",
    "trailing space \nand tab\t\nend ",
    "From the start\nFrom again\n",
    "--\nsignature",
    "long " * 600,
    "y" * 5000,
    "=3D =20 = not encoded",
    "“quotes”, naïve café, 肩, 👩‍⚕️, \u2028 and \x0b",
    "\n\n leading and trailing \n\n",
]
UNFIT_IN_HEADERS = [
    "\r\nBcc: q@example.org", "\nBcc: q@example.org", "\r", "\n", "\0", "\x0b", "\x0c", "\t",
    "\x1b[31m", "\x7f", "\x85", "\u2028", "\u2029", "\u202e", "\u2066", "\ud800",
]  # fmt: skip
NOT_ONE_ADDRESS = [
    "a@x.com,b@y.com",
    "a@x.com, b@y.com",
    "a@x.com;b@y.com",
    "a@x.com b@y.com",
    '"a" <b@c.d>',
    "<a@x.com>",
    "a@[127.0.0.1]",
    "a@x.com> SIZE=1",
    "a@",
    "@x.com",
    "a",
    "",
    "a@@x.com",
    ".a@x.com",
    "a..b@x.com",
    "a@x..com",
    "a@-x.com",
    "ä@x.com",
    "a@exämple.org",
    "a@x.com\u00a0",
    "a" * 64 + "@" + "b" * 63 + "." + "c" * 63 + "." + "d" * 63 + ".org",
]


def test_the_adapters_are_what_the_ports_ask_for(tmp_path: Path) -> None:
    box = FileMailbox(tmp_path)
    reader: MailboxReader = box
    mailers: list[Mailer] = [
        box,
        SmtpMailer("smtp://127.0.0.1:25"),
        SendGridMailer("SG.key"),
    ]
    assert reader.items() == []
    assert [mailer.name for mailer in mailers] == ["mailbox", "smtp", "sendgrid"]
    assert all(mailer.batch_size >= 1 for mailer in mailers)


def test_an_email_is_accepted_once_with_the_message_id_it_was_given(post: Post) -> None:
    email = make_email()
    results = post.mailer.send([email])
    assert [(r.message_id, r.outcome) for r in results] == [(email.message_id, Outcome.ACCEPTED)]
    assert [mail.message_id for mail in post.arrived()] == [email.message_id_header]


def test_sender_reader_and_reply_address_arrive(post: Post) -> None:
    post.mailer.send([make_email(from_name='Ana "Bo" Réyes, LMT')])
    (mail,) = post.arrived()
    assert mail.from_name == 'Ana "Bo" Réyes, LMT'
    assert mail.from_address == "hello@mail.example.org"
    assert mail.to_address == "ada@example.org"
    assert mail.reply_to == "reyes@example.org"


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_arrives_as_it_was_written(post: Post, subject: str) -> None:
    post.mailer.send([make_email(subject=subject)])
    assert [mail.subject for mail in post.arrived()] == [subject]


@pytest.mark.parametrize("text", TEXTS)
def test_both_parts_arrive_as_they_were_written(post: Post, text: str) -> None:
    post.mailer.send([make_email(text=text, html=f"<pre>{text}</pre>")])
    (mail,) = post.arrived()
    assert mail.text == as_lines(text)
    assert mail.html == as_lines(f"<pre>{text}</pre>")


def test_results_come_in_the_order_of_the_emails_whatever_became_of_them(post: Post) -> None:
    emails = make_emails(5)
    emails[2] = make_email(subject="a\nb")
    results = post.mailer.send(emails)
    assert [result.message_id for result in results] == [email.message_id for email in emails]
    assert [result.outcome for result in results] == [
        Outcome.ACCEPTED,
        Outcome.ACCEPTED,
        Outcome.REFUSED,
        Outcome.ACCEPTED,
        Outcome.ACCEPTED,
    ]
    assert len(post.arrived()) == 4


@pytest.mark.parametrize("count", [1, 30])
def test_each_reader_of_a_shared_form_gets_their_own_words_once(post: Post, count: int) -> None:
    emails = make_batch(count)
    results = post.mailer.send(emails)
    assert [(r.message_id, r.outcome) for r in results] == [
        (email.message_id, Outcome.ACCEPTED) for email in emails
    ]
    arrived = {mail.to_address: mail for mail in post.arrived()}
    assert len(post.arrived()) == len(arrived) == count
    for email in emails:
        mail = arrived[email.to_address]
        assert (mail.subject, mail.text, mail.html) == (email.subject, email.text, email.html)
        assert mail.message_id == email.message_id_header
        assert mail.lines_of("List-Unsubscribe") == [
            f"List-Unsubscribe: <{email.list_unsubscribe_url}>"
        ]


def test_sending_nothing_gives_no_results(post: Post) -> None:
    assert post.mailer.send([]) == []


def test_the_one_click_unsubscribe_pair_is_on_one_line_each(post: Post) -> None:
    url = f"{UNSUBSCRIBE_URL}{'a' * (998 - len(f'List-Unsubscribe: <{UNSUBSCRIBE_URL}>'))}"
    post.mailer.send([make_email(list_unsubscribe_url=url)])
    (mail,) = post.arrived()
    assert mail.lines_of("List-Unsubscribe") == [f"List-Unsubscribe: <{url}>"]
    assert len(mail.lines_of("List-Unsubscribe")[0].encode()) == 998
    assert mail.lines_of("List-Unsubscribe-Post") == [
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click"
    ]
    assert mail.lines_of("List-Id") == ["List-Id: <series.mail.example.org>"]


def test_a_mail_outside_the_series_names_no_list(post: Post) -> None:
    post.mailer.send([make_email(mail_class=MailClass.CONFIRM, list_unsubscribe_url=None)])
    (mail,) = post.arrived()
    assert not any(line.startswith("List-") for line in mail.header_lines)


def test_headers_say_that_a_machine_wrote_it_and_nothing_about_the_reader(post: Post) -> None:
    post.mailer.send([make_email(to_address="Wilhelmina@example.org")])
    (mail,) = post.arrived()
    assert mail.lines_of("Auto-Submitted") == ["Auto-Submitted: auto-generated"]
    assert mail.lines_of("Feedback-ID") == ["Feedback-ID: drip:mail.example.org:email:funnel"]
    others = [line for line in mail.header_lines if not line.startswith("To:")]
    assert not any("wilhelmina" in line.lower() for line in others)


@pytest.mark.parametrize("unfit", UNFIT_IN_HEADERS, ids=ascii)
@pytest.mark.parametrize(
    "field",
    ["subject", "from_name", "from_address", "to_address", "reply_to", "list_unsubscribe_url"],
)
def test_a_hostile_header_is_refused_before_anything_leaves(
    post: Post, field: str, unfit: str
) -> None:
    email = make_email()
    hostile = make_email(**{field: f"{getattr(email, field)}{unfit}"})
    (result,) = post.mailer.send([hostile])
    assert result.outcome is Outcome.REFUSED
    assert post.arrived() == []


@pytest.mark.parametrize("address", NOT_ONE_ADDRESS, ids=ascii)
@pytest.mark.parametrize("field", ["to_address", "from_address", "reply_to"])
def test_what_is_not_one_plain_address_is_refused(post: Post, field: str, address: str) -> None:
    (result,) = post.mailer.send([make_email(**{field: address})])
    assert result.outcome is Outcome.REFUSED
    assert post.arrived() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"list_unsubscribe_url": None},
        {"list_unsubscribe_url": ""},
        {"list_unsubscribe_url": "http://mail.example.org/u/1"},
        {"list_unsubscribe_url": "http://localhost.example.org/u/1"},
        {"list_unsubscribe_url": "mailto:leave@example.org"},
        {"list_unsubscribe_url": "https://mail.example.org/u/1> <mailto:x@example.org"},
        {"list_unsubscribe_url": "https://mail.example.org/ü"},
        {"list_unsubscribe_url": "https://mail.example.org/" + "u" * 1000},
        {"subject": ""},
        {"subject": "  "},
        {"text": ""},
        {"text": " \n"},
        {"html": ""},
        {"text": "half a character \ud83d"},
        {"html": "<p>\0</p>"},
    ],
    ids=ascii,
)
def test_an_unfit_mail_is_refused_before_anything_leaves(
    post: Post, changes: dict[str, str | None]
) -> None:
    (result,) = post.mailer.send([make_email(**changes)])
    assert result.outcome is Outcome.REFUSED
    assert post.arrived() == []


def test_a_trial_on_this_machine_may_unsubscribe_over_plain_http(post: Post) -> None:
    email = make_email(list_unsubscribe_url="http://127.0.0.1:8000/u/1")
    assert post.mailer.send([email])[0].outcome is Outcome.ACCEPTED


def test_no_result_tells_who_the_reader_is(post: Post) -> None:
    emails = [
        make_email(to_address="wilhelmina@example.org"),
        make_email(to_address="wilhelmina@example.org,ben@example.org"),
    ]
    results = post.mailer.send(emails)
    assert [result.outcome for result in results] == [Outcome.ACCEPTED, Outcome.REFUSED]
    assert "wilhelmina" not in f"{results}".lower()


def test_a_second_send_of_the_same_message_shows(post: Post) -> None:
    email = make_email()
    post.mailer.send([email])
    post.mailer.send([email])
    first, second = post.arrived()
    assert first == second


def test_closing_twice_is_harmless(post: Post) -> None:
    post.mailer.send([make_email()])
    post.mailer.close()
    post.mailer.close()


def test_closing_before_the_first_send_is_harmless(post: Post) -> None:
    post.mailer.close()
    assert post.arrived() == []


def test_a_mailer_that_was_closed_sends_again(post: Post) -> None:
    post.mailer.close()
    assert post.mailer.send([make_email()])[0].outcome is Outcome.ACCEPTED


def test_threads_may_share_a_mailer(post: Post) -> None:
    emails = make_emails(24)
    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda email: post.mailer.send([email])[0], emails))
    assert [r.message_id for r in results] == [email.message_id for email in emails]
    assert {r.outcome for r in results} == {Outcome.ACCEPTED}
    assert Counter(mail.message_id for mail in post.arrived()) == Counter(
        email.message_id_header for email in emails
    )
