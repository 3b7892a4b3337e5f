"""A visitor who knows nothing but pages and mails: fills in the form, follows links, presses."""

import re
import time
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

import httpx

PATIENCE_SECONDS = 30.0
MIN_FORM_SECONDS = 2.1
FIELD = re.compile(r"<input\b[^>]*>")


class Visitor:
    """Drives a running funnel over HTTP and reads its local mailbox."""

    def __init__(self, base: str, mailbox: Path) -> None:
        self.http = httpx.Client(base_url=base, follow_redirects=True, timeout=30)
        self._mailbox = mailbox

    def ask(self, email: str, name: str, *, series: bool) -> httpx.Response:
        """Open the landing page, wait as a person would, and send the form."""
        fields = hidden_fields(self.http.get("/").text)
        time.sleep(MIN_FORM_SECONDS)
        form = {**fields, "email": email, "name": name, **({"series": "yes"} if series else {})}
        return self.http.post("/signup", data=form)

    def press(self, path: str, *, page: str | None = None, **fields: str) -> httpx.Response:
        """Open a page and press its button, which posts to `path`."""
        shown = self.http.get(page or path)
        return self.http.post(path, data={**hidden_fields(shown.text), **fields})

    def mails(self, address: str) -> list[EmailMessage]:
        """What this address got, oldest first."""
        files = sorted(self._mailbox.glob("*.eml"))
        mails = [message_from_bytes(file.read_bytes(), policy=default) for file in files]
        return [mail for mail in mails if address in str(mail["To"])]

    def wait_for_link(self, address: str, path: str) -> str:
        """The path of the newest mailed link that begins with `path`; waits until it comes."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            for mail in reversed(self.mails(address)):
                links = [link for link in links_of(mail) if link.startswith(path)]
                if links:
                    return links[0]
            time.sleep(0.05)
        raise AssertionError(f"no mail with a link to {path} came for {address}")

    def close(self) -> None:
        self.http.close()


def hidden_fields(page: str) -> dict[str, str]:
    """The hidden fields of a page's forms, by name."""
    tags = [tag for tag in FIELD.findall(page) if 'type="hidden"' in tag]
    return {_attribute(tag, "name"): _attribute(tag, "value") for tag in tags}


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'\b{name}="([^"]*)"', tag)
    return unescape(found.group(1)) if found else ""


def links_of(mail: EmailMessage) -> list[str]:
    """The paths of all links in the text part."""
    part = mail.get_body(("plain",))
    text = part.get_content() if part else ""
    return [urlsplit(url).path for url in re.findall(r"https?://\S+", text)]
