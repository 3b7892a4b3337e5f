"""One way to look at what arrived, whichever mailer brought it, and a builder of emails."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr
from html import escape
from typing import Any
from uuid import UUID, uuid4

from funnel.domain.ports import MailClass, Mailer, MailForm, OutgoingEmail
from tests.support.fake_sendgrid import AcceptedMail

WRITTEN_AT = datetime(2026, 6, 1, 8, 30, 15, 123456, tzinfo=UTC)
UNSUBSCRIBE_URL = "https://mail.example.org/u/0c1a9f.x_Y-z?v=1"


@dataclass(frozen=True)
class Arrived:
    """A mail as its reader gets it; line ends are LF, header lines as they were on the wire."""

    message_id: str
    to_address: str
    from_name: str
    from_address: str
    reply_to: str
    subject: str
    text: str
    html: str
    header_lines: tuple[str, ...]

    def lines_of(self, name: str) -> list[str]:
        """The header lines of that name, folded lines left folded."""
        return [line for line in self.header_lines if line.lower().startswith(f"{name.lower()}:")]


@dataclass(frozen=True)
class Post:
    """A mailer and all that it has delivered so far."""

    mailer: Mailer
    arrived: Callable[[], list[Arrived]]


def make_email(**changes: Any) -> OutgoingEmail:
    """A day of the series for Ada; `changes` replaces fields."""
    email = OutgoingEmail(
        message_id=uuid4(),
        mail_class=MailClass.DRIP,
        to_address="ada@example.org",
        from_name="Dr Reyes",
        from_address="hello@mail.example.org",
        reply_to="reyes@example.org",
        subject="Day 3: a small habit",
        html="<p>Hello Ada</p>",
        text="Hello Ada",
        list_unsubscribe_url=UNSUBSCRIBE_URL,
        created_at=WRITTEN_AT,
        label="challenge/day-3",
    )
    return replace(email, **changes)


def make_emails(count: int) -> list[OutgoingEmail]:
    """Emails to as many different people, in order."""
    return [
        make_email(message_id=UUID(int=number), to_address=f"reader{number}@example.org")
        for number in range(1, count + 1)
    ]


FORM = MailForm(
    subject=("Day 3 for ", 0, ": a small habit"),
    html=("<p>Hello ", 1, ',</p>\n<a href="', 2, '">leave</a>\n'),
    text=("", 3, "\n\nLeave:\n", 2, "\n"),
)


def make_from_form(form: MailForm, values: tuple[str, ...], **changes: Any) -> OutgoingEmail:
    """An email whose words are that form, filled."""
    return make_email(
        subject=form.fill(form.subject, values),
        html=form.fill(form.html, values),
        text=form.fill(form.text, values),
        form=form,
        values=values,
        **changes,
    )


def make_named(name: str, form: MailForm = FORM, **changes: Any) -> OutgoingEmail:
    """An email to a reader of that name, with a link of their own, on a shared form."""
    url = f"https://mail.example.org/u/{uuid4()}"
    values = (name, escape(name), url, f"Hello {name},")
    return make_from_form(form, values, list_unsubscribe_url=url, **changes)


def make_batch(count: int, **changes: Any) -> list[OutgoingEmail]:
    """Emails of one form to as many different people, in order."""
    return [
        make_named(f"Reader {number}", to_address=f"reader{number}@example.org", **changes)
        for number in range(1, count + 1)
    ]


def from_mime(content: bytes) -> Arrived:
    """Read a mail with the standard library, as strictly as it can."""
    message = message_from_bytes(content, policy=default)
    assert not message.defects
    from_name, from_address = _sender(content)
    head = content.partition(b"\r\n\r\n")[0].decode("ascii")
    return Arrived(
        message_id=str(message["Message-ID"]),
        to_address=str(message["To"]),
        from_name=from_name,
        from_address=from_address,
        reply_to=str(message["Reply-To"] or ""),
        subject=str(message["Subject"]),
        text=_part(message, "plain"),
        html=_part(message, "html"),
        header_lines=tuple(head.replace("\r\n ", "\0 ").split("\r\n")),
    )


def from_sendgrid(mail: AcceptedMail) -> Arrived:
    """What SendGrid would make of a request."""
    payload = mail.payload
    return Arrived(
        message_id=mail.headers["Message-ID"],
        to_address=mail.to_address,
        from_name=payload["from"]["name"],
        from_address=payload["from"]["email"],
        reply_to=payload.get("reply_to", {}).get("email", ""),
        subject=mail.subject,
        text=as_lines(mail.text),
        html=as_lines(mail.html),
        header_lines=tuple(f"{name}: {value}" for name, value in mail.headers.items()),
    )


def as_lines(text: str) -> str:
    """The text with every line end as LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _sender(content: bytes) -> tuple[str, str]:
    # The modern parser puts a space between two encoded words of a name, against RFC 2047.
    value = str(message_from_bytes(content)["From"]).replace("\r\n", "")
    name, address = parseaddr(value)
    return str(make_header(decode_header(name))), address


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    assert not part.defects
    return as_lines(str(part.get_content()))
