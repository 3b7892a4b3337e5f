"""The canary: one person goes through the whole funnel, is erased, and is found nowhere (C35).

What may be left is a keyed hash that leaves her address alone, and a purchase without a buyer.
"""

import json
import logging
import subprocess
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.engine import make_url

from funnel.adapters.mailbox import FileMailbox
from funnel.db.guides import Guide
from funnel.db.mail import Message
from funnel.db.offers import Purchase
from funnel.db.people import Confirmation, Subscriber
from funnel.db.rights import DataRequest
from funnel.domain.people import fingerprint, parse_address
from funnel.links import LinkPurpose
from funnel.services import challenge, offers
from funnel.services.mail_events import take_events
from funnel.services.shelf import Shelf
from funnel.services.workplace import Workplace
from tests.support import make
from tests.support.desk import csrf_of, signed_in
from tests.support.front_door import open_door
from tests.support.house import House
from tests.support.rights import dump, files, hits

CANARY = "zaunkoenig+back@canary-garden.example"
NAME = "Zaunkönigin"
DAY = timedelta(days=1)
OFFER = "lower-back-programme"


@dataclass(frozen=True)
class Traces:
    """All that could tell who she was: her address and name, and every handle that is hers."""

    words: tuple[str, ...]
    answers: tuple[str, ...]


@pytest.fixture
def canary_house(each_house: House, tmp_path: Path) -> House:
    """A house whose mails really lie in its mailbox, and whose workplace is its own."""
    rt, mailbox = each_house.rt, FileMailbox(tmp_path / "mailbox")
    shelf = Shelf(rt.shelf.storage, rt.shelf.vault, Workplace(tmp_path / "workplace"))
    worker = replace(
        rt.worker,
        sender=replace(rt.worker.sender, mailer=mailbox),
        printer=replace(rt.worker.printer, shelf=shelf),
        outside=replace(rt.rights.outside, provider=mailbox),
    )
    return replace(each_house, rt=replace(rt, worker=worker, shelf=shelf))


def live_through_everything(house: House) -> None:
    """Sign-up with the self-check, guide, series, challenge, programme, purchase, desk, data."""
    make.confirmed(house, CANARY, name=NAME, health=True, zone="Europe/Zurich")
    make.confirmed(house, "bea@example.org", name="Bea")
    house.hop(5 * DAY)
    make.join(house, CANARY)
    house.hop(2 * DAY)
    handle, whose = make.person(house, CANARY).public_id, make.person(house, CANARY).id
    desk = signed_in(house)
    with house.rt.sessions.begin() as session:
        now = house.clock.now()
        days = house.rt.catalog.challenge
        challenge.mark_day(session, handle, 1, is_done=True, challenge=days, now=now)
        offers.join_waitlist(session, handle, OFFER, now=now)
        offers.mark_paid(session, whose, OFFER, staff_id=1, now=now)
    _tell_of_every_mail(house)
    door = open_door(house)
    token = house.rt.links.token(LinkPurpose.PREFERENCES, handle)
    door.press(f"/preferences/{token}", series="yes")
    door.press(f"/your-data/{token}")
    for act in ("receipt", "export"):
        assert desk.post(f"/desk/people/{whose}/{act}", data={"csrf": csrf_of(desk)}).data
    form = {"csrf": csrf_of(desk), "offer": OFFER, "paid": "yes"}
    desk.post(f"/desk/people/{whose}/paid", data=form)
    house.work()


def _tell_of_every_mail(house: House) -> None:
    events = [
        {
            "sg_event_id": f"event-{number}-of-{message.id}",
            "sg_message_id": f"{message.id.hex}.recv",
            "smtp-id": f"<{message.id}@practice.example>",
            "send_id": str(message.id),
            "event": "delivered" if number % 2 else "processed",
            "email": CANARY,
            "reason": f"250 OK {CANARY}",
            "timestamp": int(house.clock.now().timestamp()),
        }
        for number, message in enumerate(make.messages(house, CANARY))
    ]
    with house.rt.sessions.begin() as session:
        take_events(session, list(events), now=house.clock.now())


def traces_of(house: House) -> Traces:
    person = make.person(house, CANARY)
    handles = [person.public_id]
    with house.rt.reading.begin() as session:
        for table in (Confirmation, DataRequest):
            hers = table.subscriber_id == person.id
            handles += session.scalars(select(table.public_id).where(hers)).all()
        hers = Guide.subscriber_id == person.id
        handles += session.scalars(select(Guide.public_id).where(hers)).all()
        handles += session.scalars(select(Message.id).where(Message.subscriber_id == person.id))
    folded = fingerprint(parse_address(CANARY).folded, house.rt.links.pepper)
    words = ["zaunkoenig", "canary-garden", NAME, json.dumps(NAME)[1:-1], "Europe/Zurich", folded]
    words += [str(handle) for handle in handles] + [handle.hex for handle in handles]
    check = house.rt.catalog.self_check
    answers = [question.answers[0].told or "" for question in check.questions]
    return Traces(tuple(words), tuple(each for each in answers if each))


def everywhere(house: House, folder: Path, logged: str) -> list[tuple[str, str]]:
    """The database as text, every file below the house's folder, and all that was logged."""
    places = [*dump(house), *pg_dump(house), ("log", logged)]
    return places + [each for each in files(folder) if not each[0].startswith("funnel.db")]


def pg_dump(house: House) -> list[tuple[str, str]]:
    """What `pg_dump` writes, where the database is Postgres."""
    url = make_url(house.rt.settings.database_url)
    if url.get_backend_name() == "sqlite":
        return []
    name = f"--dbname={url.render_as_string(hide_password=False)}"
    found = subprocess.run(["pg_dump", name], capture_output=True, text=True, check=True)
    return [("pg_dump", found.stdout)]


def test_of_a_person_who_was_erased_nothing_is_left_anywhere(
    canary_house: House, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    house = canary_house
    live_through_everything(house)
    traces = traces_of(house)
    before = {place for place, _ in hits(everywhere(house, tmp_path, ""), *traces.words)}
    assert before >= {"subscriber", "message", "mail_event", "guide", "confirmation"}
    assert any(place.endswith(".eml") for place in before)
    kept = len(list((tmp_path / "mailbox").glob("*.eml")))

    door = open_door(house)
    path = my_data(tmp_path)
    done = door.press(f"{path}/erase", sure="yes")
    assert done.status_code == 200
    _tell_late(house, traces)
    for _ in range(4):
        house.clock.advance(timedelta(minutes=4))
        house.work()
    # The sweep of files goes by the disk's own time, which a test cannot move.
    printer = replace(house.rt.worker.printer, clock=AfterAll(house))
    printer.sweep()

    places = everywhere(house, tmp_path, caplog.text)
    assert hits(places, *traces.words) == []
    assert hits(places, *traces.answers) == []
    assert 0 < len(list((tmp_path / "mailbox").glob("*.eml"))) < kept, "Bea's are still there"
    _only_what_may_be_left(house)
    house.hop(20 * DAY)
    assert hits(everywhere(house, tmp_path, caplog.text), *traces.words) == []


def my_data(folder: Path) -> str:
    """The link in the newest mail of the mailbox that leads to her data."""
    for file in sorted((folder / "mailbox").glob("*.eml"), reverse=True):
        mail = message_from_bytes(file.read_bytes(), policy=default)
        part = mail.get_body(("plain",))
        if str(mail["Subject"]) == "Your data" and part is not None:
            return str(part.get_content()).partition("http://localhost")[2].split()[0]
    raise AssertionError("no mail about her data")


def _tell_late(house: House, traces: Traces) -> None:
    """News of her mails comes in days after."""
    late = {
        "sg_event_id": "late",
        "event": "bounce",
        "email": CANARY,
        "send_id": traces.words[-1],
        "reason": f"550 {CANARY}",
        "timestamp": 1,
    }
    with house.rt.sessions.begin() as session:
        take_events(session, [late], now=house.clock.now())


class AfterAll:
    """A clock that every file is older than."""

    def __init__(self, house: House) -> None:
        self.now = house.clock.now
        self.boot_seconds = house.clock.boot_seconds

    def machine(self) -> datetime:
        return datetime(2100, 1, 1, tzinfo=UTC)


def _only_what_may_be_left(house: House) -> None:
    digest = fingerprint(parse_address(CANARY).key, house.rt.links.pepper)
    found = {place for place, _ in hits(dump(house), digest)}
    assert found == {"suppression"}
    with house.rt.reading.begin() as session:
        (bought,) = session.scalars(select(Purchase))
        assert (bought.subscriber_id, bought.offer_key) == (None, OFFER)
        assert session.scalars(select(Subscriber.email)).all() == ["bea@example.org"]
        orphans = text("SELECT count(*) FROM consent_event WHERE subscriber_id IS NULL")
        assert (session.scalar(orphans) or 0) > 4
