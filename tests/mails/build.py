"""How a mail is built: its weight, its lines, and that it asks nothing of a third party."""

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from urllib.parse import urlsplit

from funnel.adapters.mime import MAX_LINE_OCTETS
from funnel.content.brand import Brand
from funnel.content.catalog import Catalog
from funnel.content.claims import HEALTH
from funnel.content.style import html_links, lint_build, text_links
from tests.mails.post import SITE, Mail

MAX_PART_OCTETS = 60_000
WORDS_FOR_A_PICTURE = 100
_STYLE = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL)
_IMAGE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
# A signed link holds a handle and a mark; what they spell means nothing.
_MARK = re.compile(r"m=[a-z2-7]{6}")  # which mail a link stands in: the same for every reader
_TOKEN = re.compile(r"/[\w-]{22}\.[\w-]{43}(?=/|$)")


def html_octets(mail: Mail) -> int:
    """The weight of the HTML part as it leaves, encoded."""
    (part,) = (each for each in _parts(mail.content) if each.get_content_type() == "text/html")
    return len(str(part.get_payload()))


def style_octets(mail: Mail) -> int:
    """The weight of all its style sheets."""
    return sum(len(sheet.encode()) for sheet in _STYLE.findall(mail.arrived.html))


def problems(mail: Mail, catalog: Catalog) -> tuple[str, ...]:
    """What is wrong with its build; a mail may link to us and to the sites of the practice."""
    ours = frozenset({urlsplit(SITE).netloc})
    return (
        *lint_build(mail.rendered, mail.key, ours | _sites_of(catalog.brand)),
        *_in_weight(mail),
        *_in_lines(mail.content),
        *_in_links(mail, ours),
        *_in_pictures(mail),
    )


def _sites_of(brand: Brand) -> frozenset[str]:
    named = (brand.website, brand.booking_url)
    return frozenset({*brand.link_hosts, *(urlsplit(url).netloc for url in named if url)})


def _in_weight(mail: Mail) -> Iterator[str]:
    if html_octets(mail) >= MAX_PART_OCTETS:
        yield f"the HTML weighs {html_octets(mail)} octets encoded"


def _in_lines(content: bytes) -> Iterator[str]:
    lines = content.split(b"\r\n")
    if any(len(line) > MAX_LINE_OCTETS for line in lines):
        yield "a line is longer than a mail server must take"
    if any(b"\r" in line or b"\n" in line for line in lines):
        yield "a line does not end in CRLF"
    if not content.isascii():
        yield "the bytes are not ASCII"


def _in_links(mail: Mail, ours: frozenset[str]) -> Iterator[str]:
    for address in sorted(html_links(mail.arrived.html) | text_links(mail.arrived.text)):
        parts = urlsplit(address)
        path = _TOKEN.sub("", parts.path)
        if parts.scheme != "https":
            yield f"{address} is not https"
        if (parts.query and not _MARK.fullmatch(parts.query)) or parts.fragment:
            yield f"{address} carries more than a path"
        told = HEALTH.search(path.replace("-", " ").replace("/", " "))
        if parts.netloc in ours and told:
            yield f"{path} tells of health: '{told[0]}'"


def _in_pictures(mail: Mail) -> Iterator[str]:
    pictures = _IMAGE.findall(mail.arrived.html)
    if len(pictures) * WORDS_FOR_A_PICTURE > len(mail.arrived.text.split()):
        yield f"{len(pictures)} pictures are many for its words"
    for picture in pictures:
        if not re.search(r'\balt="', picture):
            yield f"{picture} has no words in its place"


def _parts(content: bytes) -> list[Message]:
    return [part for part in message_from_bytes(content).walk() if not part.is_multipart()]
