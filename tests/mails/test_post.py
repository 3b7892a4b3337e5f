"""Every shipped mail is written, also one that is added tomorrow."""

import shutil
from pathlib import Path

import pytest

from funnel.content.shipped import shipped_texts
from funnel.domain.ports import MailClass
from tests.content.samples import TEMPLATES
from tests.mails.post import every_mail

NEW = """---
subject: Something new
preheader: A mail that nobody knew of when these tests were written, so to say.
heading: Something new
---
Hello {{ first_name or "there" }},

Here it is.
"""


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    """A folder of texts of the test's own."""
    return Path(shutil.copytree(TEMPLATES, tmp_path / "templates"))


def test_every_shipped_mail_is_there() -> None:
    keys = [text.key for text in shipped_texts(TEMPLATES) if text.kind == "mail"]
    assert [mail.key for mail in every_mail()] == keys


def test_a_mail_that_is_added_is_among_them(templates: Path) -> None:
    folder = templates / "email" / "something_new"
    folder.mkdir()
    (folder / "mail.md").write_text(NEW, "utf-8")
    (found,) = [mail for mail in every_mail(templates) if mail.key == "service/something_new"]
    assert found.arrived.subject == "Something new"
    assert not found.is_series


def test_they_are_what_leaves_for_ada() -> None:
    for mail in every_mail():
        assert mail.arrived.to_address == "ada@example.org"
        assert mail.arrived.html == mail.email.html
        assert mail.arrived.text == mail.email.text
        assert "[your" not in mail.arrived.text + mail.arrived.html
        assert 40 <= len(mail.preheader) <= 90


def test_only_mails_that_confirm_are_such() -> None:
    classes = {mail.key: mail.email.mail_class for mail in every_mail()}
    confirming = [key for key, each in classes.items() if each is MailClass.CONFIRM]
    assert confirming == [
        "service/confirm", "service/confirm_change", "service/confirm_reminder",
    ]  # fmt: skip
    assert all(
        (each is MailClass.DRIP) is not key.startswith("service/") for key, each in classes.items()
    )
