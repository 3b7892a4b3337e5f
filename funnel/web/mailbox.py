"""The local mailbox in the browser: mail that would have been sent. Embedded mode only."""

import re

from flask import Blueprint, Response, render_template

from funnel.domain.errors import NotFound
from funnel.domain.ports import MailboxMessage, MailboxReader
from funnel.runtime import Runtime

# A mail carries its own styles; nothing in it may run, load or pose as one of our pages.
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'none'; "
    "sandbox allow-top-navigation-by-user-activation"
)
_HEAD = re.compile(r"<head[^>]*>", re.IGNORECASE)


def routes(rt: Runtime) -> Blueprint:
    """The list, the reader, and one mail's own page for the reader's frame."""
    pages = Blueprint("mailbox", __name__, url_prefix="/mailbox")
    if rt.mailbox is not None:
        _add_pages(pages, rt.mailbox)
    return pages


def _add_pages(pages: Blueprint, mailbox: MailboxReader) -> None:
    @pages.get("")
    def mails() -> str:
        return render_template("mailbox/list.html", items=mailbox.items())

    @pages.get("/<key>")
    def mail(key: str) -> str:
        return render_template("mailbox/message.html", message=_open(mailbox, key))

    @pages.get("/<key>/html")
    def mail_html(key: str) -> Response:
        body = _opening_links_outside(_open(mailbox, key).html)
        return Response(body, headers={"Content-Security-Policy": MAIL_POLICY})


def _opening_links_outside(html: str) -> str:
    """The mail with links that leave the frame and stay in the tab, where the reader is."""
    based = _HEAD.sub(lambda head: head[0] + '<base target="_top">', html, count=1)
    return based.replace('target="_blank"', 'target="_top"')


def _open(mailbox: MailboxReader, key: str) -> MailboxMessage:
    message = mailbox.message(key)
    if message is None:
        raise NotFound
    return message
