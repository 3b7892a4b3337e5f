"""Mails, fields and broken texts that the tests of this folder share."""

from collections.abc import Callable
from pathlib import Path

import pytest

from funnel.content.mails import MailText, parse_mail
from funnel.content.names import LINK_NAMES, MARKETING_LINKS
from funnel.content.render import MailFields
from funnel.content.shipped import ShippedText, shipped_texts
from funnel.domain.errors import ContentInvalid

TEMPLATES = Path(__file__).parents[2] / "templates"
BECAUSE = "You get this because you asked for the free guide on 3 March 2026."
LINKS = {name: f"https://mk.example/{name}/t0ken" for name in LINK_NAMES | MARKETING_LINKS}
HEAD = "---\nsubject: Something to try\npreheader: A line that says a little more than that.\n---\n"


def shipped_mails() -> list[ShippedText]:
    return [text for text in shipped_texts(TEMPLATES) if text.kind == "mail"]


def is_marketing(text: ShippedText) -> bool:
    return not text.key.startswith("service/")


def mail(body: str, head: str = "") -> MailText:
    """A mail with a plain subject and this body."""
    return parse_mail(HEAD.replace("---\n", f"---\n{head}", 1) + body, "mail.md")


def fields(first_name: str | None = "Ada", *, marketing: bool = True) -> MailFields:
    return MailFields(first_name=first_name, links=LINKS, is_marketing=marketing, because=BECAUSE)


def findings(read: Callable[[str, str], object], source: str, where: str) -> tuple[str, ...]:
    """What reading a text complains of; it must complain."""
    with pytest.raises(ContentInvalid) as caught:
        read(source, where)
    return caught.value.findings
