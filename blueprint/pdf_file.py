"""Writes a PDF from finished objects: streams, the others packed together, and where each lies."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

HEADER = b"%PDF-1.7\n%\xf0\x9f\x96\xa4\n"
FREE = bytes(7)
LEVEL = 6  # level 9 takes twice as long and saves two bytes in a hundred


@dataclass(frozen=True)
class Stream:
    """Content with the inside of its dictionary, which tells neither length nor compression."""

    dictionary: bytes
    content: bytes
    is_packed: bool = False  # packed already, and its dictionary says how


class PdfFile:
    """A PDF that grows. A copy can be finished in another way than the one it was taken from."""

    def __init__(self) -> None:
        self._body = bytearray(HEADER)
        self._entries = {0: FREE}

    def copy(self) -> PdfFile:
        twin = PdfFile()
        twin._body = self._body.copy()
        twin._entries = self._entries.copy()
        return twin

    def add_stream(self, number: int, stream: Stream) -> None:
        content, how = stream.content, b""
        if not stream.is_packed:
            content, how = zlib.compress(content, LEVEL), b"/Filter /FlateDecode"
        self._entries[number] = _entry(1, len(self._body), 0)
        head = b"<<%b%b/Length %d>>" % (stream.dictionary, how, len(content))
        self._body += b"%d 0 obj\n%b\nstream\n%b\nendstream\nendobj\n" % (number, head, content)

    def add_together(self, number: int, objects: Mapping[int, bytes]) -> None:
        """Objects without content, in one stream that has a number of its own."""
        index, position = [], 0
        for place, (inner, data) in enumerate(objects.items()):
            self._entries[inner] = _entry(2, number, place)
            index.append(b"%d %d" % (inner, position))
            position += len(data) + 1
        head = b" ".join(index) + b"\n"
        kind = b"/Type /ObjStm/N %d/First %d" % (len(objects), len(head))
        self.add_stream(number, Stream(kind, head + b"\n".join(objects.values())))

    def finished(self, root: int, info: int) -> bytes:
        """The whole file, once every number is used. A hash of its content identifies it."""
        number, start = len(self._entries), len(self._body)
        self._entries[number] = _entry(1, start, 0)
        mark = sha256(self._body).hexdigest()[:32].encode()
        kind = b"/Type /XRef/W [1 4 2]/Size %d/Root %d 0 R/Info %d 0 R" % (number + 1, root, info)
        table = b"".join(self._entries[i] for i in range(number + 1))
        self.add_stream(number, Stream(kind + b"/ID [<%b> <%b>]" % (mark, mark), table))
        return bytes(self._body) + b"startxref\n%d\n%%%%EOF\n" % start


def _entry(kind: int, first: int, second: int) -> bytes:
    return bytes([kind]) + first.to_bytes(4, "big") + second.to_bytes(2, "big")
