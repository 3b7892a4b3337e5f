"""Checks how a finished mail is built: its size, and that it asks nothing of a third party."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from funnel.content.render import RenderedMail

MAX_HTML_BYTES = 60_000
MAX_STYLE_BYTES = 16_000
_STYLE = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL | re.IGNORECASE)
_HREF = re.compile(r'<a\s[^>]*href="([^"]*)"', re.IGNORECASE)
_FETCHED = re.compile(
    r"\bsrc\s*=|\burl\(|@import|@font-face|<link\b|<script\b|<iframe\b|<form\b|<object\b|<img\b",
    re.IGNORECASE,
)
_TEXT_ADDRESS = re.compile(r"https?://\S+")


def html_links(html: str) -> set[str]:
    """Every address a reader of the HTML part can follow."""
    return {address.replace("&amp;", "&") for address in _HREF.findall(html)}


def text_links(text: str) -> set[str]:
    """Every address in the text part."""
    return set(_TEXT_ADDRESS.findall(text))


def lint_build(mail: RenderedMail, where: str, hosts: frozenset[str]) -> Iterator[str]:
    """What is wrong with the build of a finished mail; `hosts` may be linked to."""
    size = len(mail.html.encode())
    if size >= MAX_HTML_BYTES:
        yield f"{where}:1: the mail weighs {size} bytes: make it shorter than {MAX_HTML_BYTES}"
    style = sum(len(block.encode()) for block in _STYLE.findall(mail.html))
    if style >= MAX_STYLE_BYTES:
        yield f"{where}:1: its styles weigh {style} bytes: Gmail drops more than {MAX_STYLE_BYTES}"
    fetched = _FETCHED.search(mail.html)
    if fetched:
        yield f"{where}:1: the mail would fetch or run something ('{fetched[0]}'): remove it"
    for address in sorted(html_links(mail.html)):
        if urlsplit(address).hostname not in hosts:
            yield f"{where}:1: the mail links to '{address}': add its site to brand.yaml"
    if html_links(mail.html) != text_links(mail.text):
        yield f"{where}:1: the two parts do not hold the same links: write each as [words](link)"
