"""The web side of a test house: a client that need not wait, and pages read as a person does."""

from dataclasses import dataclass, replace
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from funnel.links import Links
from funnel.runtime import Runtime
from funnel.web.app import create_app
from tests.support.house import SECRET, House
from tests.support.visitor import hidden_fields

A_MINUTE = 60.0
VOID = frozenset({"area", "base", "br", "hr", "img", "input", "link", "meta", "source", "wbr"})


class UnhurriedLinks(Links):
    """Takes every form for one that was looked at a minute longer."""

    def seconds_since(self, stamp: str, machine: datetime) -> float | None:
        seconds = super().seconds_since(stamp, machine)
        return None if seconds is None else seconds + A_MINUTE


@dataclass(frozen=True)
class Door:
    """A house seen from outside."""

    house: House
    rt: Runtime
    client: FlaskClient

    def get(self, path: str, status: int = 200, **headers: str) -> str:
        """The page, which must answer with this status."""
        answer = self.client.get(path, headers=headers, buffered=True)
        assert answer.status_code == status, f"{path}: {answer.status_code}"
        return answer.get_data(as_text=True)

    def press(self, path: str, *, page: str | None = None, **fields: str) -> TestResponse:
        """Open a page and post its form to `path`."""
        shown = self.get(urlsplit(page or path).path)
        return self.client.post(path, data={**hidden_fields(shown), **fields})

    def ask(self, email: str = "ada@example.org", **fields: str) -> TestResponse:
        """Fill in the form on the landing page and send it."""
        return self.press("/signup", page="/", email=email, **fields)


def open_door(house: House, rt: Runtime | None = None) -> Door:
    """The application of a house; another runtime may take the place of the house's own."""
    unhurried = UnhurriedLinks(house.rt.settings.base_url, [SECRET])
    rt = rt or replace(house.rt, links=unhurried)
    app = create_app(rt)
    return Door(house, rt, app.test_client())


class Outline(HTMLParser):
    """What a page is made of: its tags with their attributes, in order, and its words."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.misnested: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.misnested.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every tag of that name."""
        return [attributes for name, attributes in self.tags if name == tag]


def words_of(page: str) -> str:
    """The text of a page on one line."""
    return " ".join(Outline(page).text.split())


def copy_database(template: Path, folder: Path) -> str:
    """The address of a fresh copy of a SQLite file."""
    file = folder / "funnel.db"
    file.write_bytes(template.read_bytes())
    return f"sqlite:///{file}"
