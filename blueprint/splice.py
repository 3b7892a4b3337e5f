"""Puts one reader's own pages into a guide that was laid out before, with all that is theirs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from blueprint.draft import Draft, inside, is_stream, renumbered, stream_of, tree, written
from blueprint.pdf_file import PdfFile

# Two subsets of one typeface in one file need different letters before their names.
SUBSET = re.compile(rb"(?<=^/)[A-Z]{6}(?=\+)")
LETTERS = bytes(range(ord("A"), ord("Z") + 1))
OTHER_LETTERS = bytes.maketrans(LETTERS, LETTERS[13:] + LETTERS[:13])


@dataclass(frozen=True)
class _Lists:
    """The lists of a PDF that lead to its pages, or to some of them."""

    elements: list[bytes]
    parents: dict[int, bytes]
    places: dict[str, bytes]

    @classmethod
    def of(cls, draft: Draft, *, own: bool) -> _Lists:
        parents = {key: written(to) for key, to in draft.parents(own=own).items()}
        places = {name: written(to) for name, to in draft.places(own=own).items()}
        return cls(draft.elements(own=own), parents, places)

    def renumbered(self, numbers: Mapping[int, int]) -> _Lists:
        return _Lists(
            [renumbered(element, numbers) for element in self.elements],
            {key: renumbered(to, numbers) for key, to in self.parents.items()},
            {name: renumbered(to, numbers) for name, to in self.places.items()},
        )

    def followed_by(self, rest: _Lists) -> _Lists:
        return _Lists(
            self.elements + rest.elements, self.parents | rest.parents, self.places | rest.places
        )


class Base:
    """The guide without its personal pages: written down once, with gaps for a reader's own.

    The gaps are objects that are numbered here and written for each reader: the three that hold
    lists, her bookmarks and her pages. Nothing else of the draft's own pages is kept.
    """

    def __init__(self, draft: Draft) -> None:
        catalog, document, bookmarks = draft.pdf.catalog, draft.document, draft.own_bookmarks
        texts = [inside(catalog, "Names", "Metadata"), inside(document, "K")]
        texts += [inside(draft.parent_tree, "Nums")]
        texts += [inside(mark, "Title", "Dest") for mark in bookmarks]
        lists = _Lists.of(draft, own=False)
        gaps = [catalog, document, draft.parent_tree, *bookmarks, *draft.own_pages]
        shared = draft.reachable([*texts, *lists.elements, *lists.parents.values()], gaps)
        numbers = {item.number: new for new, item in enumerate([*shared, *gaps], 1)}
        self._shape = _shape(draft)
        self._texts = [renumbered(text, numbers) for text in texts]
        self._lists = lists.renumbered(numbers)
        self._gaps = [numbers[gap.number] for gap in gaps]
        self._all_pages = numbers[draft.pdf.pages.number]
        self._used = len(numbers) + 1
        self._file = PdfFile()
        _retag(shared)
        _write(self._file, self._used, shared, numbers, {})

    def with_pages_of(self, own: Draft) -> bytes | None:
        """The whole PDF with these personal pages; None where they do not fit.

        A draft can be used once: its links are given other keys.
        """
        if _shape(own) != self._shape:
            return None
        own.number_links_from(max(self._lists.parents) + 1)
        lists = _Lists.of(own, own=True)
        info, metadata = own.pdf.info.reference, own.pdf.catalog["Metadata"]
        roots = [*lists.elements, *lists.parents.values(), info, metadata]
        ends = [own.document, own.pdf.pages]
        objects = own.reachable([*roots, *(page.reference for page in own.own_pages)], ends)
        numbers = self._numbers(own, objects)
        lists = lists.renumbered(numbers).followed_by(self._lists)
        gaps = self._filled(own, numbers, lists)
        file = self._file.copy()
        _write(file, max(numbers.values()) + 1, objects, numbers, gaps)
        return file.finished(self._gaps[0], numbers[own.pdf.info.number])

    def _numbers(self, own: Draft, objects: Iterable[Any]) -> dict[int, int]:
        """From the draft's numbers to those in the file, where its pages fall into the gaps."""
        known = [own.document, own.pdf.pages, *own.own_pages]
        gaps = [self._gaps[1], self._all_pages, *self._gaps[-own.personal :]]
        numbers = {item.number: gap for item, gap in zip(known, gaps, strict=True)}
        free = count(self._used + 1)
        new = [item.number for item in objects if item.number not in numbers]
        return numbers | dict(zip(new, free, strict=False))

    def _filled(self, own: Draft, numbers: Mapping[int, int], lists: _Lists) -> dict[int, bytes]:
        """What stands in the gaps, but for the pages."""
        metadata = renumbered(own.pdf.catalog["Metadata"], numbers)
        fillings = [
            b"/Metadata %b/Names <</Dests <</Names %b>>>>" % (metadata, tree(lists.places)),
            b"/K [%b]" % b" ".join(lists.elements),
            b"/Nums %b" % tree(lists.parents),
        ]
        for mark in own.own_bookmarks:
            to = renumbered(written(mark["Dest"]), numbers)
            fillings.append(b"/Title %b/Dest %b" % (written(mark["Title"]), to))
        parts = zip(self._gaps, self._texts, fillings, strict=False)
        return {gap: b"<<%b%b>>" % (text, filling) for gap, text, filling in parts}


def _shape(draft: Draft) -> tuple[int, list[str], int]:
    """What two drafts need to have in common for their personal pages to be exchanged."""
    return draft.personal, sorted(draft.places(own=True)), len(draft.own_bookmarks)


def _retag(objects: Iterable[Any]) -> None:
    """Give each typeface's subset other letters: two of one name in a file must not share them."""
    for item in objects:
        for key in ("BaseFont", "FontName"):
            if not is_stream(item) and key in item:
                item[key] = SUBSET.sub(lambda tag: tag[0].translate(OTHER_LETTERS), item[key])


def _write(
    file: PdfFile,
    spare: int,
    objects: Iterable[Any],
    numbers: Mapping[int, int],
    others: Mapping[int, bytes],
) -> None:
    """Add objects under their new numbers, and `others`; `spare` is a number for the lot."""
    together = dict(others)
    for item in objects:
        number = numbers[item.number]
        if is_stream(item):
            stream = stream_of(item)
            text = renumbered(stream.dictionary, numbers)
            file.add_stream(number, replace(stream, dictionary=text))
        else:
            together[number] = renumbered(written(item), numbers)
    file.add_together(spare, together)
