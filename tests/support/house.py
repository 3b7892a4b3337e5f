"""A whole funnel for a test: real services, words and database, with a clock that is moved."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from funnel.content.catalog import Catalog, load_catalog
from funnel.db.mail import Enrolment, Message
from funnel.domain.clock import ManualClock
from funnel.domain.delivery import MessageState
from funnel.domain.ports import (
    GuidePress,
    Mailer,
    Outcome,
    OutgoingEmail,
    Outside,
    PressedGuide,
    SendResult,
)
from funnel.runtime import Runtime, build_runtime, prepare
from funnel.services.errands import Errand
from funnel.services.work import drain
from funnel.settings import Settings

# A Monday in winter, mid-morning in London: inside the sending hours.
START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
SECRET = "test-secret-of-more-than-thirty-two-characters"


class FakePress:
    """Makes a tiny file at once; `fails` times it raises first."""

    def __init__(self) -> None:
        self.documents: list[Mapping[str, object]] = []
        self.failure: Exception | None = None

    def press(
        self, document: Mapping[str, object], out: Path, edition: str = "guide"
    ) -> PressedGuide:
        if self.failure is not None:
            raise self.failure
        self.documents.append({**document, "edition": edition})
        content = b"%PDF-1.7\n" + repr([edition, *sorted(document.items())]).encode()
        content += b"\n%%EOF\n"
        out.write_bytes(content)
        return PressedGuide(12, len(content), hashlib.sha256(content).hexdigest())

    def warm(self) -> None:
        """It is always ready."""

    def close(self) -> None:
        """Nothing is held open."""


class PowerCut(BaseException):
    """The process dies here: nothing catches it, nothing is tidied up."""


@dataclass(frozen=True)
class TakenButLost:
    """The provider takes the mail, and this happens to its answer."""

    instead: Outcome | BaseException


@dataclass
class FakeMailer:
    """Accepts everything and keeps it; `script` answers first where it has an answer left.

    `offered` is every email handed in, in order; `during` runs in the middle of each call.
    """

    accepted: list[OutgoingEmail] = field(default_factory=list)
    script: list[Outcome | BaseException | TakenButLost] = field(default_factory=list)
    offered: list[OutgoingEmail] = field(default_factory=list)
    during: Callable[[], object] | None = None
    name: str = "fake"
    batch_size: int = 20
    answer_seconds: float = 30.0
    knows: bool | None = None
    knows_at_once: bool = True

    def send(self, emails: Sequence[OutgoingEmail]) -> list[SendResult]:
        return [self._send(email) for email in emails]

    def _send(self, email: OutgoingEmail) -> SendResult:
        self.offered.append(email)
        if self.during is not None:
            self.during()
        answer = self.script.pop(0) if self.script else Outcome.ACCEPTED
        if answer is Outcome.ACCEPTED or isinstance(answer, TakenButLost):
            self.accepted.append(email)
        outcome = answer.instead if isinstance(answer, TakenButLost) else answer
        if isinstance(outcome, BaseException):
            raise outcome
        provider_id = email.message_id.hex if outcome is Outcome.ACCEPTED else None
        return SendResult(email.message_id, outcome, f"The fake said {outcome}.", provider_id)

    def was_accepted(self, message_id: UUID, to_address: str, since: datetime) -> bool | None:
        del to_address, since
        if self.knows is None:
            return None
        return any(email.message_id == message_id for email in self.accepted)

    def close(self) -> None:
        """Nothing is held open."""

    def to(self, address: str) -> list[OutgoingEmail]:
        """What this address got, in order."""
        return [email for email in self.accepted if email.to_address == address]


class QuietBell:
    """Rings nothing."""

    def ring(self, queue: str) -> None:
        """The test does the rounds itself."""


@dataclass(frozen=True)
class House:
    """A runtime with its fakes at hand."""

    rt: Runtime
    clock: ManualClock
    mailer: FakeMailer
    press: FakePress

    def work(self) -> None:
        """Do all that is due at this instant: guides, mail, and what follows from them."""
        drain(self.rt.worker.printer.make_next)
        self.rt.worker.mail_round()

    def hop(self, span: timedelta) -> None:
        """Let time pass, working now, whenever something falls due, and at the end."""
        end = self.clock.now() + span
        self.work()
        while self.clock.now() < end:
            self.clock.move_to(min([end, *self._next_instants()]))
            self.work()

    def _next_instants(self) -> list[datetime]:
        now = self.clock.now()
        waiting = Message.state == MessageState.SCHEDULED
        doubted = select(Message.id).where(Message.state == MessageState.UNKNOWN)
        with self.rt.reading.begin() as session:
            instants = [
                *session.scalars(select(Enrolment.next_due_at)),
                *session.scalars(select(Message.not_before).where(waiting)),
                *session.scalars(select(Message.lease_until)),
                now + timedelta(minutes=1) if session.scalars(doubted).first() else None,
            ]
        return [instant for instant in instants if instant is not None and instant > now]

    def live(self, span: timedelta, step: timedelta = timedelta(hours=1)) -> None:
        """Let time pass, working at every step."""
        end = self.clock.now() + span
        while self.clock.now() < end:
            self.clock.advance(min(step, end - self.clock.now()))
            self.work()


def house_settings(database_url: str, folder: Path) -> Settings:
    """Settings of a test house: everything below one folder."""
    return Settings(
        database_url=database_url,
        mail_url=f"mailbox://{folder}/mailbox",
        storage_url=f"file://{folder}/guides",
        secret_keys=(SECRET,),
        base_url="http://localhost",
    )


@cache
def shipped_catalog() -> Catalog:
    """What is under `templates/`, read once: nothing in it ever changes."""
    return load_catalog(Path("templates"))


def prepare_database(url: str, folder: Path) -> None:
    """Migrate a database and publish the shipped words in it, for tests to copy."""
    rt = build_runtime(
        house_settings(url, folder),
        clock=ManualClock(START),
        bell=QuietBell(),
        press=FakePress(),
        catalog=shipped_catalog(),
    )
    prepare(rt)
    rt.close()


def at_once(errand: Errand) -> None:
    """Run an errand in the middle of the round: a test does not wait for threads."""
    errand()


@contextmanager
def open_house(
    database_url: str,
    folder: Path,
    *,
    start: datetime = START,
    mailer: Mailer | None = None,
    press: GuidePress | None = None,
    catalog: Catalog | None = None,
    outside: Outside | None = None,
    settings: Settings | None = None,
) -> Iterator[House]:
    """A house; its database is migrated, and given the shipped words, where it is not yet."""
    clock, fake_mailer, fake_press = ManualClock(start), FakeMailer(), FakePress()
    rt = build_runtime(
        settings or house_settings(database_url, folder),
        clock=clock,
        bell=QuietBell(),
        mailer=mailer or fake_mailer,
        press=press or fake_press,
        catalog=catalog or shipped_catalog(),
        outside=outside,
    )
    rt = replace(rt, worker=replace(rt.worker, aside=at_once))
    try:
        prepare(rt)
        if rt.worker.watch.lineage is not None:
            # A worker's first tick; many a test sends without one.
            rt.worker.watch.lineage.look()
        yield House(rt, clock, fake_mailer, fake_press)
    finally:
        rt.close()


def link_in(email: OutgoingEmail, path: str) -> str:
    """The path of the first link in the text part that begins with `path`."""
    found = re.search(rf"http://localhost({re.escape(path)}\S*)", email.text)
    assert found, f"no link to {path} in {email.subject!r}"
    return found.group(1)
