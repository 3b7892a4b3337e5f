"""Reading what was printed, and listening for calls that must not come."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pypdf import PdfReader
from pypdf.generic import DictionaryObject


def flat(text: str) -> str:
    """Text as one line, so that line breaks of the layout do not matter."""
    return " ".join(text.split())


def page_texts(reader: PdfReader) -> list[str]:
    return [flat(page.extract_text()) for page in reader.pages]


def fonts(reader: PdfReader) -> dict[str, DictionaryObject]:
    """The descriptor of every font used on any page, by its name without the subset tag."""
    found: dict[str, DictionaryObject] = {}
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():  # type: ignore[index]  # pypdf is loose
            inner = font.get_object()["/DescendantFonts"][0].get_object()
            name = str(inner["/BaseFont"]).lstrip("/").split("+")[-1]
            found[name] = inner["/FontDescriptor"].get_object()
    return found


def structure(reader: PdfReader) -> list[DictionaryObject]:
    """Every element of the tag tree, in reading order."""
    root: Any = reader.trailer["/Root"]
    elements: list[DictionaryObject] = []
    waiting: list[Any] = [root["/StructTreeRoot"]]
    while waiting:
        node = waiting.pop()
        node = node.get_object() if hasattr(node, "get_object") else node
        if isinstance(node, list):
            waiting.extend(reversed(node))
        elif isinstance(node, DictionaryObject):
            elements.append(node)
            waiting.append(node.get("/K", []))
    return elements


@dataclass
class Listener:
    """A server on loopback: its address, and the paths it was asked for."""

    url: str
    hits: list[str] = field(default_factory=list)


@contextmanager
def listening() -> Iterator[Listener]:
    heard = Listener("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.hits.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    heard.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
