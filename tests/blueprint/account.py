"""What there is to know about a PDF, as values that two files can be compared by."""

import re
import subprocess
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops
from pypdf import PdfReader
from pypdf.generic import DictionaryObject, IndirectObject, StreamObject


@dataclass(frozen=True)
class Tag:
    """One element of the tag tree: its role, its words for listeners, and what lies in it."""

    role: str
    alt: str | None
    layout: str
    page: int | None
    inside: "tuple[Tag | str, ...]"


class Account:
    """A PDF read strictly: any flaw of its making is an error."""

    def __init__(self, pdf: bytes) -> None:
        self.pdf = pdf
        self.reader = PdfReader(BytesIO(pdf), strict=True)
        trailer: Any = self.reader.trailer
        self.root = trailer["/Root"]
        self._page_numbers = {page.indirect_reference.idnum: i for i, page in self._pages()}

    def _pages(self) -> list[tuple[int, Any]]:
        return list(enumerate(self.reader.pages, 1))

    @cached_property
    def texts(self) -> list[str]:
        """What each page says, in the order in which it is drawn."""
        command = ["pdftotext", "-raw", "-", "-"]
        ran = subprocess.run(command, input=self.pdf, capture_output=True, check=True)
        return ran.stdout.decode().split("\f")

    @cached_property
    def tags(self) -> Tag:
        return self._tag(self.root["/StructTreeRoot"]["/K"][0].get_object())

    def _tag(self, element: Any) -> Tag:
        kids = element.get("/K", [])
        inside = tuple(self._kid(kid) for kid in (kids if isinstance(kids, list) else [kids]))
        layout = str({k: v for k, v in element.get("/A", {}).items() if k != "/Headers"})
        return Tag(element["/S"], element.get("/Alt"), layout, self._page_of(element), inside)

    @cached_property
    def cell_names(self) -> list[str]:
        """The names by which the cells of tables know their headers."""
        items: list[Any] = list(Objects(self.pdf).all.values())
        return [str(item["/ID"]) for item in items if is_named(item)]

    def _page_of(self, element: Any) -> int | None:
        return self._page_numbers[element.raw_get("/Pg").idnum] if "/Pg" in element else None

    def _kid(self, kid: Any) -> Tag | str:
        kid = kid.get_object()
        if not isinstance(kid, DictionaryObject):
            return f"content {kid}"
        if is_link(kid):
            return f"link to {target_of(kid['/Obj'])} on page {self._page_of(kid)}"
        return self._tag(kid)

    @cached_property
    def links(self) -> list[tuple[int, str, tuple[float, ...]]]:
        """Page, target and rectangle of every link."""
        found = (
            (i, mark.get_object()) for i, page in self._pages() for mark in page.get("/Annots", ())
        )
        return [(i, target_of(mark), tuple(map(float, mark["/Rect"]))) for i, mark in found]

    @cached_property
    def spoken_links(self) -> list[tuple[str, str]]:
        """Target and description of every link."""
        marks = (mark.get_object() for _, page in self._pages() for mark in page.get("/Annots", ()))
        return [(target_of(mark), str(mark["/Contents"])) for mark in marks]

    @cached_property
    def places(self) -> dict[str, tuple[int, ...]]:
        """Page and corner of every named destination."""
        return {
            name: self._spot(to.dest_array) for name, to in self.reader.named_destinations.items()
        }

    def _spot(self, array: Any) -> tuple[int, ...]:
        page, kind, *corner = array
        assert kind == "/XYZ"
        return self._page_numbers[page.idnum], *(round(float(at)) for at in corner)

    @cached_property
    def bookmarks(self) -> list[tuple[int, str, tuple[int, ...]]]:
        """Depth, title and place of every bookmark."""
        return self._bookmarks(self.root["/Outlines"], 0)

    def _bookmarks(self, parent: Any, depth: int) -> list[tuple[int, str, tuple[int, ...]]]:
        found, mark, before = [], parent.get("/First"), None
        while mark:
            assert mark.raw_get("/Parent").idnum == parent.indirect_reference.idnum
            assert mark.get("/Prev") == before
            found += [(depth, str(mark["/Title"]), self._spot(mark["/Dest"]))]
            found += self._bookmarks(mark, depth + 1)
            before, mark = mark, mark.get("/Next")
        assert parent.get("/Last") == before
        return found

    @cached_property
    def about(self) -> dict[str, object]:
        """Title and all else that stands beside the pages."""
        xmp = self.root["/Metadata"].get_object().get_data().decode()
        marks = {key: self.root[key] for key in ("/Lang", "/MarkInfo", "/ViewerPreferences")}
        keys = [(page["/Tabs"], page["/MediaBox"], page["/TrimBox"]) for _, page in self._pages()]
        return {"info": dict(self.reader.metadata or {}), "xmp": xmp, "keys": keys, **marks}

    @cached_property
    def typefaces(self) -> dict[str, bool]:
        """The name of each typeface, without the letters of its subset: whether all are inside."""
        found: dict[str, bool] = {}
        for descriptor in self.descriptors.values():
            name = str(descriptor["/FontName"]).partition("+")[2]
            found[name] = found.get(name, True) and "/FontFile2" in descriptor
        return found

    @cached_property
    def descriptors(self) -> dict[int, Any]:
        """Every typeface that a page may use."""
        fonts = (font for _, page in self._pages() for font in page["/Resources"]["/Font"].values())
        inner = (font.get_object()["/DescendantFonts"][0].get_object() for font in fonts)
        named = (font.raw_get("/FontDescriptor") for font in inner)
        return {name.idnum: name.get_object() for name in named}

    @cached_property
    def unfaithful(self) -> list[str]:
        """Where the way from content to its tag and the way back do not meet."""
        numbers = self.root["/StructTreeRoot"]["/ParentTree"]["/Nums"]
        assert numbers[::2] == sorted(numbers[::2])
        parents = dict(zip(numbers[::2], numbers[1::2], strict=True))
        wrong = []
        for i, page in self._pages():
            owners = parents[page["/StructParents"]].get_object()
            wrong += [
                f"page {i}, content {mcid}"
                for mcid, owner in enumerate(owners)
                if mcid not in owner.get_object()["/K"] or self._page_of(owner.get_object()) != i
            ]
            if sorted(marked_content(page)) != list(range(len(owners))):
                wrong.append(f"page {i}: content without a tag, or a tag without content")
            for link in page.get("/Annots", ()):
                owner = parents[link.get_object()["/StructParent"]].get_object()
                kids: list[Any] = [kid.get_object() for kid in owner["/K"]]
                if link not in [kid.raw_get("/Obj") for kid in kids if is_link(kid)]:
                    wrong.append(f"page {i}: a link without its tag")
        return wrong


class Objects:
    """A PDF's objects as they lie in the file, whether or not anything leads to them."""

    def __init__(self, pdf: bytes) -> None:
        self.reader = PdfReader(BytesIO(pdf), strict=True)
        numbers = {*self.reader.xref[0], *self.reader.xref_objStm} - {0}
        self.all = {i: IndirectObject(i, 0, self.reader).get_object() for i in sorted(numbers)}

    @property
    def dead(self) -> dict[int, Any]:
        """Those that nothing leads to, and that hold no others."""
        reached: set[int] = set()
        waiting: list[Any] = [self.reader.trailer]
        while waiting:
            item = waiting.pop()
            if isinstance(item, IndirectObject):
                is_new = item.idnum not in reached
                reached.add(item.idnum)
                item = item.get_object() if is_new else None
            if isinstance(item, DictionaryObject):
                waiting += [item.raw_get(key) for key in item]
            elif isinstance(item, list):
                waiting += item
        return {i: item for i, item in self.all.items() if i not in reached and not _holds(item)}

    @property
    def letters(self) -> set[str]:
        """Every character that a typeface in the file can draw."""
        maps = [item.get_data() for item in self.all.values() if isinstance(item, StreamObject)]
        told = b"".join(data for data in maps if b"begincmap" in data)
        found = re.findall(rb"^<[0-9a-f]{4}> <([0-9a-f]+)>$", told, re.MULTILINE)
        return {bytes.fromhex(code.decode()).decode("utf-16-be") for code in found}

    @property
    def everything(self) -> bytes:
        """All of them, unpacked."""
        streams = [item.get_data() for item in self.all.values() if isinstance(item, StreamObject)]
        return b"\n".join([*streams, *(repr(item).encode() for item in self.all.values())])


def _holds(item: Any) -> bool:
    return isinstance(item, StreamObject) and item.get("/Type") in ("/ObjStm", "/XRef")


def is_link(kid: Any) -> bool:
    """Whether an element's child is a reference to a link, not content or another element."""
    return isinstance(kid, DictionaryObject) and kid.get("/Type") == "/OBJR"


def is_named(item: Any) -> bool:
    return (
        isinstance(item, DictionaryObject) and item.get("/Type") == "/StructElem" and "/ID" in item
    )


def target_of(link: Any) -> str:
    link = link.get_object()
    return str(link["/Dest"] if "/Dest" in link else link["/A"]["/URI"])


def marked_content(page: Any) -> list[int]:
    """The numbers of all marked content that is drawn on a page."""
    return [int(mcid) for mcid in re.findall(rb"/MCID (\d+)", page["/Contents"].get_data())]


def pictures(pdf: bytes, folder: Path) -> list[Image.Image]:
    """Every page as a small picture."""
    folder.mkdir()
    (folder / "it.pdf").write_bytes(pdf)
    subprocess.run(["pdftoppm", "-r", "60", "it.pdf", "page"], cwd=folder, check=True)
    return [Image.open(path) for path in sorted(folder.glob("page*.ppm"))]


def largest_difference(one: Image.Image, other: Image.Image) -> int:
    """Of any pixel of two pictures, on a scale to 255."""
    assert one.size == other.size
    extremes: Any = ImageChops.difference(one, other).getextrema()
    return max(int(high) for _, high in extremes)
