"""Every mail we ship, as it arrives: made by the real writer for an invented reader.

Walks the shipped texts, so that a mail which is added tomorrow is among them.
"""

import re
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from html import unescape
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

from funnel.adapters.mime import build_mime
from funnel.content.brand import Brand
from funnel.content.catalog import Catalog, load_catalog
from funnel.content.mails import MailText, parse_mail
from funnel.content.render import RenderedMail, Renderer
from funnel.content.sequences import parse_sequence
from funnel.content.shipped import SERVICE, ShippedText, shipped_texts
from funnel.domain.errors import MailRefused
from funnel.domain.people import Purpose
from funnel.domain.ports import MailClass, OutgoingEmail
from funnel.links import Links
from funnel.services.letters import Draft, LetterWriter
from tests.adapters.harness import Arrived, from_mime
from tests.content.samples import TEMPLATES
from tests.support.house import SECRET

SITE = "https://guide.practice.example"
WRITTEN_AT = datetime(2026, 11, 23, 8, 10, tzinfo=UTC)
HANDLE = uuid5(NAMESPACE_URL, "ada")
_HIDDEN = re.compile(r'<div style="display:none;[^"]*">([^<]*)</div>')
# What a service mail may be sent as: the first that is given the links it holds.
_SERVICE_CLASSES = (MailClass.DELIVER, MailClass.CONFIRM, MailClass.RECEIPT, MailClass.ADMIN)


@dataclass(frozen=True)
class Mail:
    """One shipped mail: its words, the email that leaves, its bytes, and what a reader gets."""

    key: str
    words: MailText
    email: OutgoingEmail
    content: bytes
    arrived: Arrived

    @property
    def is_series(self) -> bool:
        """Whether it goes out by itself, and can be left."""
        return self.email.mail_class is MailClass.DRIP

    @property
    def preheader(self) -> str:
        """The line that an inbox shows beside the subject: hidden, and first in the HTML."""
        hidden = _HIDDEN.search(self.arrived.html)
        assert hidden, f"{self.key} has no preheader"
        return unescape(hidden[1])

    @property
    def rendered(self) -> RenderedMail:
        """What arrived, as the content lint takes it."""
        return RenderedMail(
            self.arrived.subject, self.preheader, self.arrived.html, self.arrived.text
        )


@cache
def shipped_brand() -> Brand:
    """The practice of the shipped texts, with the facts that only a therapist can give."""
    return replace(
        load_catalog(TEMPLATES).brand,
        therapist_name="Sam Reyes",
        qualifications="BTEC Level 5 in clinical sports massage",
        town="Milton Keynes",
        postal_address="1 Sample Street, Milton Keynes MK1 1AA",
        website="https://www.practice.example/",
        reply_to_address="sam@practice.example",
        from_address="sam@mail.practice.example",
        booking_url="https://www.practice.example/book",
        ico_number="ZA000000",
    )


@cache
def every_mail(root: Path = TEMPLATES, brand: Brand | None = None) -> tuple[Mail, ...]:
    """Every mail under a templates folder, for Ada."""
    return PostOffice(root, brand or shipped_brand()).every_mail()


class PostOffice:
    """Writes the mails of one folder and one practice."""

    def __init__(self, root: Path, brand: Brand) -> None:
        self.catalog: Catalog = replace(load_catalog(root), brand=brand)
        self._texts = shipped_texts(root)
        links = Links(SITE, (SECRET,))
        self._writer = LetterWriter(self.catalog, Renderer(root, self.catalog), links)
        self._purposes = {
            text.key: parse_sequence(text.source, text.where).purpose
            for text in self._texts
            if text.kind == "sequence"
        }

    def every_mail(self) -> tuple[Mail, ...]:
        """All that are shipped, in a steady order."""
        return tuple(self.mail(text) for text in self._texts if text.kind == "mail")

    def mail(self, text: ShippedText) -> Mail:
        """One text as the mail that arrives."""
        email = self._write(text)
        content = build_mime(email)
        return Mail(
            text.key, parse_mail(text.source, text.where), email, content, from_mime(content)
        )

    def _write(self, text: ShippedText) -> OutgoingEmail:
        sequence = text.key.partition("/")[0]
        if sequence != SERVICE:
            return self._writer.write(_draft(text, MailClass.DRIP, self._purposes[sequence]))
        *first, last = _SERVICE_CLASSES
        for mail_class in first:
            with suppress(MailRefused):
                return self._writer.write(_draft(text, mail_class))
        return self._writer.write(_draft(text, last))


def _draft(text: ShippedText, mail_class: MailClass, purpose: Purpose | None = None) -> Draft:
    """A message to Ada, as it would be read out of the outbox."""
    return Draft(
        message_id=_id_of(text.key),
        subscriber_id=1,
        fence=1,
        mail_class=mail_class,
        purpose=purpose,
        mail_key=text.key,
        source=text.source,
        version=1,
        reference=str(HANDLE),
        created_at=WRITTEN_AT,
        to_address="ada@example.org",
        first_name="Ada",
        handle=HANDLE,
        guide_handle=HANDLE,
        asked_on="21 November 2026",
    )


def _id_of(key: str) -> UUID:
    """An id that looks like those of real mails, the same each time."""
    return UUID(bytes=uuid5(NAMESPACE_URL, key).bytes, version=4)
