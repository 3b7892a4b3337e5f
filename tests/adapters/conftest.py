"""The three mailers, each with somebody who receives what it sends."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from funnel.adapters.mailbox import FileMailbox
from funnel.adapters.sendgrid import SendGridMailer
from funnel.adapters.smtp import SmtpMailer
from tests.adapters.harness import Post, from_mime, from_sendgrid
from tests.support.fake_sendgrid import FakeSendGrid
from tests.support.smtp_server import FakeSmtp


@pytest.fixture
def smtp_server() -> Iterator[FakeSmtp]:
    """A real SMTP server, sent to over two connections."""
    with FakeSmtp(connections=2) as server:
        yield server


@pytest.fixture
def fake_sendgrid() -> Iterator[FakeSendGrid]:
    """SendGrid's API on loopback; a test may not end with a request it found wrong."""
    with FakeSendGrid() as fake:
        yield fake
    assert fake.complaints == []


@pytest.fixture
def mailbox_post(tmp_path: Path) -> Post:
    """The local mailbox and its folder."""

    def files() -> list[bytes]:
        return [file.read_bytes() for file in (tmp_path / "mailbox").glob("*.eml")]

    return Post(
        FileMailbox(tmp_path / "mailbox"), lambda: [from_mime(content) for content in files()]
    )


@pytest.fixture
def smtp_post(smtp_server: FakeSmtp) -> Iterator[Post]:
    """An SMTP mailer and the server behind it."""
    with closing(SmtpMailer(smtp_server.url)) as mailer:
        yield Post(mailer, lambda: [from_mime(mail.content) for mail in smtp_server.accepted])


@pytest.fixture
def sendgrid_post(fake_sendgrid: FakeSendGrid) -> Iterator[Post]:
    """A SendGrid mailer and the API behind it."""
    with closing(SendGridMailer(fake_sendgrid.api_key, fake_sendgrid.url)) as mailer:
        yield Post(mailer, lambda: [from_sendgrid(mail) for mail in fake_sendgrid.accepted])


@pytest.fixture(params=["mailbox", "smtp", "sendgrid"])
def post(request: pytest.FixtureRequest) -> Post:
    """Each mailer in turn."""
    found: Post = request.getfixturevalue(f"{request.param}_post")
    return found
