"""The local mailbox as its reader sees it."""

import os
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from funnel.adapters.mailbox import FileMailbox
from funnel.domain.ports import Outcome
from tests.adapters.harness import WRITTEN_AT, make_email, make_emails


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "var" / "mailbox"


@pytest.fixture
def mailbox(folder: Path) -> FileMailbox:
    return FileMailbox(folder)


def test_the_newest_arrival_comes_first(mailbox: FileMailbox) -> None:
    mailbox.send(make_emails(5))
    assert [item.to_address for item in mailbox.items()] == [
        f"reader{number}@example.org" for number in (5, 4, 3, 2, 1)
    ]


def test_the_list_ends_at_its_limit(mailbox: FileMailbox) -> None:
    mailbox.send(make_emails(5))
    assert [item.to_address for item in mailbox.items(limit=2)] == [
        "reader5@example.org",
        "reader4@example.org",
    ]


def test_an_item_tells_reader_subject_and_the_mails_own_time(mailbox: FileMailbox) -> None:
    mailbox.send([make_email(subject="Día 3 – 肩")])
    (item,) = mailbox.items()
    assert item.to_address == "ada@example.org"
    assert item.subject == "Día 3 – 肩"
    assert item.sent_at == WRITTEN_AT


def test_an_opened_mail_shows_both_parts_and_every_header(mailbox: FileMailbox) -> None:
    email = make_email(text="Hallo\n\nÄda ", html="<p>Äda</p>")
    mailbox.send([email])
    (item,) = mailbox.items()
    message = mailbox.message(item.key)
    assert message is not None
    assert (message.item, message.text, message.html) == (item, "Hallo\n\nÄda ", "<p>Äda</p>")
    headers = dict(message.headers)
    assert headers["Message-ID"] == email.message_id_header
    assert headers["List-Unsubscribe"] == f"<{email.list_unsubscribe_url}>"
    assert message.headers[0] == ("From", "Dr Reyes <hello@mail.example.org>")


def test_a_duplicate_is_a_second_file_and_the_first_stays_as_it_was(
    mailbox: FileMailbox, folder: Path
) -> None:
    email = make_email()
    mailbox.send([email])
    (first,) = folder.glob("*.eml")
    before = first.read_bytes()
    mailbox.send([make_email(message_id=email.message_id, subject="Another text")])
    assert sorted(file.stem.rpartition("-")[2] for file in folder.glob("*.eml")) == ["1", "2"]
    assert first.read_bytes() == before
    assert {item.subject for item in mailbox.items()} == {email.subject, "Another text"}


def test_the_folder_tells_which_messages_it_holds(mailbox: FileMailbox) -> None:
    email = make_email()
    assert not mailbox.was_accepted(email.message_id, email.to_address, email.created_at)
    mailbox.send([email])
    assert mailbox.was_accepted(email.message_id, email.to_address, email.created_at)
    assert not mailbox.was_accepted(uuid4(), email.to_address, email.created_at)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "..",
        "../secret",
        "/etc/passwd",
        "20260601T083015123456Z-00000000-0000-0000-0000-000000000001-1.eml",
        "20260601T083015123456Z-00000000-0000-0000-0000-000000000001-1/../../secret",
        "20260601T083015123456Z-00000000-0000-0000-0000-000000000001-1\n",
        "20260601T083015123456Z-00000000-0000-0000-0000-000000000001-9",
        "\0",
    ],
    ids=ascii,
)
def test_no_key_reads_anything_but_a_mail(mailbox: FileMailbox, folder: Path, key: str) -> None:
    (folder.parent / "secret.eml").write_text("Subject: secret\r\n\r\nsecret")
    mailbox.send(make_emails(1))
    assert mailbox.message(key) is None


def test_a_strange_or_half_written_file_in_the_folder_is_not_a_mail(
    mailbox: FileMailbox, folder: Path
) -> None:
    (folder / "notes.eml").write_text("x")
    (folder / ".aside-1234").write_text("half a mail")
    (folder / "readme.txt").write_text("x")
    assert mailbox.items() == []


def test_nothing_unfinished_is_left_behind(mailbox: FileMailbox, folder: Path) -> None:
    mailbox.send([*make_emails(3), make_email(subject="a\nb")])
    assert len(list(folder.iterdir())) == 3


def test_a_folder_that_is_gone_means_not_sent(mailbox: FileMailbox, folder: Path) -> None:
    folder.rmdir()
    (result,) = mailbox.send([make_email()])
    assert result.outcome is Outcome.NOT_SENT_RETRY


def test_a_large_mailbox_opens_only_the_mails_it_lists(mailbox: FileMailbox, folder: Path) -> None:
    long_ago = (1, 1)
    for number in range(3000):
        cannot_be_read = folder / f"20200101T000000000000Z-{UUID(int=number)}-1.eml"
        cannot_be_read.mkdir()
        os.utime(cannot_be_read, long_ago)
    mailbox.send(make_emails(3))
    assert len(mailbox.items(limit=3)) == 3
