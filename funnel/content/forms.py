"""Cuts a compiled mail into its form: what everyone gets, and the places that are one reader's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape

from jinja2 import Template

from funnel.content.catalog import Catalog
from funnel.content.compiled import CompiledMail
from funnel.content.merge import Slot, Slotted
from funnel.content.text_part import TextBlock, join_blocks
from funnel.domain.ports import MailForm

BECAUSE = Slot("said", "because")


@dataclass(frozen=True)
class Place:
    """An open place of a form: a slot, or a block of text that is wrapped around its slots."""

    what: Slot | TextBlock
    is_html: bool = False

    def value(self, value_of: Callable[[Slot], str]) -> str:
        """What stands in this place for one reader."""
        if isinstance(self.what, TextBlock):
            return self.what.lines(value_of)
        plain = value_of(self.what)
        return escape(plain) if self.is_html else plain


@dataclass(frozen=True)
class FilledBy:
    """A form and what its values are, in order."""

    form: MailForm
    places: tuple[Place, ...]

    def values(self, value_of: Callable[[Slot], str]) -> tuple[str, ...]:
        """The values of one reader."""
        return tuple([place.value(value_of) for place in self.places])


class FormCutter:
    """Cuts one mail. `same` holds the addresses that are the same for every reader; where
    `is_plain`, the others look alike in HTML and in text and share a place."""

    def __init__(self, catalog: Catalog, same: Mapping[str, str], *, is_plain: bool) -> None:
        self._catalog = catalog
        self._same = same
        self._is_plain = is_plain
        self._places: dict[Place, int] = {}
        self._blocks: list[TextBlock] = []

    def cut(self, mail: CompiledMail, text_layout: Template, *, is_marketing: bool) -> FilledBy:
        """The form of a mail."""
        said = {
            Slot("said", name): Slotted.cut(one_line("".join(map(str, words.parts))))
            for name, words in (("subject", mail.subject), ("preheader", mail.preheader))
        }
        form = MailForm(
            subject=self._subject(said[Slot("said", "subject")]),
            html=self._html(mail.html, said),
            text=self._text(mail, text_layout, is_marketing=is_marketing),
        )
        return FilledBy(form, tuple(self._places))

    def _subject(self, words: Slotted) -> tuple[str | int, ...]:
        cut = _Cut()
        for part in words.parts:
            self._add(cut, part, is_html=False)
        return cut.parts()

    def _html(self, page: Slotted, said: Mapping[Slot, Slotted]) -> tuple[str | int, ...]:
        cut = _Cut()
        for part in page.parts:
            if isinstance(part, Slot) and part in said:
                for inner in said[part].parts:
                    self._add(cut, escape(inner) if isinstance(inner, str) else inner, is_html=True)
            else:
                self._add(cut, part, is_html=True)
        return cut.parts()

    def _text(
        self, mail: CompiledMail, layout: Template, *, is_marketing: bool
    ) -> tuple[str | int, ...]:
        links = {slot.value for block in mail.body for slot in block.text.slots} | mail.links
        source = layout.render(
            kicker=self._lines(TextBlock(mail.kicker, is_upper=True)),
            heading=self._lines(TextBlock(mail.heading)),
            body=join_blocks(mail.body, self._lines),
            because=self._lines(TextBlock(Slotted(("", BECAUSE, "")))),
            is_marketing=is_marketing,
            brand=self._catalog.brand.shown,
            safety=self._catalog.safety,
            **{f"link_{name}": str(Slot("link", name)) for name in links},
        )
        cut = _Cut()
        for part in Slotted.cut(source).parts:
            if isinstance(part, Slot) and part.kind == "block":
                cut.add_place(self._index(Place(self._blocks[int(part.value)])))
            else:
                self._add(cut, part, is_html=False)
        return cut.parts()

    def _lines(self, block: TextBlock) -> str:
        """The block in lines; one that holds a reader's own words stays a place."""
        if block.is_address or all(self._shared(slot) is not None for slot in block.text.slots):
            return block.lines(lambda slot: self._shared(slot) or str(slot))
        self._blocks.append(block)
        return str(Slot("block", str(len(self._blocks) - 1)))

    def _add(self, cut: "_Cut", part: str | Slot, *, is_html: bool) -> None:
        if isinstance(part, str):
            cut.add_text(part)
            return
        shared = self._shared(part)
        if shared is not None:
            cut.add_text(escape(shared) if is_html else shared)
            return
        looks_alike = part.kind == "link" and self._is_plain
        cut.add_place(self._index(Place(part, is_html and not looks_alike)))

    def _index(self, place: Place) -> int:
        return self._places.setdefault(place, len(self._places))

    def _shared(self, slot: Slot) -> str | None:
        """What stands there for everyone; None where each reader has a value of their own."""
        if slot.kind == "brand":
            return str(getattr(self._catalog.brand.shown, slot.value))
        return self._same.get(slot.value) if slot.kind == "link" else None


class _Cut:
    """Text and places taking turns."""

    def __init__(self) -> None:
        self._parts: list[str | int] = [""]

    def add_text(self, text: str) -> None:
        last = self._parts[-1]
        if isinstance(last, str):
            self._parts[-1] = last + text
        else:
            self._parts.append(text)

    def add_place(self, index: int) -> None:
        if not isinstance(self._parts[-1], str):
            self._parts.append("")
        self._parts.append(index)

    def parts(self) -> tuple[str | int, ...]:
        self.add_text("")
        return tuple(self._parts)


def one_line(text: str) -> str:
    """The text with every stretch of white space as one space."""
    return " ".join(text.split())
