"""From an outbox row to a finished email: whom it names, where its links lead, why it comes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from funnel.content.catalog import Catalog
from funnel.content.claims import label_of
from funnel.content.render import MailFields, Renderer
from funnel.domain.clicks import mark_of
from funnel.domain.people import Purpose
from funnel.domain.ports import MailClass, OutgoingEmail
from funnel.domain.schedule import zone_of
from funnel.links import LinkPurpose, Links
from funnel.services import texts

# Stands in until the therapist gives a sending address; production does not start without one.
UNSET_ADDRESS = "guide@practice.example"
_REFERRED = {
    ("confirm", MailClass.CONFIRM): LinkPurpose.CONFIRM,
    ("confirm-change", MailClass.CONFIRM): LinkPurpose.CHANGE,
    ("my-data", MailClass.RECEIPT): LinkPurpose.YOUR_DATA,
    ("keep-address", MailClass.DELIVER): LinkPurpose.KEEP_ADDRESS,
}
_ALWAYS = frozenset({"unsubscribe"})


@dataclass(frozen=True)
class Draft:
    """A message with all that its letter needs, read in one go and then let go of the database."""

    message_id: UUID
    subscriber_id: int | None
    fence: int
    mail_class: MailClass
    purpose: Purpose | None
    mail_key: str
    source: str
    version: int
    reference: str | None
    created_at: datetime
    to_address: str
    first_name: str | None
    handle: UUID | None
    guide_handle: UUID | None
    asked_on: str


@dataclass(frozen=True)
class Words:
    """The source of one version of a mail."""

    source: str
    version: int


def draft(row: Row[Any], words: Words) -> Draft:
    """Copy what the letter needs out of a row that is about to be claimed."""
    return Draft(
        message_id=row.id,
        subscriber_id=row.subscriber_id,
        fence=row.fence + 1,
        mail_class=MailClass(row.mail_class),
        purpose=Purpose(row.purpose) if row.purpose else None,
        mail_key=row.mail_key,
        source=words.source,
        version=words.version,
        reference=row.reference,
        created_at=row.created_at,
        to_address=row.email,
        first_name=row.first_name,
        handle=row.public_id,
        guide_handle=row.guide_handle,
        asked_on=_asked_on(row.asked_at, row.time_zone),
    )


def _asked_on(asked_at: datetime, zone: str | None) -> str:
    day = asked_at.astimezone(zone_of(zone)).date()
    return f"{day.day} {day:%B %Y}"


@dataclass(frozen=True)
class LetterWriter:
    """Writes letters. The same draft gives the same letter, byte for byte."""

    catalog: Catalog
    renderer: Renderer
    links: Links

    def write(self, draft: Draft) -> OutgoingEmail:
        """The finished email; raises MailRefused or ContentInvalid when it may not leave."""
        is_series = draft.mail_class is MailClass.DRIP
        mark = mark_of(draft.mail_key) if is_series else ""
        text = texts.mail_text(draft.source, f"{draft.mail_key} version {draft.version}", mark)
        needed = self.renderer.links_of(text, is_marketing=is_series)
        links = self._links(draft, needed | _ALWAYS if is_series else needed)
        fields = MailFields(
            first_name=draft.first_name,
            links=links,
            is_marketing=is_series,
            because=_because(draft),
        )
        letter = self.renderer.render(text, fields)
        brand = self.catalog.brand
        return OutgoingEmail(
            message_id=draft.message_id,
            mail_class=draft.mail_class,
            to_address=draft.to_address,
            from_name=brand.from_name,
            from_address=brand.sender(is_series=is_series) or UNSET_ADDRESS,
            reply_to=brand.reply_to_address,
            subject=letter.subject,
            html=letter.html,
            text=letter.text,
            list_unsubscribe_url=links.get("unsubscribe"),
            created_at=draft.created_at,
            form=letter.form,
            values=letter.values,
            label=label_of(draft.mail_key),
        )

    def _links(self, draft: Draft, names: frozenset[str]) -> dict[str, str]:
        """The addresses of these links; one that this person has no place for is left out."""
        found = ((name, self._link(draft, name)) for name in names)
        return {name: url for name, url in found if url is not None}

    def _link(self, draft: Draft, name: str) -> str | None:
        match name:
            case "safety" | "privacy":
                return self.links.url(name)
            case "challenge" | "programme":
                return self._signed(name, LinkPurpose.PORTAL, draft.handle)
            case "preferences":
                return self._signed(name, LinkPurpose.PREFERENCES, draft.handle)
            case "unsubscribe" if draft.mail_class is MailClass.DRIP:
                return self._signed(name, LinkPurpose.UNSUBSCRIBE, draft.handle)
            case "guide" if draft.guide_handle is not None:
                return self._signed(name, LinkPurpose.GUIDE, draft.guide_handle)
            case "confirm" | "confirm-change" | "my-data" | "keep-address" if draft.reference:
                return self._referred(draft, name, draft.reference)
            case _:
                return self._day(draft, name)

    def _referred(self, draft: Draft, name: str, reference: str) -> str | None:
        """A link to what the mail is about; no other class of mail holds one like it."""
        purpose = _REFERRED.get((name, draft.mail_class))
        return self._signed(name, purpose, UUID(reference)) if purpose else None

    def _day(self, draft: Draft, name: str) -> str | None:
        if draft.handle is None:
            return None
        numbers = {f"day-{day.number}": day.number for day in self.catalog.challenge.days}
        if name not in numbers:
            return None
        portal = self.links.token(LinkPurpose.PORTAL, draft.handle)
        return self.links.url("day", token=portal, day=numbers[name])

    def _signed(self, name: str, purpose: LinkPurpose, handle: UUID | None) -> str | None:
        """A stranger has no pages of their own."""
        if handle is None:
            return None
        return self.links.url(name, token=self.links.token(purpose, handle))


def _because(draft: Draft) -> str:
    if draft.purpose is Purpose.CHALLENGE:
        return "You get this because you joined the free challenge."
    if draft.purpose is Purpose.SERIES:
        return (
            f"You get this because you asked for the free guide on {draft.asked_on} "
            "and said yes to emails."
        )
    about = "what you sent us" if draft.handle is None else "your request"
    of = "on" if draft.handle is None else "of"
    return f"This is a one-off message about {about} {of} {draft.asked_on}."
