"""A house in which every shipped mail has gone to somebody, and every link they hold."""

import hashlib
import re
from datetime import timedelta
from html import unescape

from sqlalchemy import func, select

from funnel.content.shipped import shipped_texts
from funnel.db.mail import Message
from funnel.db.tables import Base
from funnel.domain.people import parse_address
from funnel.services import offers, reminding, signup
from tests.content.samples import TEMPLATES
from tests.support import make
from tests.support.house import House

DAY, A_WHILE = timedelta(days=1), timedelta(minutes=5)
READERS = {"ada@example.org": "reads the series", "bea@example.org": "joins the challenge"}
NEWCOMER = "ben@example.org"
COUNTERS = frozenset({"visit_count", "click_count"})  # flushed from memory, and name nobody
LINK = re.compile(r"http://localhost(/[^\s\"<>]*)")


def live(house: House) -> None:
    """Let people live until every shipped mail has gone to somebody; one has not confirmed yet."""
    make.confirmed(house, "ada@example.org", health=True)
    make.joined(house, "bea@example.org")
    house.hop(30 * DAY)
    _ask_for_link(house, "bea@example.org")
    handle = make.person(house, "bea@example.org").public_id
    with house.rt.sessions.begin() as session:
        offers.join_waitlist(session, handle, "lower-back-programme", now=house.clock.now())
    make.move(house, "bea@new.example.org", of="bea@example.org")
    make.complain(house, "cleo@example.org")
    make.request(house, NEWCOMER, health=True)
    house.work()
    house.clock.advance(DAY)
    _remind(house)
    make.ask_for_data(house, "ada@example.org")
    house.work()
    house.clock.advance(A_WHILE)
    assert _went(house) == _shipped(), "a mail is shipped that nobody here gets"


def _remind(house: House) -> None:
    with house.rt.sessions.begin() as session:
        reminding.remind_due(session, after=DAY, links=house.rt.links, now=house.clock.now())


def _ask_for_link(house: House, email: str) -> None:
    with house.rt.sessions.begin() as session:
        signup.send_portal_link(
            session,
            parse_address(email),
            now=house.clock.now(),
            links=house.rt.links,
            ip_key="at home",
        )


def _went(house: House) -> set[str]:
    with house.rt.reading.begin() as session:
        return set(
            session.scalars(select(Message.mail_key).where(Message.accepted_at.is_not(None)))
        )


def _shipped() -> set[str]:
    return {text.key for text in shipped_texts(TEMPLATES) if text.kind == "mail"}


def links_in_mails(house: House, email: str | None = None) -> list[str]:
    """The path of every link to our own pages, in either part of every mail, each once."""
    mails = [mail for mail in house.mailer.accepted if email in {None, mail.to_address}]
    paths = [
        path for mail in mails for part in (mail.html, mail.text) for path in LINK.findall(part)
    ]
    paths += [path for mail in mails for path in LINK.findall(mail.list_unsubscribe_url or "")]
    return list(dict.fromkeys(unescape(path) for path in paths))


def checksum(house: House) -> str:
    """Of every row of every table, but for the counters."""
    digest = hashlib.sha256()
    with house.rt.reading.begin() as session:
        for name, table in sorted(Base.metadata.tables.items()):
            if name not in COUNTERS:
                rows = sorted(repr(tuple(row)) for row in session.execute(select(table)))
                digest.update(repr((name, rows)).encode())
        assert session.scalar(select(func.count()).select_from(Message))
    return digest.hexdigest()
