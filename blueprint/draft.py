"""Reads a PDF as WeasyPrint has built it and before it is written: objects that name each other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pydyf

from blueprint.pdf_file import Stream

# A string in brackets, a string in hexadecimal digits, or a reference: only that has a group.
REFERENCES = re.compile(rb"\((?:[^\\()]|\\.)*\)|<[0-9a-fA-F]*>|\b(\d+) 0 R\b", re.DOTALL)


@dataclass(frozen=True)
class Draft:
    """A laid-out PDF of which the first `personal` pages are the reader's own.

    `pdf` is a `pydyf.PDF`. A page has its content and links, its elements of the tag tree, its
    destinations and its bookmarks. Places in `borrowed` are not really there: links lead to them
    on pages that are not laid out.
    """

    pdf: Any
    personal: int
    borrowed: frozenset[str] = frozenset()

    def at(self, reference: bytes) -> Any:
        """The object that is referred to."""
        return self.pdf.objects[int(reference.partition(b" ")[0])]

    @property
    def own_pages(self) -> list[Any]:
        numbers = self.pdf.pages["Kids"][::3]
        return [self.pdf.objects[number] for number in numbers[: self.personal]]

    def is_own(self, page: bytes) -> bool:
        return page in [own.reference for own in self.own_pages]

    @property
    def own_links(self) -> list[Any]:
        return [self.at(link) for page in self.own_pages for link in page.get("Annots", ())]

    def number_links_from(self, first: int) -> None:
        """Give the personal pages' links other keys, and so their places in the parent tree."""
        pairs = self.parents(own=True)
        page_keys = [page["StructParents"] for page in self.own_pages]
        kept = {key: pairs[key] for key in page_keys}
        for key, link in enumerate(self.own_links, first):
            kept[key] = pairs[link["StructParent"]]
            link["StructParent"] = key
        flat = [part for pair in kept.items() for part in pair]
        self.parent_tree["Nums"] = pydyf.Array(flat)

    @property
    def tag_root(self) -> Any:
        return self.at(self.pdf.catalog["StructTreeRoot"])

    @property
    def document(self) -> Any:
        """The top of the tag tree. Under it lie the elements of each page, page after page."""
        return self.at(self.tag_root["K"][0])

    def elements(self, *, own: bool) -> list[bytes]:
        """References to the elements under the top, of the personal pages or of all others."""
        kids: list[bytes] = self.document["K"]
        return [kid for kid in kids if self.is_own(self.at(kid)["Pg"]) is own]

    @property
    def parent_tree(self) -> Any:
        return self.at(self.tag_root["ParentTree"])

    def parents(self, *, own: bool) -> dict[int, Any]:
        """From the key of a page or a link to the elements that its content belongs to."""
        keys = {page["StructParents"] for page in self.own_pages}
        keys |= {link["StructParent"] for link in self.own_links}
        numbers = self.parent_tree["Nums"]
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        return {key: to for key, to in pairs if (key in keys) is own}

    def places(self, *, own: bool) -> dict[str, Any]:
        """From the name of a place to the array that leads there."""
        names = self.pdf.catalog.get("Names", {}).get("Dests", {}).get("Names", [])
        pairs = ((name.string, to) for name, to in zip(names[::2], names[1::2], strict=True))
        real = ((name, to) for name, to in pairs if name not in self.borrowed)
        return {name: to for name, to in real if self.is_own(to[0]) is own}

    @property
    def own_bookmarks(self) -> list[Any]:
        top = self.pdf.catalog.get("Outlines")
        marks = self._bookmarks(self.at(top)) if top else ()
        return [mark for mark in marks if self.is_own(mark["Dest"][0])]

    def _bookmarks(self, parent: Any) -> Iterator[Any]:
        reference = parent.get("First")
        while reference:
            mark = self.at(reference)
            yield mark
            yield from self._bookmarks(mark)
            reference = mark.get("Next")

    def reachable(self, roots: Iterable[bytes], ends: Sequence[Any]) -> list[Any]:
        """All objects that `roots` lead to, without those at the `ends` and what lies behind."""
        seen = {end.number for end in ends}
        waiting = [number for data in roots for number in referred(data)]
        found: set[int] = set()
        while waiting:
            number = waiting.pop()
            if number not in seen:
                seen.add(number)
                found.add(number)
                waiting.extend(referred(_dictionary(self.pdf.objects[number])))
        return [self.pdf.objects[number] for number in sorted(found)]


def is_stream(item: Any) -> bool:
    return isinstance(item, pydyf.Stream)


def _dictionary(item: Any) -> bytes:
    return written(pydyf.Dictionary(item.extra) if is_stream(item) else item)


def stream_of(stream: Any) -> Stream:
    """A stream, and the inside of its dictionary."""
    data: bytes = stream.data
    content = data.partition(b"\nstream\n")[2].removesuffix(b"\nendstream")
    return Stream(inside(stream.extra, "Length"), content, "Filter" in stream.extra)


def written(item: Any) -> bytes:
    """A reference, a string, an array or a dictionary, as a PDF has it."""
    data: bytes = item if isinstance(item, bytes) else item.data
    return data


def inside(dictionary: Mapping[str, Any], *without: str) -> bytes:
    """What stands between a dictionary's brackets, without some of its keys."""
    rest = {key: value for key, value in dictionary.items() if key not in without}
    return written(pydyf.Dictionary(rest)).removeprefix(b"<<").removesuffix(b">>")


def tree(pairs: Mapping[Any, Any]) -> bytes:
    """The pairs of a name tree or a number tree, in the order of their keys, as a PDF has them."""
    flat = [part for key in sorted(pairs) for part in (key, pairs[key])]
    named = [pydyf.String(part) if isinstance(part, str) else part for part in flat]
    return written(pydyf.Array(named))


def referred(data: bytes) -> list[int]:
    """The numbers of the objects that this data refers to."""
    return [int(found[1]) for found in REFERENCES.finditer(data) if found[1]]


def renumbered(data: bytes, numbers: Mapping[int, int]) -> bytes:
    """The same data with references to other numbers."""

    def other(found: re.Match[bytes]) -> bytes:
        return b"%d 0 R" % numbers[int(found[1])] if found[1] else found[0]

    return REFERENCES.sub(other, data)
