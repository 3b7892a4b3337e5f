"""A whole funnel for a test: real services, words and database, with a clock that is moved."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from funnel.domain.clock import ManualClock
from funnel.domain.ports import GuidePress, Mailer, OutgoingEmail, Outcome, PressedGuide, SendResult
from funnel.runtime import Runtime, build_runtime, prepare
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

    def press(self, document: Mapping[str, object], out: Path) -> PressedGuide:
        if self.failure is not None:
            raise self.failure
        self.documents.append(document)
        content = b"%PDF-1.7\n" + repr(sorted(document.items())).encode() + b"\n%%EOF\n"
        out.write_bytes(content)
        return PressedGuide(12, len(content), hashlib.sha256(content).hexdigest())

    def warm(self) -> None:
        """It is always ready."""

    def close(self) -> None:
        """Nothing is held open."""


@dataclass
class FakeMailer:
    """Accepts everything and keeps it; `script` answers first where it has an answer left."""

    accepted: list[OutgoingEmail] = field(default_factory=list)
    script: list[Outcome | BaseException] = field(default_factory=list)
    name: str = "fake"
    batch_size: int = 20
    answer_seconds: float = 30.0
    knows: bool | None = None

    def send(self, emails: Sequence[OutgoingEmail]) -> list[SendResult]:
        return [self._send(email) for email in emails]

    def _send(self, email: OutgoingEmail) -> SendResult:
        answer = self.script.pop(0) if self.script else Outcome.ACCEPTED
        if isinstance(answer, BaseException):
            raise answer
        if answer is Outcome.ACCEPTED:
            self.accepted.append(email)
        return SendResult(email.message_id, answer, f"The fake said {answer}.")

    def was_accepted(self, message_id: UUID) -> bool | None:
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
        drain(self.rt.worker.guide_maker.make_next)
        self.rt.worker.mail_round()

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


@contextmanager
def open_house(
    database_url: str,
    folder: Path,
    *,
    start: datetime = START,
    mailer: Mailer | None = None,
    press: GuidePress | None = None,
) -> Iterator[House]:
    """A house on a migrated database, with the shipped words published."""
    clock, fake_mailer, fake_press = ManualClock(start), FakeMailer(), FakePress()
    rt = build_runtime(
        house_settings(database_url, folder),
        clock=clock,
        bell=QuietBell(),
        mailer=mailer or fake_mailer,
        press=press or fake_press,
    )
    prepare(rt)
    yield House(rt, clock, fake_mailer, fake_press)
    rt.close()


def link_in(email: OutgoingEmail, path: str) -> str:
    """The path of the first link in the text part that begins with `path`."""
    found = re.search(rf"http://localhost({re.escape(path)}\S*)", email.text)
    assert found, f"no link to {path} in {email.subject!r}"
    return found.group(1)
