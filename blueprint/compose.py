"""From a guide's input to one HTML document; nothing here knows how it becomes a PDF."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import cache, lru_cache
from urllib.parse import urlsplit

import segno
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from blueprint import figures
from blueprint.editions import Edition
from blueprint.model import PLACEHOLDERS, BlueprintInput, Brand, Pattern
from blueprint.plan import two_weeks
from blueprint.typefaces import printable_name
from blueprint.words import DOCUMENT, Technique, load

TITLE = "P.A.I.N Relief Blueprint"
COMFORTABLE = 1800  # characters on the page of a pattern before its type becomes smaller
SPOKEN = 90  # characters of an address; the link and the QR code hold a longer one whole
LINE = 45  # what each line of the list costs besides its characters
QR_INK = "#14414a"
QR_TITLE = "QR code that opens the Hip Mobility Challenge"
VIEW_BOX = re.compile(r'viewBox="([^"]+)"')
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


_GUIDE = (
    *("cover", "pattern", "first-move", "method", "glance", "techniques", "myths", "habits"),
    *("plan", "checks", "sources", "next-step"),
)
_LARGE = (
    *("cover", "first-move", "pattern", "method", "glance", "techniques", "habits", "plan"),
    *("checks", "myths", "sources", "next-step"),
)
CHAPTERS = {Edition.GUIDE: _GUIDE, Edition.LARGE: _LARGE}
# Every chapter answers to its name; these places stand in it besides.
PLACES = {"first-move": ("safety",), "method": ("scale",)}


def usual_pages(guide: BlueprintInput, edition: Edition = Edition.GUIDE) -> dict[str, int]:
    """The page of every place that is referred to, as long as each chapter fills one page."""
    sheets: list[tuple[str, ...]] = []
    for chapter in CHAPTERS[edition]:
        techniques = [(key,) for key in order_of(guide)]
        one = [(chapter, *PLACES.get(chapter, ()))]
        sheets += techniques if chapter == "techniques" else one
    return {place: page for page, places in enumerate(sheets, 1) for place in places}


def order_of(guide: BlueprintInput) -> tuple[str, ...]:
    """The keys of the five techniques in the reader's order."""
    return guide.pattern.order if guide.pattern else load().order


def compose(
    guide: BlueprintInput,
    pages: Mapping[str, int],
    edition: Edition = Edition.GUIDE,
    only_personal: bool = False,
) -> str:
    """The complete HTML of one guide. Everything typed is escaped and stays text.

    `pages` are the numbers that cross-references show. Leaving them to the layout engine
    would lay most pages out twice. `only_personal` leaves out what is the same for every
    reader with the same pattern.
    """
    name = printable_name(guide.first_name)
    chapters = personal_chapters(guide) if only_personal else CHAPTERS[edition]
    return (
        environment()
        .get_template("guide.html")
        .render(
            _shared(guide, pages),
            name=name,
            title=f"{TITLE} for {name}" if name else TITLE,
            chapters=chapters,
        )
    )


def personal_chapters(guide: BlueprintInput) -> tuple[str, ...]:
    """The chapters that hold the name, the date or what she told us."""
    return ("cover", "pattern") if guide.pattern else ("cover",)


def _shared(guide: BlueprintInput, pages: Mapping[str, int]) -> dict[str, object]:
    """What every chapter may use."""
    words = load()
    techniques = tuple(words.technique(key) for key in order_of(guide))
    return {
        "guide": guide,
        "brand": guide.brand,
        "safety": guide.safety,
        "pattern": guide.pattern,
        "words": words,
        "techniques": techniques,
        "dense": _is_dense(guide),
        "figure": pattern_figure(guide.pattern) if guide.pattern else None,
        "plan": two_weeks(words.plan, techniques),
        "qr": qr_code(guide.challenge_url),
        "pages": pages,
        "page_link": lambda place: page_link(place, pages[place]),
        "fact": lambda field: fact(guide.brand, field),
        "dose": lambda technique: dose(guide, technique),
        "harder": lambda technique: harder(guide, technique),
    }


def _is_dense(guide: BlueprintInput) -> bool:
    """Whether the page of her pattern holds more than it does in type of the usual size."""
    own = guide.pattern
    said = (own.lead, *own.explanation, own.not_this, own.order_note) if own else ()
    characters = sum(map(len, (guide.first_name or "", *guide.told, *said)))
    return characters + LINE * len(guide.told) > COMFORTABLE


def pattern_figure(pattern: Pattern) -> str:
    """The name of the picture on the page of that pattern."""
    sketch = load().sketch(pattern.key)
    return (sketch and sketch.figure) or pattern.figure


def dose(guide: BlueprintInput, technique: Technique) -> str:
    """The starting dose: her pattern's own, or the usual one."""
    own = guide.pattern.dose(technique.key) if guide.pattern else None
    return own or technique.dose


def harder(guide: BlueprintInput, technique: Technique) -> str:
    """The harder way: what her pattern says in its place, or the usual one."""
    sketch = load().sketch(guide.pattern.key) if guide.pattern else None
    return (sketch and sketch.harder) or technique.harder


def fact(brand: Brand, field: str) -> Markup:
    """A fact of the brand, or its placeholder, marked as one."""
    value: str | None = getattr(brand, field)
    if value is None:
        return Markup('<span class="placeholder">{}</span>').format(PLACEHOLDERS[field])
    return escape(value)


def page_link(place: str, page: int) -> Markup:
    """A page number that leads to the page."""
    return Markup('<a class="pageref" href="#{}">{}</a>').format(place, page)


@lru_cache(maxsize=8)
def qr_code(url: str) -> Markup:
    """A QR code as inline SVG."""
    code = segno.make(url, error="m", micro=False)
    drawn = code.svg_inline(
        border=1,
        dark=QR_INK,
        svgclass="invite__qr",
        lineclass=None,
        omitsize=True,
        title=QR_TITLE,
    )
    return Markup(drawn)  # noqa: S704  # the address is only in the pattern, never in the text


@cache
def environment() -> Environment:
    """The templates of every document, with what they may call."""
    made = Environment(
        loader=FileSystemLoader(DOCUMENT),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["picture"] = picture
    made.filters["cited"] = cited
    made.filters["long_date"] = long_date
    made.filters["spoken_url"] = spoken_url
    made.filters["is_wide"] = is_wide
    return made


def picture(name: str, css_class: str, alt: str | None = None) -> Markup:
    """An image of a bundled figure; its description is the alternative text."""
    text = figures.draw(name).description if alt is None else alt
    return Markup('<img class="{}" src="asset:figures/{}.svg" alt="{}">').format(
        css_class, name, text
    )


def is_wide(name: str) -> bool:
    """Whether a figure is clearly wider than it is high."""
    _, _, width, height = VIEW_BOX.findall(figures.draw(name).svg)[0].split()
    return float(width) > 1.3 * float(height)


def cited(text: str, key: str) -> Markup:
    """The text with a raised number that leads to its source and never begins a line.

    Raises KeyError for an unknown source.
    """
    start, space, last = text.rpartition(" ")
    number = load().source(key).number
    mark = Markup('{}<sup><a href="#source-{}">{}</a></sup>').format(last, key, number)
    return escape(start + space) + Markup('<span class="together">{}</span>').format(mark)


def long_date(day: date) -> str:
    """For example 21 November 2026, whatever the locale."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def spoken_url(url: str) -> str:
    """A web address as people read it out: no scheme, query or closing slash, no endless path."""
    parts = urlsplit(url)
    spoken = f"{parts.netloc}{parts.path}".rstrip("/") or url
    return parts.netloc or url if len(spoken) > SPOKEN else spoken
