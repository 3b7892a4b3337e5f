"""From HTML to PDF bytes: the only importer of WeasyPrint, with every door to the outside shut."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from io import BytesIO
from pathlib import PurePosixPath
from typing import Any

from weasyprint import CSS, HTML, Document
from weasyprint.logger import LOGGER
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from blueprint import figures
from blueprint.compose import compose, usual_pages
from blueprint.draft import Draft
from blueprint.editions import Edition
from blueprint.form import finish_boxes
from blueprint.model import TOLD_LINES, BlueprintInput
from blueprint.splice import Base
from blueprint.tags import finish_tags
from blueprint.tracker import compose_tracker
from blueprint.typefaces import FONTS
from blueprint.words import DOCUMENT

SCHEME = "asset:"
SHEETS = {
    Edition.GUIDE: ("guide.css",),
    Edition.LARGE: ("guide.css", "large.css"),
    Edition.TRACKER: ("guide.css", "tracker.css"),
}
OPTIONS: dict[Edition, dict[str, object]] = {
    Edition.GUIDE: {"pdf_variant": "pdf/ua-1"},
    Edition.LARGE: {"pdf_variant": "pdf/ua-1"},
    # WeasyPrint's form fields do not pass every check of PDF/UA: tagged, but not marked as such.
    Edition.TRACKER: {"pdf_tags": True, "pdf_forms": True},
}
NO_DAY = date(2000, 1, 1)
# Stands for whatever she told us: the page of her pattern is made to hold this much.
AS_MUCH_AS_THERE_MAY_BE = ("What you told us stands here. " * 5,) * TOLD_LINES
BASES = 8  # there are five patterns, and none; a base takes half a megabyte
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


def press(guide: BlueprintInput, edition: Edition = Edition.GUIDE) -> Printed:
    """One edition as PDF bytes with its page count. Raises RenderFailed.

    Of the guide only the personal pages are laid out for each reader, wherever they fit.
    """
    spliced = press_spliced(guide) if edition is Edition.GUIDE else None
    return spliced or press_whole(guide, edition)


def press_whole(guide: BlueprintInput, edition: Edition = Edition.GUIDE) -> Printed:
    """The same with every page laid out. Raises RenderFailed."""
    with _press_room(guide.made_on):
        document = _settled(guide, edition)
        pdf = bytes(document.write_pdf(finisher=_finish, **OPTIONS[edition]))
        return Printed(pdf, len(document.pages), _places(document))


def _finish(document: Document, pdf: Any) -> None:
    finish_boxes(document, pdf)
    finish_tags(pdf, _places(document))


@dataclass(frozen=True)
class _House:
    """What all guides of one pattern share, and where its places are."""

    base: Base
    pages: int
    places: dict[str, int]


def press_spliced(guide: BlueprintInput) -> Printed | None:
    """The guide with only her pages laid out; None if they do not fit into the others."""
    house = base_for(replace(guide, first_name=None, told=AS_MUCH_AS_THERE_MAY_BE, made_on=NO_DAY))
    own = _draft_of_personal(guide, house.places)
    pdf = house.base.with_pages_of(own)
    return Printed(pdf, house.pages, house.places) if pdf else None


@lru_cache(maxsize=BASES)
def base_for(nobody: BlueprintInput) -> _House:
    """Laid out once for everything that is not personal; a handful are kept."""
    with _press_room(nobody.made_on):
        document = _settled(nobody, Edition.GUIDE)
        places = _places(document)
        pdf = _unwritten(document, places)
    personal = _draft_of_personal(nobody, places).personal
    return _House(Base(Draft(pdf, personal)), len(document.pages), places)


def _draft_of_personal(guide: BlueprintInput, places: Mapping[str, int]) -> Draft:
    with _press_room(guide.made_on):
        document = _laid_out(compose(guide, places, only_personal=True), Edition.GUIDE)
        borrowed = frozenset(places) - frozenset(_places(document))
        # Links may lead to pages that are not here.
        document.pages[-1].anchors.update(dict.fromkeys(borrowed, (0, 0, 0, 0)))
        return Draft(_unwritten(document, places), len(document.pages), borrowed)


def _unwritten(document: Document, places: Mapping[str, int]) -> Any:
    """The PDF's objects as WeasyPrint has built them, with their tags mended."""
    kept: list[Any] = []
    document.write_pdf(
        BytesIO(),
        finisher=lambda _, pdf: kept.append(pdf),
        uncompressed_pdf=True,
        **OPTIONS[Edition.GUIDE],
    )
    finish_tags(kept[0], places)
    return kept[0]


def _settled(guide: BlueprintInput, edition: Edition) -> Document:
    """The document with the pages it refers to being the pages where things are."""
    if edition is Edition.TRACKER:
        return _laid_out(compose_tracker(guide), edition)
    pages = usual_pages(guide, edition)
    for _ in range(3):
        document = _laid_out(compose(guide, pages, edition), edition)
        places = _places(document)
        found = {place: places[place] for place in pages}
        if found == pages:
            return document
        pages = found  # a chapter ran over: print again with the pages as they came out
    raise RenderFailed("the page numbers do not settle")


def _laid_out(html: str, edition: Edition) -> Document:
    styles = [stylesheet(name) for name in SHEETS[edition]]
    source = HTML(string=html, base_url=SCHEME, url_fetcher=BundledOnly())
    return source.render(font_config=typefaces(), stylesheets=styles, **OPTIONS[edition])


def _places(document: Document) -> dict[str, int]:
    last_to_first = reversed(list(enumerate(document.pages, 1)))
    # A place that runs over pages is where it begins.
    return {str(place): number for number, page in last_to_first for place in page.anchors}


@cache
def typefaces() -> FontConfiguration:
    """Shared by all prints of this process, as the stylesheets are: new ones each time leak."""
    return FontConfiguration()


@cache
def stylesheet(name: str) -> CSS:
    sheet = (DOCUMENT / name).read_text(encoding="utf-8")
    return CSS(string=sheet, base_url=SCHEME, url_fetcher=BundledOnly(), font_config=typefaces())


@contextmanager
def _press_room(day: date) -> Iterator[None]:
    """One at a time, with the day for a clock, and no complaint unheard. Raises RenderFailed."""
    with _one_at_a_time, _epoch(day), _no_complaints():
        try:
            yield
        except FatalURLFetchingError as refused:
            raise RenderFailed(str(refused)) from None


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
