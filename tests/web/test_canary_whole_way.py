"""C28: an answer about health goes the whole way and leaves no trace but the sealed row and the
guide's own pages. A name is in the words of her mails and nowhere else."""

import email
import logging
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from email.policy import default
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from sqlalchemy import select
from werkzeug.test import TestResponse

from funnel.adapters.press import PdfPress
from funnel.adapters.sendgrid import SendGridMailer
from funnel.adapters.sendgrid_events import SignatureVerifier
from funnel.adapters.smtp import SmtpMailer
from funnel.db.tables import Base
from funnel.domain.ports import Mailer
from funnel.domain.self_check import SelfCheck
from funnel.links import LinkPurpose
from tests.support import make
from tests.support.desk import signed_in
from tests.support.fake_sendgrid import FakeSendGrid
from tests.support.front_door import Door, copy_database, open_door
from tests.support.house import House, open_house, shipped_catalog
from tests.support.self_check import Walker
from tests.support.smtp_server import FakeSmtp
from tests.support.webhook import PATH, PUBLIC, body_of, signed
from tests.web.test_self_check_canary import CANARY, canaries

NAME = "Zznamecanary"
ADA = "ada@example.org"
KEEPS = {"text", "html"}


@dataclass
class Post:
    """A real mailer and what its provider got: every octet, and the mails as they arrive."""

    mailer: Mailer
    server: FakeSendGrid | FakeSmtp

    @property
    def octets(self) -> list[str]:
        """All that left, as it left, and decoded."""
        if isinstance(self.server, FakeSendGrid):
            return [body.decode() for body in self.server.bodies] + self.server.account.asked
        whole = [mail.content for mail in self.server.accepted]
        return [each.decode("latin-1") for each in whole] + [_decoded(each) for each in whole]

    @property
    def arguments(self) -> list[str]:
        """What goes beside the words: headers, categories, custom arguments."""
        if isinstance(self.server, FakeSendGrid):
            return [
                str({name: value for name, value in mail.payload.items() if name != "content"}
                    | {"personalizations": _bare(mail.personalization)})
                for mail in self.server.accepted
            ]  # fmt: skip
        heads = [mail.content.partition(b"\r\n\r\n")[0] for mail in self.server.accepted]
        return [head.decode("latin-1") for head in heads]

    @property
    def words(self) -> list[str]:
        """The text of each mail as its reader sees it."""
        if isinstance(self.server, FakeSendGrid):
            return [mail.text for mail in self.server.accepted]
        return [_decoded(mail.content) for mail in self.server.accepted]


def _bare(personalization: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in personalization.items() if name != "substitutions"}


def _decoded(content: bytes) -> str:
    message = email.message_from_bytes(content, policy=default)
    parts = [str(part.get_content()) for part in message.walk() if not part.is_multipart()]
    return "\n".join([str(dict(message.items())), *parts])


@pytest.fixture(params=["sendgrid", "smtp"])
def post(request: pytest.FixtureRequest) -> Iterator[Post]:
    """Both providers, with the real mailers before them."""
    if request.param == "sendgrid":
        with FakeSendGrid() as sendgrid, closing(_sendgrid(sendgrid)) as mailer:
            yield Post(mailer, sendgrid)
        assert sendgrid.complaints == []
    else:
        with FakeSmtp(connections=2) as smtp, closing(SmtpMailer(smtp.url)) as smtp_mailer:
            yield Post(smtp_mailer, smtp)


def _sendgrid(fake: FakeSendGrid) -> SendGridMailer:
    return SendGridMailer(fake.api_key, fake.url)


def told_canaries(check: SelfCheck) -> SelfCheck:
    """What her guide says back to her is marked too."""
    marked = canaries(check)
    questions = tuple(
        replace(
            question,
            answers=tuple(
                replace(answer, told=f"{CANARY} {answer.told}"[:70] if answer.told else None)
                for answer in question.answers
            ),
        )
        for question in marked.questions
    )
    return replace(marked, questions=questions)


@pytest.fixture
def house(prepared_sqlite: Path, tmp_path: Path, post: Post) -> Iterator[House]:
    catalog = shipped_catalog()
    catalog = replace(catalog, self_check=told_canaries(catalog.self_check))
    url = copy_database(prepared_sqlite, tmp_path)
    with open_house(url, tmp_path, mailer=post.mailer, catalog=catalog) as opened:
        yield opened


class Watcher:
    """The front door, and every address and head that passes through it."""

    def __init__(self, house: House) -> None:
        unhurried = open_door(house).rt
        verified = replace(unhurried, verifier=SignatureVerifier([PUBLIC]))
        self.door: Door = open_door(house, verified)
        self.walker = Walker(self.door)

    @property
    def heads(self) -> list[str]:
        return [_head(answer) for answer in self.walker.seen]


def _head(answer: TestResponse) -> str:
    is_page = answer.mimetype == "text/html"
    page = answer.get_data(as_text=True) if is_page else ""
    title = page.partition("</title>")[0].rpartition("<title>")[2]
    return f"{answer.request.url}\n{answer.headers}\n{title}"


def walk(watcher: Watcher, house: House) -> bytes:
    """Self-check with consent, confirm, guide; returns her guide."""
    walker = watcher.walker
    walker.pass_the_gate()
    for question in walker.check.questions:
        walker.answer(question.answers[0].key)
    walker.send(ADA, name=NAME, health="yes", series="yes")
    house.work()
    token = house.rt.links.token(LinkPurpose.CONFIRM, make.newest_confirmation(house))
    confirm = f"/confirm/{token}"
    walker.open(confirm).post(confirm, answers="yes")
    house.work()
    house.work()
    guide = walker.seen[-1].headers["Location"].replace("/thank-you/", "/guide/")
    walker.open(guide).post(f"{guide}/download")
    file = watcher.door.client.get(walker.seen[-1].headers["Location"], buffered=True)
    walker.seen.append(file)
    return file.get_data()


def events_of(house: House) -> list[dict[str, object]]:
    """What a provider tells of each of her mails."""
    return [
        {
            "event": "delivered",
            "email": ADA,
            "send_id": str(message.id),
            "sg_event_id": f"e{message.id.hex}",
            "timestamp": int(house.clock.now().timestamp()),
        }
        for message in make.messages(house)
    ]


def rows(house: House) -> list[str]:
    """Every row of every table, as text."""
    with house.rt.reading.begin() as session:
        return [
            str(tuple(row))
            for table in Base.metadata.sorted_tables
            for row in session.execute(select(table))
        ]


def test_c28_an_answer_leaves_no_trace_but_the_sealed_row_and_the_pages_of_her_guide(
    house: House, post: Post, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    watcher = Watcher(house)
    guide = walk(watcher, house)
    house.hop(timedelta(days=18))
    body = body_of(events_of(house))
    answer = watcher.door.client.post(PATH, data=body, headers=signed(body, house.clock.machine()))
    assert answer.status_code == 204
    house.work()
    desk = signed_in(house)
    person = make.person(house)
    pages = [f"/desk/people/{person.id}", "/desk/", "/desk/people", "/desk/delivery", "/desk/guide"]
    shown = [desk.get(page, buffered=True) for page in pages]
    assert [each.status_code for each in shown] == [200] * len(pages)

    words = "\n".join(post.words)
    assert words.count(NAME) >= 5, "the canary in her name was alive"
    assert len(make.messages(house)) >= 9
    # What the fake mail server itself writes down is no log of ours.
    ours = [record for record in caplog.records if record.name != "mail.log"]
    logs = [str(record.__dict__) for record in ours]
    files = [str(path) for path in tmp_path.rglob("*")]
    content = [
        path.read_bytes().decode("latin-1")
        for path in (tmp_path / "guides").rglob("*")
        if path.is_file()
    ]
    labels = [message.mail_key for message in make.messages(house)]
    desk_heads = [_head(each) for each in shown]
    everywhere = [
        *post.octets, *logs, *files, *content, *labels, *watcher.heads, *desk_heads, *rows(house),
        *(each.get_data(as_text=True) for each in shown[:4]),
    ]  # fmt: skip
    assert [text[:200] for text in everywhere if CANARY in text] == []
    neutral = [*post.arguments, *logs, *files, *content, *watcher.heads, *desk_heads[1:]]
    assert [text[:200] for text in neutral if NAME in text] == []
    assert CANARY.encode() in guide, "the fake press writes down what it was given"
    assert NAME.encode() in guide


@pytest.mark.parametrize("post", ["smtp"], indirect=True)
def test_c28_a_printed_guide_tells_an_answer_on_its_pages_only(
    house: House, tmp_path: Path
) -> None:
    walk(Watcher(house), house)
    (document,) = [
        {name: value for name, value in each.items() if name != "edition"}
        for each in house.press.documents
        if each["edition"] == "guide" and each.get("first_name") == NAME and each.get("told")
    ]
    with closing(PdfPress()) as press:
        press.press(document, tmp_path / "guide.pdf")
    _look_into((tmp_path / "guide.pdf").read_bytes())


def _look_into(guide: bytes) -> None:
    """Its pages hold what she told, or the canary was never alive; nothing else of it does."""
    reader = PdfReader(BytesIO(guide))
    assert CANARY in "".join(page.extract_text() for page in reader.pages)
    xmp = reader.xmp_metadata
    told = str(reader.metadata) + (xmp.stream.get_data().decode() if xmp else "")
    assert "title" in told.lower()
    assert CANARY not in told
