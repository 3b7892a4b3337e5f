"""From HTML to PDF bytes: the only importer of WeasyPrint, with every door to the outside shut."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import PurePosixPath

from weasyprint import CSS, HTML
from weasyprint.logger import LOGGER
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from blueprint import figures
from blueprint.compose import compose, usual_pages
from blueprint.model import BlueprintInput
from blueprint.typefaces import FONTS
from blueprint.words import DOCUMENT

SCHEME = "asset:"
_one_at_a_time = threading.Lock()  # the log of complaints and SOURCE_DATE_EPOCH are per process


class RenderFailed(Exception):
    """The document asked for something that is not bundled, or WeasyPrint complained."""


class BundledOnly(URLFetcher):  # type: ignore[misc]  # WeasyPrint ships no types
    """Serves `asset:fonts/NAME.woff2` and `asset:figures/NAME.svg`, and stops at anything else."""

    def fetch(
        self,
        url: str,
        headers: dict[str, str] | None = None,  # noqa: ARG002  # the base class's signature
    ) -> URLFetcherResponse:
        name = url.removeprefix(SCHEME) if url.startswith(SCHEME) else ""
        found = _assets().get(name)
        if found is None:
            raise FatalURLFetchingError("the document asked for an address that is not bundled")
        kind = "image/svg+xml" if name.endswith(".svg") else "font/woff2"
        return URLFetcherResponse(url, found, {"Content-Type": kind})


@cache
def _assets() -> dict[str, bytes]:
    """Every file a document may use, by name."""
    fonts = {f"fonts/{path.name}": path.read_bytes() for path in FONTS.glob("*.woff2")}
    drawings = {
        str(PurePosixPath("figures", f"{name}.svg")): figures.draw(name).svg.encode()
        for name in figures.names()
    }
    return fonts | drawings


class _Complaints(logging.Handler):
    """Collects what WeasyPrint warns about."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@dataclass(frozen=True)
class Printed:
    """A finished PDF and the number of its pages."""

    pdf: bytes
    pages: int
    places: dict[str, int]  # the page of every named place


def render(guide: BlueprintInput) -> bytes:
    """The guide as PDF bytes: identical input gives identical bytes. Raises RenderFailed."""
    return press(guide).pdf


def press(guide: BlueprintInput) -> Printed:
    """The guide as PDF bytes with its page count. Raises RenderFailed."""
    pages = usual_pages(guide)
    for _ in range(3):
        printed = to_pdf(compose(guide, pages), guide.made_on)
        found = {place: printed.places[place] for place in pages}
        if found == pages:
            return printed
        pages = found  # a chapter ran over: print again with the pages as they came out
    raise RenderFailed("the page numbers do not settle")


def to_pdf(html: str, made_on: date) -> Printed:
    """Any document in the guide's dress, tagged and marked PDF/UA-1. Raises RenderFailed.

    `made_on` stands in for the clock wherever the format wants a time.
    """
    with _one_at_a_time, _epoch(made_on), _no_complaints():
        fonts, style = _dress()
        source = HTML(string=html, base_url=SCHEME, url_fetcher=BundledOnly())
        options = {"stylesheets": [style], "pdf_variant": "pdf/ua-1"}
        try:
            document = source.render(font_config=fonts, **options)
            pdf = bytes(document.write_pdf(**options))
        except FatalURLFetchingError as refused:
            raise RenderFailed(str(refused)) from None
        pages = list(enumerate(document.pages, 1))
        last_to_first = reversed(pages)  # a place that runs over pages is where it begins
        places = {str(place): number for number, page in last_to_first for place in page.anchors}
        return Printed(pdf, len(pages), places)


@cache
def _dress() -> tuple[FontConfiguration, CSS]:
    """Fonts and stylesheet, shared by all guides of this process: a new pair each time leaks."""
    fonts = FontConfiguration()
    sheet = (DOCUMENT / "guide.css").read_text(encoding="utf-8")
    style = CSS(string=sheet, base_url=SCHEME, url_fetcher=BundledOnly(), font_config=fonts)
    return fonts, style


@contextmanager
def _epoch(day: date) -> Iterator[None]:
    """Font files carry a time stamp: give them the day of the guide instead of the clock."""
    before = os.environ.get("SOURCE_DATE_EPOCH")
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    os.environ["SOURCE_DATE_EPOCH"] = str(max(0, int(midnight.timestamp())))
    try:
        yield
    finally:
        os.environ.pop("SOURCE_DATE_EPOCH")
        if before is not None:
            os.environ["SOURCE_DATE_EPOCH"] = before


@contextmanager
def _no_complaints() -> Iterator[None]:
    """Turn any warning of WeasyPrint into RenderFailed: there, a lost picture is only a warning."""
    complaints = _Complaints()
    LOGGER.addHandler(complaints)
    try:
        yield
    finally:
        LOGGER.removeHandler(complaints)
    if complaints.lines:
        raise RenderFailed("; ".join(complaints.lines[:3]))
