"""A mail as its reader would see it, read from what a provider took."""

import hashlib
import re
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Mail:
    """One mail to one reader. `provider_id` is what the provider calls it, if anything."""

    message_id: str
    message_id_header: str
    to_address: str
    subject: str
    text: str
    html: str
    headers: tuple[tuple[str, str], ...]
    provider_id: str = ""

    @property
    def digest(self) -> str:
        """The same for two mails only when a reader could not tell them apart."""
        parts = (self.message_id_header, self.to_address, self.subject, self.text, self.html)
        return hashlib.sha256(repr((parts, sorted(self.headers))).encode()).hexdigest()[:16]

    def links(self) -> list[str]:
        """The paths of all links in the text part."""
        return [urlsplit(url).path for url in re.findall(r"https?://[^\s<>)\]]+", self.text)]

    def link(self, start: str) -> str | None:
        """The first link whose path begins so."""
        return next((path for path in self.links() if path.startswith(start)), None)


def mails_of_request(payload: dict[str, Any], provider_id: str = "") -> list[Mail]:
    """Every mail of a SendGrid request, each personalization filled in for its reader."""
    return [_mail_of(payload, person, provider_id) for person in payload["personalizations"]]


def _mail_of(payload: dict[str, Any], person: dict[str, Any], provider_id: str) -> Mail:
    values: dict[str, str] = person.get("substitutions", {})
    parts = {part["type"]: _fill(part["value"], values) for part in payload["content"]}
    headers = {**payload.get("headers", {}), **person.get("headers", {})}
    lowered = {name.lower(): _fill(str(value), values) for name, value in headers.items()}
    return Mail(
        message_id=person["custom_args"]["send_id"],
        message_id_header=lowered.get("message-id", ""),
        to_address=person["to"][0]["email"],
        subject=_fill(person.get("subject", payload.get("subject", "")), values),
        text=parts["text/plain"],
        html=parts["text/html"],
        headers=tuple(lowered.items()),
        provider_id=provider_id,
    )


def _fill(text: str, values: dict[str, str]) -> str:
    """As SendGrid does it: each place is replaced, once, in one pass."""
    if not values:
        return text
    places = re.compile("|".join(re.escape(place) for place in values))
    return places.sub(lambda found: values[found.group()], text)


def mail_of_bytes(content: bytes, recipient: str) -> Mail:
    """The mail of an SMTP server's DATA."""
    message = message_from_bytes(content, policy=default)
    header = str(message["Message-ID"])
    text, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    return Mail(
        message_id=header.strip("<>").partition("@")[0],
        message_id_header=header,
        to_address=recipient,
        subject=str(message["Subject"]),
        text=text.get_content() if text else "",
        html=html.get_content() if html else "",
        headers=tuple(
            (name, str(value))
            for name, value in message.items()
            if name.lower() not in {"content-type", "mime-version"}
        ),
    )
